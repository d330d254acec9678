/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A CPU's own area: the contract's head and what the layers up to smp/ keep per CPU. Upper layers
 * keep their own arrays, indexed by arch_cpu_id().
 */
#ifndef QUIRE_SMP_PERCPU_H
#define QUIRE_SMP_PERCPU_H

#include "arch/atomic.h"
#include "arch/cpu.h"
#include "lib/cpuset.h"
#include "smp/spinlock.h"

#ifdef __cplusplus
extern "C" {
#endif

/* At most one lock per rank, and room for locks that nest within theirs. */
enum { SPIN_HELD_MAX = 16 };

/*
 * Cross-CPU calls (smp/call.c). A CPU has at most one call of its own under way.
 * (i) written by this CPU while no bit of pending is set, read by the CPUs in pending
 * (a) atomic
 */
struct call_state {
	struct atomic64 inbox[CPUSET_WORDS];   /* (a) CPUs whose call waits for this one */
	struct atomic64 pending[CPUSET_WORDS]; /* (a) CPUs that have not finished this one's */
	void (*fn)(void *arg);                 /* (i) */
	void *arg;                             /* (i) */
};

struct percpu {
	struct arch_percpu arch; /* first */

	/* This CPU's own, interrupts off. */
	uint32_t spin_depth;
	bool spin_irq_was_enabled; /* before the outermost lock */
	bool spin_broken;          /* it panics: see spin_break_all */
	const struct spinlock *spin_held[SPIN_HELD_MAX];

	/* Statistics, written by this CPU only. Ticks and IPIs are counted by their handlers. */
	uint64_t irq_count; /* both together */
	uint64_t ipi_count;
	uint64_t tick_count;
	uint64_t idle_count; /* times that it found nothing to do and waited */

	struct atomic32 join; /* how its start went, smp/smp.c */

	/* Written by other CPUs, so on cache lines of its own. */
	struct call_state call QUIRE_ALIGNED(CACHE_LINE);
} QUIRE_ALIGNED(CACHE_LINE);

static inline struct percpu *percpu_self(void)
{
	return (struct percpu *)arch_percpu();
}

/* The area of any CPU that has one, else NULL. */
struct percpu *percpu_of(unsigned cpu);

/* An IPI handler calls this first. */
static inline void percpu_count_ipi(void)
{
	percpu_self()->irq_count++;
	percpu_self()->ipi_count++;
}

/* For smp_init: forgets all areas and gives the running CPU, number 0, a full one. */
void percpu_init_boot(void);

/* Has percpu_init_boot run? Before, arch_percpu() is the backend's and no area is complete. */
extern bool percpu_ready;

/* For smp_start: makes zeroed memory the area of a CPU that does not run yet, or takes it back. */
void percpu_init(struct percpu *area, unsigned cpu);
void percpu_forget(unsigned cpu);

#ifdef __cplusplus
}
#endif

#endif
