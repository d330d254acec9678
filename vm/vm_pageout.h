/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reclaim: what happens when pages are short, and how one waits for them.
 */
#ifndef QUIRE_VM_VM_PAGEOUT_H
#define QUIRE_VM_VM_PAGEOUT_H

#include "kernel/registry/eventhandler.h"
#include "vm/vm_page.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Fired when memory is short: whoever keeps memory that it can do without gives it back. No map
 * lock is held while a handler runs; it may sleep, but not in vm_wait: it may be the page daemon
 * that runs it. To fire it, vm_pageout_lowmem.
 */
EVENTHANDLER_DECLARE(vm_lowmem, void (*)(void *arg));

/* Calls the handlers of vm_lowmem. Thread context, nothing locked; sleeps if a handler does. */
void vm_pageout_lowmem(void);

/* Pages of one domain at which things happen; min <= low <= high. */
struct vm_watermarks {
	uint64_t min;  /* below: only requests that may take reserves go on */
	uint64_t low;  /* below: the page daemon works */
	uint64_t high; /* it works until so many are free */
};
void vm_pageout_watermarks(unsigned domain, struct vm_watermarks *marks);

/* Sets the watermarks from RAM, and forgets scanner, deficit and counts. After vm_phys_init. */
void vm_pageout_init(void);

/*
 * Tells how pages of pageable memory are taken back: scan(wanted) looks for pages that can be freed
 * without loss, frees about so many, and returns how many. It is called in thread context with
 * nothing locked, perhaps by several threads at once. Without it no such page is found.
 */
void vm_pageout_set_scanner(uint64_t (*scan)(uint64_t wanted));
/* The scanner looked at so many pages: statistics. */
void vm_pageout_count_aged(uint64_t npages);

/*
 * The page daemon; kernel/ gives it a thread. Woken by deficit and watermarks; fires vm_lowmem,
 * empties every CPU's caches, takes back pages of pageable memory that nobody has written to, and
 * wakes those who wait.
 */
void vm_pageout_daemon(void *unused);

/* One round of the daemon's work, by the caller. Thread context, nothing locked; may sleep. */
void vm_pageout_pass(void);

/* npages could not be had: remembers the deficit and wakes the daemon. Any context; no lock of rank
 * LOCK_RANK_PAGE_WAIT or above held. */
void vm_pageout_deficit(uint64_t npages);

/* vm_phys got pages: wakes those who wait for them. Any context, locks as above; one load when
 * nobody waits. */
void vm_pageout_page_freed(void);

/*
 * Sleeps until a request of this class (VM_ALLOC_ class) could be met. Waits on that condition, not
 * on one wake-up. One that waits very long is named in the log. Thread context, nothing locked.
 */
void vm_wait(int req);
#define VM_WAIT vm_wait(VM_ALLOC_NORMAL)

/*
 * Tries to make pages in physical [low, high) free, harder with each try: 0 empties caches, without
 * sleeping; 1 the vm_lowmem event and the zones as well; 2 everything. What is given back cannot be
 * chosen by address, so all of it is, and nothing when no RAM lies in that range. Returns by how
 * many pages vm_phys has more than before, which other CPUs change meanwhile. Any context for
 * tries 0, with no lock of rank LOCK_RANK_FREE_PAGES or above; else thread context, nothing locked.
 */
uint64_t vm_pageout_grow_cache(int tries, vm_paddr_t low, vm_paddr_t high);

/* Threads in vm_wait now. */
unsigned vm_pageout_waiters(void);

struct vm_pageout_stats {
	uint64_t wakeups; /* of the daemon: rounds that it made */
	uint64_t lowmem_events;
	uint64_t drained_pages; /* from caches */
	uint64_t aged_pages;    /* pageable pages looked at */
	uint64_t taken_pages;   /* pageable pages taken back */
	uint64_t waits;         /* sleeps in vm_wait */
};
void vm_pageout_stats(struct vm_pageout_stats *stats);

#ifdef __cplusplus
}
#endif

#endif
