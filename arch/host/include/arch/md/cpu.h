/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The running CPU on the host machine. A flow never moves to another CPU, and each CPU keeps to
 * one thread of the host, so what is read from host_core stays true across any call.
 */
#ifndef QUIRE_ARCH_MD_CPU_H
#define QUIRE_ARCH_MD_CPU_H

/* The part of a CPU that inline code touches. */
struct host_core {
	struct arch_percpu *percpu;
	uint32_t irq_enabled;
	uint32_t pending;    /* interrupts that wait; set by others, atomically */
	uint64_t interrupts; /* that it has taken, of any kind: see arch/md/restart.h */
};

extern __thread struct host_core *host_core __attribute__((tls_model("initial-exec")));

void host_irq_poll(void); /* takes what is pending; interrupts are enabled */
void host_relax(void);
uint64_t host_cycles(void);

/* C++ warns that the function has the name of the structure. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
static inline struct arch_percpu *arch_percpu(void)
{
	return host_core->percpu;
}
#pragma GCC diagnostic pop

static inline size_t arch_percpu_read(size_t offset)
{
	return *(const size_t *)(const void *)((const char *)host_core->percpu + offset);
}

static inline void arch_cpu_relax(void)
{
	host_relax();
}

static inline uint64_t arch_cycles(void)
{
	return host_cycles();
}

static inline bool arch_irq_enabled(void)
{
	return host_core->irq_enabled != 0;
}

static inline void arch_irq_enable(void)
{
	host_core->irq_enabled = 1;
	arch_hook(ARCH_HOOK_IRQ, 0);
	if (unlikely(__atomic_load_n(&host_core->pending, __ATOMIC_RELAXED) != 0))
		host_irq_poll();
}

static inline void arch_irq_disable(void)
{
	arch_hook(ARCH_HOOK_IRQ, 0);
	host_core->irq_enabled = 0;
}

static inline bool arch_irq_save(void)
{
	bool were_enabled;

	arch_hook(ARCH_HOOK_IRQ, 0);
	were_enabled = host_core->irq_enabled != 0;
	host_core->irq_enabled = 0;
	return were_enabled;
}

static inline void arch_irq_restore(bool were_enabled)
{
	if (were_enabled)
		arch_irq_enable();
}

void host_lazy_end(void);

static inline bool arch_lazy(void)
{
	return __atomic_load_n(&host_core->percpu->lazy, __ATOMIC_RELAXED) != 0;
}

/* Atomic, as the oracle looks from other CPUs. */
static inline void arch_lazy_begin(void)
{
	__atomic_store_n(&host_core->percpu->lazy, 1, __ATOMIC_RELAXED);
}

static inline void arch_lazy_end(void)
{
	host_lazy_end();
	__atomic_store_n(&host_core->percpu->lazy, 0, __ATOMIC_RELAXED);
}

#endif
