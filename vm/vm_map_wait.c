/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waiting for a map to change, and naming what is in it.
 */
#include "kernel/sched/sleepq.h"
#include "lib/check.h"
#include "lib/format.h"
#include "vm/vm_map_private.h"
#include "vm/vm_object.h"

void vm_map_unlock_and_wait(vm_map_t map, const char *message)
{
	CHECK(vm_map_locked(map));
	if (map->system_map)
		sleep_on_spin(map, &map->lock.spin, message, SLEEP_FOREVER);
	else
		sleep_on_mutex(map, &map->lock.mutex, message, SLEEP_FOREVER);
	/* Others held the lock meanwhile. */
	map->timestamp++;
}

void vm_map_wakeup(vm_map_t map)
{
	wakeup(map);
}

static const char *entry_kind(vm_map_entry_t entry)
{
	if (entry->eflags & MAP_ENTRY_IS_SUB_MAP)
		return entry->object.sub_map->name;
	if (entry->object.vm_object != NULL)
		return entry->object.vm_object->name;
	return entry->eflags & MAP_ENTRY_NOFAULT ? "no-fault range" : "no object";
}

void vm_map_describe(vm_map_t map, vm_offset_t addr, char *buf, size_t size)
{
	vm_map_entry_t entry;

	if (addr < map->min_offset || addr >= map->max_offset) {
		format(buf, size, "outside %s", map->name);
		return;
	}
	if (vm_map_lookup_entry(map, addr, &entry)) {
		format(buf, size, "%s [%#lx, %#lx) %s%s", map->name, (unsigned long)entry->start,
		       (unsigned long)entry->end, entry_kind(entry),
		       entry->wired_count != 0 ? ", wired" : "");
		return;
	}
	format(buf, size, "%s: free, after %#lx", map->name,
	       (unsigned long)(entry != NULL ? entry->end : map->min_offset));
}
