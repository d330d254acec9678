/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changing what may be done with a range.
 *
 * The map says so first, under its lock; the page table follows with the range in transition and
 * the map unlocked, because rights that are taken away must be taken from every CPU.
 */
#include "lib/check.h"
#include "vm/pmap.h"
#include "vm/vm_kern_private.h"
#include "vm/vm_map_private.h"
#include "vm/vm_object.h"
#include "vm/vm_page.h"

/* Would every entry of the range take the new protection? */
static bool range_allows(vm_map_t map, vm_offset_t start, vm_offset_t end, vm_prot_t prot)
{
	for (vm_map_entry_t entry = map_tree_first_above(map, start);
	     entry != NULL && entry->start < end; entry = TAILQ_NEXT(entry, list))
		if ((prot & ~entry->max_protection) != 0)
			return false;
	return true;
}

static int protect_check(vm_map_t map, vm_offset_t start, vm_offset_t end, vm_prot_t prot,
			 bool set_max)
{
	if (map_range_has_submap(map, start, end))
		return KERN_INVALID_ARGUMENT;
	if (!map_range_covered(map, start, end))
		return KERN_INVALID_ADDRESS;
	if (!range_allows(map, start, end, prot))
		return KERN_PROTECTION_FAILURE;
	if (!set_max && (prot & VM_PROT_WRITE) != 0 && (prot & VM_PROT_EXECUTE) != 0)
		return KERN_PROTECTION_FAILURE;
	return KERN_SUCCESS;
}

/* Pages that lost their mapping when all access was forbidden are mapped again. */
static void entry_remap(vm_map_t map, vm_map_entry_t entry)
{
	vm_object_t object = entry->object.vm_object;

	for (vm_offset_t va = entry->start; va < entry->end; va += PAGE_SIZE) {
		vm_page_t m;

		VM_OBJECT_WLOCK(object);
		m = vm_page_lookup(object, atop(entry->offset + (va - entry->start)));
		VM_OBJECT_WUNLOCK(object);
		CHECK(m != NULL);
		CHECK_EQ(pmap_enter(map->pmap, va, VM_PROT_NONE, m, entry->protection, true),
			 KERN_SUCCESS);
	}
}

/*
 * The entry is the caller's, and the map unlocked. Neither way can fail: an inserted range has all
 * its tables, also behind its large leaves, and writable with executable was refused before.
 */
static void entry_protect(vm_map_t map, vm_map_entry_t entry, vm_prot_t before)
{
	if (before != VM_PROT_NONE)
		CHECK_EQ(pmap_protect(map->pmap, entry->start, entry->end, entry->protection),
			 KERN_SUCCESS);
	else if (entry->wired_count != 0)
		entry_remap(map, entry);
}

/* Sets one marked entry. Called and returns with the map locked. */
static void entry_change(vm_map_t map, vm_map_entry_t entry, vm_prot_t prot, bool set_max)
{
	vm_prot_t before = entry->protection;

	if (set_max) {
		entry->max_protection = prot;
		entry->protection &= prot;
	} else {
		entry->protection = prot;
	}
	if (entry->protection == before)
		return;
	vm_map_unlock(map);
	entry_protect(map, entry, before);
	vm_map_lock(map);
}

static int protect_locked(vm_map_t map, vm_offset_t start, vm_offset_t end, vm_prot_t prot,
			  bool set_max)
{
	int rv;

	do {
		rv = protect_check(map, start, end, prot, set_max);
		if (rv != KERN_SUCCESS)
			return rv;
	} while (map_transition_wait(map, start, end));
	rv = map_transition_begin(map, start, end, VM_POOL_NORMAL);
	if (rv != KERN_SUCCESS)
		return rv;
	for (vm_map_entry_t entry = map_tree_first_above(map, start);
	     entry != NULL && entry->start < end; entry = TAILQ_NEXT(entry, list))
		entry_change(map, entry, prot, set_max);
	map_transition_end(map, start, end);
	return KERN_SUCCESS;
}

int vm_map_protect(vm_map_t map, vm_offset_t start, vm_offset_t end, vm_prot_t prot, bool set_max)
{
	int rv;

	start = trunc_page(start);
	end = round_page(end);
	if (start >= end)
		return KERN_INVALID_ADDRESS;
	kmem_quarantine_settle(map, start, end);
	vm_map_lock(map);
	rv = protect_locked(map, start, end, prot, set_max);
	vm_map_unlock(map);
	return rv;
}
