/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Wiring: backing a range with pages that stay.
 *
 * The range is in transition while pages are allocated, zeroed and mapped, so the map is not
 * locked. Each page is busy from its allocation until it is mapped. A failure takes back what was
 * brought in, first the mappings on every CPU and then the pages, and leaves the range as it was.
 */
#include "lib/check.h"
#include "vm/pmap.h"
#include "vm/vm_map_private.h"
#include "vm/vm_object.h"
#include "vm/vm_page.h"

/* A wired page of zeroes at the index; busy. */
static vm_page_t page_bring_in(vm_object_t object, vm_pindex_t pindex)
{
	vm_page_t m;

	VM_OBJECT_WLOCK(object);
	m = vm_page_alloc(object, pindex, VM_ALLOC_SYSTEM | VM_ALLOC_WIRED | VM_ALLOC_ZERO);
	VM_OBJECT_WUNLOCK(object);
	if (m == NULL)
		return NULL;
	if ((m->flags & PG_ZERO) == 0)
		pmap_zero_page(m);
	m->valid = VM_PAGE_BITS_ALL;
	return m;
}

/* Takes back [start, end) of the entry, which this thread brought in. */
static void entry_unback(vm_map_t map, vm_map_entry_t entry, vm_offset_t start, vm_offset_t end)
{
	vm_object_t object = entry->object.vm_object;
	vm_pindex_t first = atop(entry->offset + (start - entry->start));

	if (start == end)
		return;
	/* Only small leaves were entered, so nothing needs to be split. */
	CHECK_EQ(pmap_remove(map->pmap, start, end), KERN_SUCCESS);
	VM_OBJECT_WLOCK(object);
	vm_object_page_remove(object, first, first + atop(end - start));
	VM_OBJECT_WUNLOCK(object);
}

static int page_back(vm_map_t map, vm_map_entry_t entry, vm_offset_t va)
{
	vm_object_t object = entry->object.vm_object;
	vm_pindex_t pindex = atop(entry->offset + (va - entry->start));
	vm_page_t m = page_bring_in(object, pindex);
	int rv;

	if (m == NULL)
		return KERN_RESOURCE_SHORTAGE;
	rv = pmap_enter(map->pmap, va, VM_PROT_NONE, m, entry->protection, true);
	VM_OBJECT_WLOCK(object);
	vm_page_wakeup(m);
	if (rv != KERN_SUCCESS)
		vm_object_page_remove(object, pindex, pindex + 1);
	VM_OBJECT_WUNLOCK(object);
	return rv;
}

/* Backs the whole entry, or leaves it as it was. */
static int entry_back(vm_map_t map, vm_map_entry_t entry)
{
	for (vm_offset_t va = entry->start; va < entry->end; va += PAGE_SIZE) {
		int rv = page_back(map, entry, va);

		if (rv != KERN_SUCCESS) {
			entry_unback(map, entry, entry->start, va);
			return rv;
		}
	}
	return KERN_SUCCESS;
}

/*
 * Brings in every entry from `first` to `end` that is not wired yet; all or nothing. The map is
 * not locked: the link out of the last entry, which others may change, is not followed.
 */
static int range_back(vm_map_t map, vm_map_entry_t first, vm_offset_t end)
{
	for (vm_map_entry_t entry = first;; entry = TAILQ_NEXT(entry, list)) {
		int rv = entry->wired_count == 0 ? entry_back(map, entry) : KERN_SUCCESS;

		if (rv != KERN_SUCCESS) {
			for (vm_map_entry_t done = first; done != entry;
			     done = TAILQ_NEXT(done, list))
				if (done->wired_count == 0)
					entry_unback(map, done, done->start, done->end);
			return rv;
		}
		if (entry->end == end)
			return KERN_SUCCESS;
	}
}

/* Every entry of [start, end) has an object to take pages from. */
static bool range_has_objects(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	if (!map_range_covered(map, start, end))
		return false;
	for (vm_map_entry_t entry = map_tree_first_above(map, start);
	     entry != NULL && entry->start < end; entry = TAILQ_NEXT(entry, list))
		if (entry->object.vm_object == NULL)
			return false;
	return true;
}

int map_wire_locked(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	vm_map_entry_t first;
	int rv;

	do {
		if (!range_has_objects(map, start, end))
			return KERN_INVALID_ADDRESS;
	} while (map_transition_wait(map, start, end));
	rv = map_transition_begin(map, start, end, VM_POOL_NORMAL);
	if (rv != KERN_SUCCESS)
		return rv;

	/* The entries of the range, and the list inside it, are ours until the marks are gone. */
	CHECK(vm_map_lookup_entry(map, start, &first));
	vm_map_unlock(map);
	rv = range_back(map, first, end);
	vm_map_lock(map);

	if (rv == KERN_SUCCESS)
		for (vm_map_entry_t entry = first; entry != NULL && entry->start < end;
		     entry = TAILQ_NEXT(entry, list))
			entry->wired_count++;
	map_transition_end(map, start, end);
	return rv;
}

int vm_map_wire(vm_map_t map, vm_offset_t start, vm_offset_t end, int flags)
{
	int rv;

	(void)flags; /* holes are never wired, and the caller is always the system */
	start = trunc_page(start);
	end = round_page(end);
	vm_map_lock(map);
	rv = map_wire_locked(map, start, end);
	vm_map_unlock(map);
	return rv;
}
