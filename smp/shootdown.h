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
	SHOOTDOWN_FORCED,  /* a generation must pass now: smp/tlb.h */
	SHOOTDOWN_REASONS,
};

/* Above this many pages a CPU drops everything instead of page by page. */
enum { SHOOTDOWN_RANGE_PAGES_MAX = 32 };

/* Requests that had to ask somebody, by how long they took: bucket n is 2^n ns up to twice that. */
enum { SHOOTDOWN_WAIT_BUCKETS = 40 };

/* Registers the interrupt handler; memory for `cpus` CPUs comes from alloc, zeroed. Once. */
void shootdown_init(unsigned cpus, void *(*alloc)(size_t bytes));

/*
 * Returns when no CPU will use a translation of [start, end) from before the call: each one has
 * dropped it, or idles and drops all that it has before it touches what could be in that range. The
 * caller has changed the page table already, and no other CPU can change the same range. Thread
 * context, interrupts on, no spinlock held: the caller serves others' requests while it waits, so
 * any number of CPUs may be here at once. A CPU that does not answer in bounded time is named,
 * asked again, and then stops the machine with the state of both.
 */
void shootdown_range(vm_offset_t start, vm_offset_t end, enum shootdown_reason reason);

struct shootdown_stats {
	uint64_t requests[SHOOTDOWN_REASONS];
	uint64_t pages;        /* asked for */
	uint64_t full_flushes; /* requests above the threshold */
	uint64_t targets;      /* CPUs asked, summed over requests */
	uint64_t local_only;   /* requests that had to ask nobody */
	uint64_t left_out;     /* CPUs not asked because they idle, summed over requests */
	uint64_t served;       /* requests executed for others */
	uint64_t resends;      /* interrupts sent again */
	uint64_t max_wait_ns;
	uint64_t waits[SHOOTDOWN_WAIT_BUCKETS];
};

/* Sums over all CPUs; exact at rest. */
void shootdown_stats(struct shootdown_stats *stats);
void shootdown_cpu_stats(unsigned cpu, struct shootdown_stats *stats);

/*
 * Breaks it on purpose, for ever: from here on the CPU with the highest number is neither asked nor
 * waited for, and memory that it still reaches is given away. For those who want to see a test
 * fail; announced in the log. Boot CPU, before others run.
 */
void shootdown_sabotage(void);

/*
 * For tests on the machine: what becomes of the interrupt of this CPU's next request that asks
 * somebody. One that is lost is sent again, after a much shorter time than otherwise. Thread
 * context; the caller's thread makes that request.
 */
enum shootdown_fault {
	SHOOTDOWN_SENT, /* it is sent, as always */
	SHOOTDOWN_LOST,
	SHOOTDOWN_LATE,
	SHOOTDOWN_TWICE,
};
void shootdown_inject(enum shootdown_fault fault);

const char *shootdown_reason_name(enum shootdown_reason reason);

/* Rules at rest: no request waits, none without an initiator. Returns broken ones, reported. */
unsigned shootdown_audit(void (*report)(const char *line));

#ifdef __cplusplus
}
#endif

#endif
