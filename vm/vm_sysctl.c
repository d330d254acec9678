/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the memory system shows by name, and lets set.
 */
#include "vm/vm_sysctl.h"

#include "kernel/registry/sysctl.h"
#include "vm/vm_kern.h"
#include "vm/vm_kern_cache.h"
#include "vm/vm_kern_debug.h"
#include "vm/vm_magazine.h"
#include "vm/vm_page_internal.h"
#include "vm/vm_pageout.h"
#include "vm/vm_phys_internal.h"
#include "vm/vm_swap.h"

static uint64_t min_kernel_address = VM_MIN_KERNEL_ADDRESS;
static uint64_t max_kernel_address = VM_MAX_KERNEL_ADDRESS;

static SYSCTL_U64(min_address_node, "vm.min_kernel_address", SYSCTL_RD | SYSCTL_HEX,
		  &min_kernel_address, "first address of the kernel's map");
static SYSCTL_U64(max_address_node, "vm.max_kernel_address", SYSCTL_RD | SYSCTL_HEX,
		  &max_kernel_address, "end of the kernel's map");

/* --- Statistics: a node each, one handler, which finds the value by a number --- */

enum stat {
	STAT_FREE,
	STAT_CACHED,
	STAT_WAITERS,
	STAT_WAITS,
	STAT_WAKEUPS,
	STAT_LOWMEM_EVENTS,
	STAT_DRAINED,
	STAT_AGED,
	STAT_TAKEN,
	STAT_REFUSED_FREES,
};

static uint64_t stat_value(enum stat stat)
{
	struct vm_pageout_stats stats;

	vm_pageout_stats(&stats);
	switch (stat) {
	case STAT_FREE:
		return vm_phys_free_total();
	case STAT_CACHED:
		return vm_magazine_cached();
	case STAT_WAITERS:
		return vm_pageout_waiters();
	case STAT_WAITS:
		return stats.waits;
	case STAT_WAKEUPS:
		return stats.wakeups;
	case STAT_LOWMEM_EVENTS:
		return stats.lowmem_events;
	case STAT_DRAINED:
		return stats.drained_pages;
	case STAT_AGED:
		return stats.aged_pages;
	case STAT_TAKEN:
		return stats.taken_pages;
	case STAT_REFUSED_FREES:
		return kmem_free_refused_count();
	}
	return 0;
}

static enum sysctl_status stat_read(struct sysctl_oid *oid, bool write, uint64_t *value, char *text,
				    size_t text_size)
{
	(void)write;
	(void)text;
	(void)text_size;
	*value = stat_value((enum stat)(uintptr_t)oid->arg);
	return SYSCTL_OK;
}

#define STAT_NODE(var, name, stat, descr)                                                          \
	static SYSCTL_PROC(var, "vm.stats." name, SYSCTL_TYPE_U64, SYSCTL_RD, stat_read,           \
			   (void *)(uintptr_t)(stat), descr)

STAT_NODE(free_node, "free_pages", STAT_FREE, "pages that are free, without those in magazines");
STAT_NODE(cached_node, "cached_pages", STAT_CACHED, "pages in CPUs' magazines");
STAT_NODE(waiters_node, "page_waiters", STAT_WAITERS, "threads that wait for a page now");
STAT_NODE(waits_node, "page_waits", STAT_WAITS, "times that a thread slept for want of a page");
STAT_NODE(wakeups_node, "daemon_rounds", STAT_WAKEUPS, "rounds of work of the page daemon");
STAT_NODE(lowmem_node, "lowmem_events", STAT_LOWMEM_EVENTS, "times that vm_lowmem was fired");
STAT_NODE(drained_node, "drained_pages", STAT_DRAINED, "pages taken back from magazines");
STAT_NODE(aged_node, "aged_pages", STAT_AGED, "pageable pages that were looked at");
STAT_NODE(taken_node, "taken_pages", STAT_TAKEN, "pageable pages that were taken back");
STAT_NODE(refused_node, "refused_frees", STAT_REFUSED_FREES,
	  "frees of memory that was not allocated, refused");

/* --- Accounting of pageable memory --- */

static enum sysctl_status swap_limit_access(struct sysctl_oid *oid, bool write, uint64_t *value,
					    char *text, size_t text_size)
{
	(void)oid;
	(void)text;
	(void)text_size;
	if (write)
		swap_set_limit(*value);
	else
		*value = swap_limit();
	return SYSCTL_OK;
}

