/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the generations, of shootdown and of the start of CPUs share: see tlb.c. */
#ifndef QUIRE_SMP_TLB_PRIVATE_H
#define QUIRE_SMP_TLB_PRIVATE_H

#include "arch/atomic.h"
#include "lib/cpuset.h"
#include "smp/tlb.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A CPU's state. Not lazy: active. */
enum {
	TLB_LAZY = 1,  /* it idles, touches permanent mappings only, and is not asked */
	TLB_STALE = 2, /* only with TLB_LAZY: somebody left it out, so it has to flush on leaving */
};

enum tlb_counter {
	TLB_COUNT_FLUSHES,
	TLB_COUNT_LAZY_ENTERED,
	TLB_COUNT_LAZY_FLUSHES,
	TLB_COUNTERS,
};

/*
 * (o) written by its CPU only, read by all
 * (a) atomic: its CPU enters and leaves, others add TLB_STALE while it is lazy
 */
struct tlb_line {
	struct atomic64 seen;  /* (o) the generation that its last full flush belongs to */
	struct atomic32 state; /* (a) */
	struct atomic64 counters[TLB_COUNTERS]; /* (o) */
} QUIRE_ALIGNED(CACHE_LINE);

extern struct tlb_line *tlb_lines; /* constant after init; NULL before */
extern unsigned tlb_line_count;    /* the same */

/* Called by shootdown_init; and by smp_init, which begins anew. */
void tlb_init(unsigned cpus, void *(*alloc)(size_t bytes));
void tlb_forget(void);

/* The flush of a CPU that has just entered the online set. Interrupts disabled. */
void tlb_join(void);

/* Drops all of this CPU's translations, and says so to those who wait for a generation. */
void tlb_flush_all(void);

/* The slow half of tlb_leave_out: false when the CPU has stopped idling meanwhile. */
bool tlb_mark_stale(unsigned cpu);

/*
 * May a shootdown leave `cpu` out, because it idles? Then it flushes before it touches anything
 * but permanent mappings. The page table has been changed, and a sequentially consistent operation
 * has followed.
 */
static inline bool tlb_leave_out(unsigned cpu)
{
	/* Sequentially consistent: pairs with the exchange in lazy_end. */
	uint32_t state = atomic32_load(&tlb_lines[cpu].state, MO_SEQ_CST);

	return state == (TLB_LAZY | TLB_STALE) || (state == TLB_LAZY && tlb_mark_stale(cpu));
}

/*
 * For tests, with all CPUs at rest: goes on from this generation, as if every CPU had just flushed
 * in it.
 */
void tlb_set_generation(tlb_generation_t generation);

uint64_t tlb_generations_begun(void);

/* The part of shootdown_audit that is about generations. */
unsigned tlb_audit(void (*report)(const char *line));

#ifdef __cplusplus
}
#endif

#endif
