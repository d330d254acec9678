/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Removal: the one way back for a range.
 *
 * The order is the point. Mappings go first, then every CPU's translations of them, then the
 * pages, and the addresses last: until a step is done, what it guards can be given to nobody
 * else. The map is unlocked for all but the last; the marks keep the range meanwhile.
 */
#include "lib/check.h"
#include "vm/pmap.h"
#include "vm/vm_kern_private.h"
#include "vm/vm_map_private.h"
#include "vm/vm_object.h"
#include "vm/vm_swap.h"

/* Unmaps the entry on every CPU, then frees its pages. The entry is this thread's. */
static int entry_empty(vm_map_t map, vm_map_entry_t entry)
{
	vm_object_t object = entry->object.vm_object;
	vm_pindex_t first = atop(entry->offset);
	int rv;

	rv = pmap_remove(map->pmap, entry->start, entry->end);
	if (rv != KERN_SUCCESS || object == NULL)
		return rv;
	if (entry->has_memattr)
		pmap_object_restore_memattr(object, first, first + atop(entry->end - entry->start));
	VM_OBJECT_WLOCK(object);
	vm_object_page_remove(object, first, first + atop(entry->end - entry->start));
	VM_OBJECT_WUNLOCK(object);
	return KERN_SUCCESS;
}

/*
 * Empties the marked entries of a run from `entry` to `end`, and sets *done to where it got: less
 * than `end` when one cannot be emptied. What lies behind the run may change meanwhile, so the
 * link out of its last entry is not followed.
 */
static int run_empty(vm_map_t map, vm_map_entry_t entry, vm_offset_t end, vm_offset_t *done)
{
	int rv;

	for (;;) {
		*done = entry->start;
		rv = entry_empty(map, entry);
		if (rv != KERN_SUCCESS)
			return rv;
		*done = entry->end;
		if (entry->end == end)
			return KERN_SUCCESS;
		entry = TAILQ_NEXT(entry, list);
	}
}

/* Takes the emptied entries of [start, end) out of the map. */
static void run_unlink(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	vm_map_entry_t entry = map_tree_first_above(map, start);
	bool wake = false;

	while (entry != NULL && entry->start < end) {
		vm_map_entry_t next = TAILQ_NEXT(entry, list);

		CHECK(entry->transition_owner == thread_current());
		wake |= (entry->eflags & MAP_ENTRY_NEEDS_WAKEUP) != 0;
		map_tree_unlink(map, entry);
		if (entry->charged)
			swap_release(entry->end - entry->start);
		map_entry_dispose(entry);
		entry = next;
	}
	if (wake)
		vm_map_wakeup(map);
}

/* Where the entries without a hole that begin with `first` end, at most `end`. */
static vm_offset_t run_end(vm_map_entry_t first, vm_offset_t end)
{
	vm_map_entry_t entry = first;

	while (entry->end < end && entry->gap == 0 && TAILQ_NEXT(entry, list) != NULL)
		entry = TAILQ_NEXT(entry, list);
	return entry->end < end ? entry->end : end;
}

/* Deletes [start, end), which is covered by entries without a hole. */
static int run_delete(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	vm_map_entry_t first;
	vm_offset_t done;
	int rv;

	rv = map_transition_begin(map, start, end, VM_POOL_RESERVE);
	if (rv != KERN_SUCCESS)
		return rv;
	CHECK(vm_map_lookup_entry(map, start, &first));
	vm_map_unlock(map);
	rv = run_empty(map, first, end, &done);
	vm_pool_refill(&map_entry_pool);
	vm_map_lock(map);
	run_unlink(map, start, done);
	if (done < end)
		map_transition_end(map, done, end);
	return rv;
}

int vm_map_delete(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	vm_map_entry_t entry;

	CHECK(vm_map_locked(map));
	start = trunc_page(start);
	end = round_page(end);
	if (start < end && map_range_has_submap(map, start, end))
		return KERN_INVALID_ARGUMENT;
	while (start < end) {
		vm_offset_t run_start, run_stop;
		int rv;

		map_transition_wait(map, start, end);
		entry = map_tree_first_above(map, start);
		if (entry == NULL || entry->start >= end)
			break;
		run_start = entry->start > start ? entry->start : start;
		run_stop = run_end(entry, end);
		rv = run_delete(map, run_start, run_stop);
		if (rv != KERN_SUCCESS)
			return rv;
		start = run_stop;
	}
	return KERN_SUCCESS;
}

int vm_map_remove(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	int rv;

	kmem_quarantine_settle(map, start, end);
	vm_map_lock(map);
	if (start < map->min_offset)
		start = map->min_offset;
	if (end > map->max_offset)
		end = map->max_offset;
	rv = vm_map_delete(map, start, end);
	vm_map_unlock(map);
	return rv;
}
