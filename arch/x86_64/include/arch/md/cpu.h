/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The running CPU. %gs always points to its per-CPU area: there is no user mode, so nothing ever
 * swaps it.
 */
#ifndef QUIRE_ARCH_X86_64_MD_CPU_H
#define QUIRE_ARCH_X86_64_MD_CPU_H

/* Volatile: the boot CPU's area is replaced once, and no older answer may be used after that. */
static inline struct arch_percpu *arch_percpu(void)
{
	struct arch_percpu *area;

	__asm__ volatile("movq %%gs:%c1, %0"
			 : "=r"(area)
			 : "i"(offsetof(struct arch_percpu, self)));
	return area;
}

static inline __attribute__((always_inline)) size_t arch_percpu_read(size_t offset)
{
	size_t word;

	__asm__ volatile("movq %%gs:%c1, %0" : "=r"(word) : "i"(offset));
	return word;
}

static inline void arch_cpu_relax(void)
{
	__asm__ volatile("pause" : : : "memory");
}

static inline uint64_t arch_cycles(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static inline bool arch_irq_enabled(void)
{
	uint64_t flags;

	__asm__ volatile("pushfq; popq %0" : "=r"(flags) : : "memory");
	return (flags >> 9) & 1; /* RFLAGS.IF, Intel SDM vol. 1 3.4.3.3 */
}

static inline void arch_irq_enable(void)
{
	__asm__ volatile("sti" : : : "memory");
}

static inline void arch_irq_disable(void)
{
	__asm__ volatile("cli" : : : "memory");
}

static inline bool arch_irq_save(void)
{
	bool were_enabled = arch_irq_enabled();

	arch_irq_disable();
	return were_enabled;
}

static inline void arch_irq_restore(bool were_enabled)
{
	if (were_enabled)
		arch_irq_enable();
}

/* The handler of an interrupt must not see one half of the change: interrupts are disabled. */
static inline void arch_lazy_begin(void)
{
	arch_percpu()->lazy = 1;
}

static inline void arch_lazy_end(void)
{
	arch_percpu()->lazy = 0;
}

static inline bool arch_lazy(void)
{
	return arch_percpu()->lazy != 0;
}

#endif
