/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What reclaim's files, and the page allocator below them, say to each other; nobody else includes
 * this.
 */
#ifndef QUIRE_VM_VM_PAGEOUT_INTERNAL_H
#define QUIRE_VM_VM_PAGEOUT_INTERNAL_H

#include "arch/atomic.h"
#include "vm/vm_pageout.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- vm_wait.c --- */

/* On a line of its own: every CPU reads it at every free, and it rarely changes. */
struct vm_page_waiters {
	struct atomic32 count; /* threads in vm_wait */
} QUIRE_ALIGNED(CACHE_LINE);
extern struct vm_page_waiters vm_page_waiters;

/* Does anybody wait for pages? Then caches keep none; see vm_wait.c for what may be relied on. */
static inline bool vm_page_wanted(void)
{
	return unlikely(atomic32_load(&vm_page_waiters.count, MO_RELAXED) != 0);
}

void vm_wait_init(void);
uint64_t vm_wait_sleeps(void);

/* --- vm_watermarks.c --- */

void vm_watermarks_init(void);

/* How many pages must become free until all domains are at `high` and `deficit` more are there. */
uint64_t vm_watermarks_shortage(uint64_t deficit);

/* More than this at a time nobody tries to make free: the sum of all domains' `high`. */
uint64_t vm_watermarks_deficit_max(void);

/* Pages of the domain were allocated: wakes the daemon below `low`. As vm_pageout_deficit. */
void vm_watermarks_check(unsigned domain);

/* Is the domain below `low` now? Any context. */
bool vm_watermarks_below_low(unsigned domain);

/* --- vm_pageout.c --- */

/* Why the daemon is to work. */
enum vm_pageout_want { VM_PAGEOUT_LOW = 1, VM_PAGEOUT_DEFICIT = 2 };

/* Wakes the daemon, or keeps it from going to sleep. Context as vm_pageout_deficit. */
void vm_pageout_poke(enum vm_pageout_want want);

#ifdef __cplusplus
}
#endif

#endif
