/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The buddy system from inside, for vm_phys*.c, and the allocations that leave a floor, for the
 * page allocator above it.
 */
#ifndef QUIRE_VM_VM_PHYS_INTERNAL_H
#define QUIRE_VM_VM_PHYS_INTERNAL_H

#include "arch/atomic.h"
#include "smp/spinlock.h"
#include "vm/vm_phys.h"

#ifdef __cplusplus
extern "C" {
#endif

TAILQ_HEAD(vm_phys_list, vm_page);

/* (l) lock  (a) atomic, written with the lock held  (c) constant after init */
struct vm_phys_domain {
	struct spinlock lock;
	struct vm_phys_list free[VM_PHYS_ORDERS]; /* (l) heads of free blocks */
	uint64_t blocks[VM_PHYS_ORDERS];          /* (l) length of each list */
	uint32_t nonempty;                        /* (l) bit n: free[n] has a block */
	struct atomic64 free_pages;               /* (a) */
	uint64_t total_pages;                     /* (c) */
} QUIRE_ALIGNED(CACHE_LINE);

/* (a) atomic, written with the lock of some domain held  (c) constant after init */
struct vm_phys_state {
	struct vm_phys_segment segments[VM_PHYS_SEGMENTS_MAX]; /* (c) ascending */
	unsigned segment_count;                                /* (c) */
	unsigned domain_count;                                 /* (c) */
	struct atomic64 free_total;                            /* (a) */
	struct vm_phys_domain domains[MAXMEMDOM];
};

extern struct vm_phys_state vm_phys_state;

struct vm_phys_domain *vm_phys_domain_of(unsigned domain);

static inline vm_size_t vm_phys_order_size(unsigned order)
{
	return PAGE_SIZE << order;
}

/* The descriptor of an address inside the segment. */
static inline vm_page_t vm_phys_segment_page(const struct vm_phys_segment *segment, vm_paddr_t pa)
{
	return segment->first + atop(pa - segment->start);
}

/*
 * All of these: the domain's lock is held, counts and states are the caller's business.
 *
 * block_remove takes one whole block off its list; range_insert puts pages onto the lists in
 * blocks as large as they go, joined with free buddies.
 */
void vm_phys_block_remove(struct vm_phys_domain *d, vm_page_t m);
void vm_phys_range_insert(struct vm_phys_domain *d, vm_page_t m, uint64_t npages);

/*
 * Claims pages that are free in `d` for a caller who must leave `floor` free pages in the
 * machine: at most n, and none or all of them with `all`. Returns how many; the caller takes as
 * many off the lists before it drops the lock. Lock held.
 */
uint64_t vm_phys_claim(struct vm_phys_domain *d, uint64_t n, uint64_t floor, bool all);

/* Pages that were just taken off a list become the caller's. Lock held. */
void vm_phys_mark_allocated(vm_page_t m, uint64_t npages);

/* As their namesakes in vm_phys.h, but `floor` free pages stay behind in the machine. */
unsigned vm_phys_alloc_batch_above(unsigned domain, vm_page_t *pages, unsigned n, uint64_t floor);
vm_page_t vm_phys_alloc_contig_above(unsigned long npages, vm_paddr_t low, vm_paddr_t high,
				     vm_size_t alignment, vm_size_t boundary, uint64_t floor);

/* Free pages of the machine now; exact only at rest. */
uint64_t vm_phys_free_total(void);

/*
 * The same, for one who announced before that it waits for pages: it is told of every page that
 * arrives and is not in this sum.
 */
uint64_t vm_phys_free_total_ordered(void);

#ifdef __cplusplus
}
#endif

#endif
