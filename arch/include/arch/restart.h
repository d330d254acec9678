/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Restartable per-CPU stacks: the fast half of every cache.
 *
 * A stack belongs to one CPU and lies in that CPU's area. Taking an item and adding one are
 * sequences of a few instructions of which the last, one store, makes it so. An interrupt (or an
 * exception, or an NMI) that arrives before that store sends the interrupted code back to the
 * first instruction, before any handler runs; so handlers, and threads that they switch to, use
 * the same stacks. No lock, no locked instruction, no change of the interrupt flag. After
 * Bershad, Redell and Ellis, "Fast mutual exclusion for uniprocessors" (ASPLOS 1992).
 *
 * What makes that right: a sequence reads and writes only its own CPU's memory, everything before
 * the last store is without effect when done again, and no thread moves to another CPU.
 */
#ifndef QUIRE_ARCH_RESTART_H
#define QUIRE_ARCH_RESTART_H

#include "arch/atomic.h"
#include "arch/cpu.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Lies at the same offset in every CPU's area; zero is a stack without room. Sequences of its own
 * CPU change count and pops. All else is changed by its own CPU with interrupts disabled, when no
 * sequence can be under way there. Other CPUs may read count, capacity and pops, for statistics;
 * they are atomic for that reason only.
 */
struct arch_stack {
	struct atomic32 count;    /* items, at slots[0] to slots[count - 1] */
	struct atomic32 capacity; /* that fit */
	void **slots;
	struct atomic64 pops; /* items taken since the beginning */
};

/*
 * Functions that are short and hot and contain sequences are gathered in one place, so that
 * looking whether an interrupt came out of a sequence is one comparison for nearly all of them:
 *
 *	ARCH_RESTARTABLE void *thing_alloc(...)
 *
 * It is no duty: sequences elsewhere are found as well, only later.
 */
#define ARCH_RESTARTABLE __attribute__((section(".text.restartable")))

#include "arch/md/restart.h"

/*
 * Supplied inline by the backend. Any context but NMI handlers; `offset` in bytes from the
 * beginning of the area (smp/percpu.h gives them out).
 *
 * static inline void *arch_stack_pop(size_t offset);
 *	The item that was added last, or NULL when there is none.
 * static inline bool arch_stack_push(size_t offset, void *item);
 *	False when there is no room.
 */

/* Sequences that were sent back so far, on the running CPU. */
uint64_t arch_restarts(void);

/*
 * For tests of the mechanism. The machine's code contains some number of sequences, and a
 * sequence has places where it can be interrupted. An armed probe runs fn(arg) in an interrupt,
 * once, when the running CPU comes to that place the next time. Not every number is a place: such
 * a probe never runs. One probe for each CPU; arming replaces it.
 */
unsigned arch_sequence_count(void);
unsigned arch_sequence_places(unsigned sequence);
void arch_sequence_probe(unsigned sequence, unsigned place, void (*fn)(void *arg), void *arg);
void arch_sequence_probe_end(void);

/*
 * Switches sending back off on the running CPU: how a test proves that it would notice. With
 * interrupts disabled, as long as it is off, so that probes are all that can come between.
 */
void arch_restart_enable(bool on);

#ifdef __cplusplus
}
#endif

#endif
