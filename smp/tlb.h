/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Deferred shootdown: generations of the TLB.
 *
 * A free that may wait asks nobody. It clears the page table, keeps memory and addresses back, and
 * takes a generation; when every CPU has flushed in that generation or a later one, both can be
 * reused. CPUs flush at their own tick when the generation has moved on; one that idles is not
 * waited for, because it flushes before it touches anything that can change.
 */
#ifndef QUIRE_SMP_TLB_H
#define QUIRE_SMP_TLB_H

#include "lib/types.h"
#include "smp/shootdown.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef uint64_t tlb_generation_t; /* compared as a distance, so it may wrap */

/*
 * Begins a new generation and returns it. What was cleared in the page table before, by this CPU
 * or by one whose release this one acquired, is forgotten by all when it has passed. Any context.
 */
tlb_generation_t tlb_generation_begin(void);

/*
 * Has every CPU that is online and not idle flushed since this generation began? Never turns from
 * true to false. Any context; sends nothing, waits for nobody.
 */
bool tlb_generation_passed(tlb_generation_t generation);

/*
 * Makes it pass: flushes here, sends one interrupt to each CPU that has not flushed and is not
 * idle, and waits for those, serving others meanwhile. Context and failure as shootdown_range.
 */
void tlb_generation_force(tlb_generation_t generation, enum shootdown_reason reason);

/*
 * Flushes this CPU if a generation began since it last did. Any context except NMI. Called from
 * the tick, by those who have just begun a generation, and by the interrupt of
 * tlb_generation_force.
 */
void tlb_catch_up(void);

/*
 * The idle loop: interrupts off, about to wait for one. From here to tlb_lazy_leave this CPU
 * touches only mappings that never change, and is not asked. Every interrupt leaves first.
 */
void tlb_lazy_enter(void);
void tlb_lazy_leave(void); /* interrupts off; nothing when not lazy */

struct tlb_stats {
	uint64_t begun;        /* generations */
	uint64_t flushes;      /* full flushes, for whatever reason */
	uint64_t lazy_entered; /* times that a CPU idled without being asked */
	uint64_t lazy_flushes; /* of those, how many ended in a flush */
};

/* Sums over all CPUs, and those of one; exact at rest. */
void tlb_stats(struct tlb_stats *stats);
void tlb_cpu_stats(unsigned cpu, struct tlb_stats *stats);

/* The generation that began last, and the latest that is known to have passed. Any context. */
tlb_generation_t tlb_generation_now(void);
tlb_generation_t tlb_generation_known_passed(void);

#ifdef __cplusplus
}
#endif

#endif
