/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Emptying caches, all of them at once: for the page daemon, and for an allocation that fails.
 */
#include "vm/uma_private.h"
#include "vm/vm_kern_cache.h"
#include "vm/vm_kern_debug.h"
#include "vm/vm_page.h"

/*
 * Zones first: their slabs become ranges and pages, some of which wait in caches then; the ranges
 * next, for they become pages.
 *
 * Pools of small structures are not asked: they give a slab back when its last item is freed. The
 * empty ones that they keep are no more than their reserve once needed.
 */
void uma_reclaim(void)
{
	(void)uma_zones_reclaim();
	(void)kmem_cache_drain();
	(void)kmem_debug_release();
	(void)vm_page_reclaim_caches();
}