static enum sysctl_status swap_reserved_read(struct sysctl_oid *oid, bool write, uint64_t *value,
					     char *text, size_t text_size)
{
	(void)oid;
	(void)write;
	(void)text;
	(void)text_size;
	*value = swap_reserved();
	return SYSCTL_OK;
}

static SYSCTL_PROC(swap_limit_node, "vm.swap_limit", SYSCTL_TYPE_U64, SYSCTL_RW, swap_limit_access,
		   NULL, "bytes of pageable memory that may be promised in all");
static SYSCTL_PROC(swap_reserved_node, "vm.swap_reserved", SYSCTL_TYPE_U64, SYSCTL_RD,
		   swap_reserved_read, NULL, "bytes of pageable memory that are promised now");

/* --- The kmem caches --- */

static enum sysctl_status kmem_cache_access(struct sysctl_oid *oid, bool write, uint64_t *value,
					    char *text, size_t text_size)
{
	(void)oid;
	(void)text;
	(void)text_size;
	if (!write)
		*value = kmem_cache_enabled();
	else if (*value != 0 && kmem_debug())
		return SYSCTL_REFUSED;
	else
		kmem_cache_enable(*value != 0);
	return SYSCTL_OK;
}

static enum sysctl_status kmem_debug_access(struct sysctl_oid *oid, bool write, uint64_t *value,
					    char *text, size_t text_size)
{
	(void)oid;
	(void)text;
	(void)text_size;
	if (write)
		kmem_debug_set(*value != 0);
	else
		*value = kmem_debug();
	return SYSCTL_OK;
}

static enum sysctl_status kmem_cached_read(struct sysctl_oid *oid, bool write, uint64_t *value,
					   char *text, size_t text_size)
{
	(void)oid;
	(void)write;
	(void)text;
	(void)text_size;
	*value = kmem_cache_cached_pages();
	return SYSCTL_OK;
}

static SYSCTL_PROC(kmem_cache_node, "kmem.cache", SYSCTL_TYPE_BOOL, SYSCTL_RW, kmem_cache_access,
		   NULL,
		   "ranges of kmem_map stay mapped when they are freed, ready for the next use");
static SYSCTL_PROC(kmem_debug_node, "kmem.debug", SYSCTL_TYPE_BOOL, SYSCTL_RW, kmem_debug_access,
		   NULL,
		   "freed ranges of kmem_map stay unmapped for long, to catch uses after free");
static SYSCTL_PROC(kmem_cached_node, "kmem.cached_pages", SYSCTL_TYPE_U64, SYSCTL_RD,
		   kmem_cached_read, NULL, "pages in ranges that are cached");

/* --- Debugging --- */

static enum sysctl_status strict_access(struct sysctl_oid *oid, bool write, uint64_t *value,
					char *text, size_t text_size)
{
	(void)oid;
	(void)text;
	(void)text_size;
	if (write)
		kmem_free_set_strict(*value != 0);
	else
		*value = kmem_free_strict();
	return SYSCTL_OK;
}

static SYSCTL_PROC(strict_node, "debug.kmem_free_strict", SYSCTL_TYPE_BOOL, SYSCTL_RW,
		   strict_access, NULL,
		   "a free of memory that was not allocated panics, instead of being refused");

#ifdef QUIRE_DEBUG
static enum sysctl_status lowmem_trigger(struct sysctl_oid *oid, bool write, uint64_t *value,
					 char *text, size_t text_size)
{
	(void)oid;
	(void)text;
	(void)text_size;
	if (!write)
		*value = 0;
	else if (*value != 0)
		vm_pageout_lowmem();
	return SYSCTL_OK;
}

static SYSCTL_PROC(lowmem_trigger_node, "debug.vm_lowmem", SYSCTL_TYPE_INT, SYSCTL_RW,
		   lowmem_trigger, NULL, "set it to anything but 0 to fire vm_lowmem");
#endif

static struct sysctl_oid *const nodes[] = {
    &min_address_node,    &max_address_node, &free_node,          &cached_node,
    &waiters_node,        &waits_node,       &wakeups_node,       &lowmem_node,
    &drained_node,        &aged_node,        &taken_node,         &refused_node,
    &strict_node,         &swap_limit_node,  &swap_reserved_node, &kmem_cache_node,
    &kmem_debug_node,     &kmem_cached_node,
#ifdef QUIRE_DEBUG
    &lowmem_trigger_node,
#endif
};

void vm_sysctl_init(void)
{
	(void)sysctl_register_all(nodes, nitems(nodes));
	vm_sysctl_tlb_init();
}
