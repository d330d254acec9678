/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Work on a range with the map unlocked.
 *
 * Wiring pages and shooting translations down take too long for a lock under which interrupts are
 * off, and must not happen under one at all. So the thread that works on a range marks its
 * entries in transition, unlocks, works, locks again and clears the mark. Until then the range
 * and its objects are its own: nobody else splits, merges, removes or reuses them; who needs them
 * sets the needs-wakeup mark and sleeps on the map.
 */
#include "lib/check.h"
#include "lib/planted.h"
#include "vm/vm_map_private.h"

bool map_transition_wait(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	bool waited = false;
	vm_map_entry_t entry = map_tree_first_above(map, start);

	if (PLANTED(transition_not_waited))
		return false;
	while (entry != NULL && entry->start < end) {
		if (entry->eflags & MAP_ENTRY_IN_TRANSITION) {
			CHECK(entry->transition_owner != thread_current());
			entry->eflags |= MAP_ENTRY_NEEDS_WAKEUP;
			vm_map_unlock_and_wait(map, "vmtran");
			waited = true;
			entry = map_tree_first_above(map, start);
		} else {
			entry = TAILQ_NEXT(entry, list);
		}
	}
	return waited;
}

/* Splits so that no entry crosses start or end. */
static int range_clip(vm_map_t map, vm_offset_t start, vm_offset_t end, int how)
{
	vm_map_entry_t first, last;
	int rv;

	if (vm_map_lookup_entry(map, start, &first)) {
		rv = map_entry_clip_start(map, first, start, how);
		if (rv != KERN_SUCCESS)
			return rv;
	}
	if (!vm_map_lookup_entry(map, end - 1, &last))
		return KERN_SUCCESS;
	rv = map_entry_clip_end(map, last, end, how);
	if (rv != KERN_SUCCESS && vm_map_lookup_entry(map, start, &first))
		vm_map_simplify_entry(map, first);
	return rv;
}

int map_transition_begin(vm_map_t map, vm_offset_t start, vm_offset_t end, int how)
{
	int rv = range_clip(map, start, end, how);

	if (rv != KERN_SUCCESS)
		return rv;
	for (vm_map_entry_t entry = map_tree_first_above(map, start);
	     entry != NULL && entry->start < end; entry = TAILQ_NEXT(entry, list)) {
		CHECK((entry->eflags & MAP_ENTRY_IN_TRANSITION) == 0);
		entry->eflags |= MAP_ENTRY_IN_TRANSITION;
		entry->transition_owner = thread_current();
	}
	return KERN_SUCCESS;
}

void map_transition_end(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	vm_map_entry_t entry = map_tree_first_above(map, start);
	bool wake = false;

	while (entry != NULL && entry->start < end) {
		CHECK(entry->eflags & MAP_ENTRY_IN_TRANSITION);
		CHECK(entry->transition_owner == thread_current());
		wake |= (entry->eflags & MAP_ENTRY_NEEDS_WAKEUP) != 0;
		entry->eflags &= (vm_eflags_t) ~(MAP_ENTRY_IN_TRANSITION | MAP_ENTRY_NEEDS_WAKEUP);
		entry->transition_owner = NULL;
		/* Merges with the one before, which is done; the one behind is still marked. */
		entry = TAILQ_NEXT(vm_map_simplify_entry(map, entry), list);
	}
	if (wake)
		vm_map_wakeup(map);
}

bool map_range_covered(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	vm_map_entry_t entry;

	if (start < map->min_offset || end > map->max_offset || start >= end)
		return false;
	if (!vm_map_lookup_entry(map, start, &entry))
		return false;
	while ((entry->eflags & MAP_ENTRY_IS_SUB_MAP) == 0) {
		if (entry->end >= end)
			return true;
		if (entry->gap != 0)
			return false;
		entry = TAILQ_NEXT(entry, list);
		if (entry == NULL)
			return false;
	}
	return false;
}

bool map_range_all(vm_map_t map, vm_offset_t start, vm_offset_t end, bool (*is)(vm_map_entry_t))
{
	for (vm_map_entry_t entry = map_tree_first_above(map, start);
	     entry != NULL && entry->start < end; entry = TAILQ_NEXT(entry, list))
		if (!is(entry))
			return false;
	return true;
}

static bool entry_is_no_submap(vm_map_entry_t entry)
{
	return (entry->eflags & MAP_ENTRY_IS_SUB_MAP) == 0;
}

bool map_range_has_submap(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	return !map_range_all(map, start, end, entry_is_no_submap);
}
