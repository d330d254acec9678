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
		sleep_on_spin(map, &map->spin, message, SLEEP_FOREVER);
	else
		sleep_on_mutex(map, &map->mutex, message, SLEEP_FOREVER);
	vm_map_timestamp_bump(map);
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

enum { SUMMARY_USERS = 4 };

/* Keeps the largest entries, largest first. */
static void summary_rank(vm_map_entry_t *top, vm_map_entry_t entry)
{
	for (unsigned i = 0; i < SUMMARY_USERS; i++) {
		vm_map_entry_t smaller = top[i];

		if (smaller != NULL && smaller->end - smaller->start >= entry->end - entry->start)
			continue;
		top[i] = entry;
		entry = smaller;
		if (entry == NULL)
			return;
	}
}

void vm_map_summary(vm_map_t map, char *buf, size_t size)
{
	vm_map_entry_t top[SUMMARY_USERS] = {NULL}, entry;
	vm_size_t largest = map->head_gap;
	size_t used;

	TAILQ_FOREACH (entry, &map->entries, list) {
		if (entry->gap > largest)
			largest = entry->gap;
		summary_rank(top, entry);
	}
	used = format(buf, size, "%lu of %lu bytes free in %u entries, largest hole %lu; largest:",
		      (unsigned long)(map->max_offset - map->min_offset - map->size),
		      (unsigned long)(map->max_offset - map->min_offset), map->nentries,
		      (unsigned long)largest);
	for (unsigned i = 0; i < SUMMARY_USERS && top[i] != NULL && used < size; i++)
		used +=
		    format(buf + used, size - used, " %#lx+%lu (%s)", (unsigned long)top[i]->start,
			   (unsigned long)(top[i]->end - top[i]->start), entry_kind(top[i]));
}
