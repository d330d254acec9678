/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kmem caches: ranges of kmem_map of 1 to 16 pages which kmem_free leaves mapped and backed,
 * so that kmem_malloc can hand them out again without a map, an object, a page table or a TLB.
 * The theory is in vm_kern_cache.c.
 */
#ifndef QUIRE_VM_VM_KERN_CACHE_H
#define QUIRE_VM_VM_KERN_CACHE_H

#include "vm/mag_cache.h"
#include "vm/vm_param.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { KMEM_CACHE_PAGES_MAX = 16 }; /* pages of the largest range that is cached */

/*
 * Makes the caches of kmem_map and switches them on. Without memory for their tags kmem_malloc
 * works without caches, and a line in the log says so. Once, when kmem_map is there.
 */
void kmem_cache_init(void);

/*
 * On or off; off empties them as well. What is allocated then stays valid, and may be freed later
 * whatever the switch says. sysctl kmem.cache. Context of kmem_cache_drain.
 */
void kmem_cache_enable(bool on);
bool kmem_cache_enabled(void);

/*
 * Unmaps and frees all ranges in all CPUs' caches, while the others go on. Returns pages. Thread
 * context, interrupts on, nothing locked.
 */
uint64_t kmem_cache_drain(void);

/*
 * Zeroes a cached range of this CPU, if zeroed ones are asked for and there are too few: for idle
 * CPUs. False when there is nothing to do. Preemption is off for at most the time of one page after
 * a thread has become ready. Thread context.
 */
bool kmem_cache_idle(void);

/* Pages in cached ranges: allocated as far as maps and objects know. Exact at rest. Any context. */
uint64_t kmem_cache_cached_pages(void);

/* What ranges of `npages` pages did on one CPU, or in all when cpu is MAG_CACHE_ALL. Any context.
 */
void kmem_cache_stats(unsigned npages, int cpu, struct mag_cache_stats *stats);

/* The same of those that are known to be zero. */
void kmem_cache_zeroed_stats(unsigned npages, int cpu, struct mag_cache_stats *stats);

/* Checks tags against caches and page tables; returns broken rules reported. Thread context. */
unsigned kmem_cache_audit(void (*report)(const char *line));

#ifdef __cplusplus
}
#endif

#endif
