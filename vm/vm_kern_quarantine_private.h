/* SPDX-License-Identifier: BSD-2-Clause */
/* The quarantine from inside; vm_kern_quarantine.c has the theory. */
#ifndef QUIRE_VM_VM_KERN_QUARANTINE_PRIVATE_H
#define QUIRE_VM_VM_KERN_QUARANTINE_PRIVATE_H

#include <bsd/sys/queue.h>

#include "arch/atomic.h"
#include "smp/spinlock.h"
#include "smp/tlb.h"
#include "vm/vm_kern_private.h"
#include "vm/vm_kern_quarantine.h"
#include "vm/vm_pool.h"

#ifdef __cplusplus
extern "C" {
#endif

/* So that two batches fill a page. */
enum { QUARANTINE_RANGES = 80 };

/* Unmapped addresses with their pages; nobody's while map is NULL. */
struct quarantine_range {
	vm_map_t map;
	vm_offset_t start, end;
};

/* Ranges that wait for one generation. */
struct quarantine_batch {
	STAILQ_ENTRY(quarantine_batch) link;
	tlb_generation_t generation; /* of a sealed one */
	uint64_t first_tick;         /* of the CPU, when the first range came */
	uint64_t pages;              /* that were in it when it was sealed */
	unsigned count;
	struct quarantine_range ranges[QUARANTINE_RANGES];
};

STAILQ_HEAD(quarantine_batches, quarantine_batch);

/*
 * One CPU's.
 * (l) lock  (a) written with the lock held, read by all
 */
struct quarantine {
	struct spinlock lock;
	struct quarantine_batch *open;    /* (l) takes ranges; NULL: none yet */
	struct quarantine_batch *spare;   /* (l) empty, for the next */
	struct quarantine_batches sealed; /* (l) oldest first; sorted by address */
	struct quarantine_range run; /* (l) is being given back; by one at a time, who reads it */
	struct atomic64 pages;       /* (a) in all of the above */
	struct atomic64 ranges_put;  /* (a) this and those below: statistics */
	struct atomic64 pages_put;
	struct atomic64 runs;
	struct atomic64 batches;
} QUIRE_ALIGNED(CACHE_LINE);

/* (c) constant after init  (a) atomic */
struct quarantine_shared {
	struct quarantine *cpus;   /* (c) */
	unsigned cpu_count;        /* (c) 0 before init */
	uint64_t pages_limit;      /* (c) for all CPUs */
	uint64_t batch_pages;      /* (c) a batch with so many is sealed */
	struct atomic32 immediate; /* (a) */
	struct atomic64 sealed_pages QUIRE_ALIGNED(CACHE_LINE); /* (a) touched once for a batch */
	struct atomic64 pages_max;                              /* (a) */
	struct atomic64 flushes, limit_flushes;                 /* (a) statistics */
};

extern struct quarantine_shared quarantine_shared;
extern struct vm_pool quarantine_batch_pool;

/* No read-modify-write: for figures of a CPU whose lock is held. */
static inline void quarantine_add_locked(struct atomic64 *figure, uint64_t n)
{
	atomic64_store(figure, atomic64_load(figure, MO_RELAXED) + n, MO_RELAXED);
}

/* --- vm_kern_quarantine_release.c --- */

/* The open batch, if it has ranges, begins to wait for a generation. */
void quarantine_seal_locked(struct quarantine *q);

/* Do sealed batches hold as much as they may? */
bool quarantine_limit_reached(void);

/* Gives back what this CPU may give back by now, but not more than a few batches at once. Thread
 * context, nothing locked. */
void quarantine_release_passed(struct quarantine *q);

/* May CPUs be asked here? */
bool quarantine_may_ask(void);

#ifdef __cplusplus
}
#endif

#endif
