/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page magazines: each CPU keeps a few free pages at hand, so that a page is usually allocated
 * and freed without sharing anything. Bonwick and Adams, "Magazines and Vmem" (USENIX 2001).
 *
 * There is a cache (mag_cache.h) for each domain and kind of page. A CPU is served from its own
 * domain first; a page goes home, to its own domain's cache, wherever it is freed.
 */
#ifndef QUIRE_VM_VM_MAGAZINE_H
#define QUIRE_VM_VM_MAGAZINE_H

#include "vm/mag_cache.h"
#include "vm/vm_page.h"

#ifdef __cplusplus
extern "C" {
#endif

enum vm_magazine_kind {
	VM_MAGAZINE_ANY,
	VM_MAGAZINE_ZERO, /* known to hold only zeroes; filled by CPUs that have nothing to do */
	VM_MAGAZINE_KINDS,
};

/* Before vm_phys_init, after smp_init; without it pages come from vm_phys. */
void vm_magazine_init(unsigned cpus);

/*
 * One page of the domain for the running CPU, or NULL when neither its magazines nor the depot nor
 * vm_phys have one. `floor` is how many free pages of the machine must remain in vm_phys for this
 * class. Any context.
 */
vm_page_t vm_magazine_alloc(unsigned domain, uint64_t floor);

/* The same of known zero pages, from magazines and depot alone. */
vm_page_t vm_magazine_alloc_zero(unsigned domain);

/* Takes a page that is in no object, unwired. Any context. */
void vm_magazine_free(vm_page_t m);

/*
 * The same for many at once, for a fraction of what they cost one by one: up to `want` pages of the
 * domain into pages[]; returns how many there were. What magazines and depot do not have comes from
 * vm_phys under one lock. And back: pages of any domains. Interrupts are disabled for some 62 pages
 * at a time, and while vm_phys is asked. Any context.
 */
unsigned vm_magazine_alloc_many(unsigned domain, uint64_t floor, vm_page_t *pages, unsigned want);
void vm_magazine_free_many(vm_page_t *pages, unsigned count);

/*
 * Gives every CPU's pages back to vm_phys, from any CPU, while the others run. Returns how many.
 * Any context; where other CPUs cannot be waited for (mag_cache_can_drain) it is the running
 * CPU's pages and the depots' only.
 */
uint64_t vm_magazine_drain(void);

/*
 * Zeroes one page for later, if there are too few: for idle threads. False when there is nothing to
 * do. Takes the time of one page, with preemption off and interrupts on; thread context.
 */
bool vm_magazine_zero_one(void);

/* Once in a second or so: adapts sizes. Any context. */
void vm_magazine_age(void);

/* Both of these when it is time for them: a part of vm_idle. */
bool vm_magazine_idle(void);

/*
 * Keeps idle CPUs from moving pages until the same number of calls of vm_magazine_resume: for those
 * who count. Waits until none of them is at it, where interrupts are on. Any context.
 */
void vm_magazine_pause(void);
void vm_magazine_resume(void);

/*
 * An idle CPU is about to move something from one cache to another, and has done so. False: not
 * now, for somebody counts. Preemption is off in between. Thread context.
 */
bool vm_magazine_move_begin(void);
void vm_magazine_move_end(void);

/* The domain whose memory is nearest to the running CPU. */
unsigned vm_magazine_local_domain(void);

struct vm_magazine_stats {
	uint64_t cached; /* pages held now, */
	uint64_t zeroed; /* of them known zero */
	uint64_t alloc_hits, alloc_misses;
	uint64_t free_hits, free_misses;
	uint64_t exchanges; /* magazines to or from a depot */
	uint64_t resizes;
};
void vm_magazine_stats(unsigned cpu, struct vm_magazine_stats *stats);

/* One kind in one domain. NULL before vm_magazine_init and for a domain that there is not. */
const struct mag_cache *vm_magazine_cache(unsigned domain, enum vm_magazine_kind kind);

/* Pages in the depots. */
uint64_t vm_magazine_depot_cached(void);

/*
 * Checks counts, states and that no page is in two places; returns broken rules reported. Context
 * of vm_magazine_drain; reports may come from interrupt handlers.
 */
unsigned vm_magazine_audit(void (*report)(const char *line));

#ifdef __cplusplus
}
#endif

#endif
