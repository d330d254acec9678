/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps inside of maps: a range of the parent that has a map, a lock and an order of its own.
 */
#include "lib/check.h"
#include "vm/vm_map_private.h"

static struct vm_pool map_pool;

void map_submap_startup(void)
{
	vm_pool_init(&map_pool, "maps", sizeof(struct vm_map), 0, LOCK_RANK_MAP_ENTRIES);
}

vm_map_t vm_map_create(pmap_t pmap, const char *name, vm_offset_t min, vm_offset_t max)
{
	vm_map_t map = (vm_map_t)vm_pool_alloc(&map_pool, VM_POOL_NORMAL, "vm_map_create");

	if (map != NULL)
		vm_map_init(map, name, pmap, min, max, false);
	return map;
}

static bool entry_can_be_submap(vm_map_entry_t entry, vm_offset_t start, vm_offset_t end)
{
	return entry->start <= start && entry->end >= end && entry->eflags == 0 &&
	       entry->object.vm_object == NULL && entry->wired_count == 0 && !entry->charged;
}

/* The entry, which holds the range, becomes the place of `map`. Its neighbours may have been equal,
 * and merged with it: they are split off. */
static int entry_set_submap(vm_map_t parent, vm_map_entry_t entry, vm_offset_t start,
			    vm_offset_t end, vm_map_t map)
{
	if (map_entry_clip_start(parent, entry, start, VM_POOL_NORMAL) != KERN_SUCCESS ||
	    map_entry_clip_end(parent, entry, end, VM_POOL_NORMAL) != KERN_SUCCESS) {
		vm_map_simplify_entry(parent, entry);
		return KERN_RESOURCE_SHORTAGE;
	}
	entry->eflags |= MAP_ENTRY_IS_SUB_MAP;
	entry->object.sub_map = map;
	entry->offset = 0;
	return KERN_SUCCESS;
}

int vm_map_submap(vm_map_t parent, vm_offset_t start, vm_offset_t end, vm_map_t map)
{
	vm_map_entry_t entry;
	int rv = KERN_INVALID_ARGUMENT;

	if (start >= end || map->min_offset != start || map->max_offset != end ||
	    map->pmap != parent->pmap)
		return KERN_INVALID_ARGUMENT;
	vm_map_lock(parent);
	if (vm_map_lookup_entry(parent, start, &entry) && entry_can_be_submap(entry, start, end))
		rv = entry_set_submap(parent, entry, start, end, map);
	vm_map_unlock(parent);
	return rv;
}
