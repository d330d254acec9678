/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLB shootdown: making every CPU forget translations of kernel memory.
 */
#ifndef QUIRE_SMP_SHOOTDOWN_H
#define QUIRE_SMP_SHOOTDOWN_H

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum shootdown_reason {
	SHOOTDOWN_FREE,    /* memory is about to be reused */
	SHOOTDOWN_PROTECT, /* rights were taken away */
	SHOOTDOWN_DEMOTE,  /* a large page became small ones */
	SHOOTDOWN_QREMOVE, /* temporary mapping ended */
	SHOOTDOWN_MEMATTR, /* a page of the direct map changes its memory type */
	SHOOTDOWN_REASONS,
};

/* Above this many pages a CPU drops everything instead of page by page. */
enum { SHOOTDOWN_RANGE_PAGES_MAX = 32 };

/* Registers the interrupt handler; memory for `cpus` CPUs comes from alloc, zeroed. Once. */
void shootdown_init(unsigned cpus, void *(*alloc)(size_t bytes));

/*
 * Returns when no CPU holds a translation of [start, end) from before the call. The caller has
 * changed the page table already, and no other CPU can change the same range. Thread context,
 * interrupts on, no spinlock held: the caller serves others' requests while it waits, so any
 * number of CPUs may be here at once. A CPU that does not answer in bounded time is named, asked
 * again, and then stops the machine with the state of both.
 */
void shootdown_range(vm_offset_t start, vm_offset_t end, enum shootdown_reason reason);

struct shootdown_stats {
	uint64_t requests[SHOOTDOWN_REASONS];
	uint64_t pages;        /* asked for */
	uint64_t full_flushes; /* requests above the threshold */
	uint64_t targets;      /* CPUs asked, summed over requests */
	uint64_t local_only;   /* requests that had to ask nobody */
	uint64_t served;       /* requests executed for others */
	uint64_t resends;      /* interrupts sent again */
	uint64_t max_wait_ns;
};

/* Sums over all CPUs; exact at rest. */
void shootdown_stats(struct shootdown_stats *stats);
void shootdown_cpu_stats(unsigned cpu, struct shootdown_stats *stats);

const char *shootdown_reason_name(enum shootdown_reason reason);

/* Rules at rest: no request waits, none without an initiator. Returns broken ones, reported. */
unsigned shootdown_audit(void (*report)(const char *line));

#ifdef __cplusplus
}
#endif

#endif
