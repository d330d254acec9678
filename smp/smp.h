/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bringing the CPUs up, and which of them are there.
 *
 * present: firmware lists it.  online: it can take an interrupt (it answers when it enables them)
 * and uses no translation from before. A CPU that becomes online stays online.
 */
#ifndef QUIRE_SMP_SMP_H
#define QUIRE_SMP_SMP_H

#include "arch/cpus.h"
#include "lib/cpuset.h"
#include "smp/percpu.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Gives the boot CPU its full per-CPU area and marks it online. First call of kernel_main, with
 * interrupts disabled; until then spinlocks do nothing.
 */
void smp_init(void);

/* Uses at most `max` CPUs, at least 1. Right after smp_init, before anybody asks for the count. */
void smp_set_limit(unsigned max);

/* What a CPU needs, from the caller that has an allocator: zeroed, CACHE_LINE-aligned. */
struct smp_provider {
	void *(*alloc)(size_t bytes); /* may return NULL: the CPU is left out */
	void (*free)(void *ptr, size_t bytes);
	void *(*stack_alloc)(size_t *size); /* guarded; may return NULL */
	void (*stack_free)(void *base, size_t size);
};

/*
 * Starts every other CPU in parallel and waits, bounded by `timeout_ns`, until each is online (a
 * CPU that did begin in that time gets as much again to finish). Each runs `ap_main` with
 * interrupts disabled when it is; ap_main enables them soon and never returns. One line for each
 * CPU and `smp: N of M CPUs online` are printed. A CPU that does not come is named and left out,
 * and what was allocated for it is freed; one that hangs half-way keeps it. Called once, on the
 * boot CPU, where the provider's functions may be called; interrupts enabled.
 */
void smp_start(const struct smp_provider *provider, void (*ap_main)(void), uint64_t timeout_ns);

/* How long smp_start took from the first command to the last CPU online, or to the end of its
 * patience: time, and the boot CPU's counter. 0 for one CPU. */
struct smp_start_cost {
	uint64_t ns, cycles;
};
void smp_start_cost(struct smp_start_cost *cost);

/* CPUs that firmware lists, capped at MAXCPU. Logical numbers are below this. */
unsigned smp_cpu_count(void);

unsigned smp_online_count(void);
bool smp_cpu_online(unsigned cpu);

/*
 * A copy of the online set as it is now. Sequentially consistent: whoever cleared a page table
 * entry before (with arch_pte_exchange, or a store and then any sequentially consistent exchange)
 * and does not find a CPU here need not ask that CPU to forget the translation; see smp.c.
 */
void smp_online_set(struct cpuset *set);

#ifdef __cplusplus
}
#endif

#endif
