/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A CPU's own area: the contract's head, what the layers up to smp/ keep per CPU, and lines of
 * memory for upper layers. What is not hot they keep in arrays, indexed by arch_cpu_id().
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

/* What upper layers keep in the area: lines that are given out while the kernel runs. */
enum { PERCPU_LINES = 256 };

/* The first of them is nobody's: zero on every CPU, for ever. */
#define PERCPU_ZERO_OFFSET ((uint32_t)offsetof(struct percpu, lines))

struct percpu_line {
	char bytes[CACHE_LINE];
} QUIRE_ALIGNED(CACHE_LINE);

struct percpu {
	struct arch_percpu arch; /* first */

	/* This CPU's own, interrupts off. */
	uint32_t spin_depth;
	bool spin_irq_was_enabled; /* before the outermost lock */
	bool spin_broken;          /* it panics: see spin_break_all */
	const struct spinlock *spin_held[SPIN_HELD_MAX];

	/* Offset of the stack of pages that vm_page_alloc tries first; vm/vm_magazine.c sets it. */
	size_t vm_pages;

	/* Statistics, written by this CPU only. Ticks and IPIs are counted by their handlers. */
	uint64_t irq_count; /* both together */
	uint64_t ipi_count;
	uint64_t tick_count;
	uint64_t idle_count; /* times that it found nothing to do and waited */

	struct atomic32 join; /* how its start went, smp/smp.c */

	/* Written by other CPUs, so on cache lines of its own. */
	struct call_state call QUIRE_ALIGNED(CACHE_LINE);

	/* This CPU's own again; who has which: percpu_lines_alloc. */
	struct percpu_line lines[PERCPU_LINES];
} QUIRE_ALIGNED(CACHE_LINE);

static inline struct percpu *percpu_self(void)
{
	return (struct percpu *)arch_percpu();
}

/* The area of any CPU that has one, else NULL. */
struct percpu *percpu_of(unsigned cpu);

/*
 * Gives out `count` (1 to PERCPU_LINES_MAX) neighbouring lines, the same ones in every CPU's area,
 * zero in all of them, also in those of CPUs that start later. Returns the offset of the first in
 * bytes from the area's beginning; 0 when there is no room. Any context.
 *
 * Each CPU touches its own ones only. Who gives them back has made sure that no CPU does any more.
 */
enum { PERCPU_LINES_MAX = 8 };
uint32_t percpu_lines_alloc(unsigned count);
void percpu_lines_free(uint32_t offset, unsigned count);

/* Lines that are given out. */
unsigned percpu_lines_used(void);

/* The running CPU's bytes at an offset; and another CPU's, NULL when it has no area. */
static inline void *percpu_at(uint32_t offset)
{
	return (char *)arch_percpu() + offset;
}

void *percpu_at_cpu(unsigned cpu, uint32_t offset);

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
