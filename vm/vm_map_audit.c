/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rules of an address map, checked.
 */
#include "kernel/sched/sleepq.h"
#include "lib/check.h"
#include "lib/format.h"
#include "vm/vm_map_private.h"

struct map_audit {
	vm_map_t map;
	void (*report)(const char *line);
	unsigned broken;
};

static void QUIRE_PRINTF(2, 3) broken(struct map_audit *audit, const char *fmt, ...)
{
	char line[192], text[160];
	va_list args;

	va_start(args, fmt);
	format_v(text, sizeof(text), fmt, args);
	va_end(args);
	format(line, sizeof(line), "%s: %s", audit->map->name, text);
	audit->report(line);
	audit->broken++;
}

static void entry_check_bounds(struct map_audit *audit, vm_map_entry_t entry, vm_offset_t before)
{
	if (entry->start >= entry->end || ((entry->start | entry->end) & PAGE_MASK) != 0)
		broken(audit, "entry [%#lx, %#lx) is empty or not whole pages",
		       (unsigned long)entry->start, (unsigned long)entry->end);
	if (entry->start < before)
		broken(audit, "entry at %#lx begins before %#lx", (unsigned long)entry->start,
		       (unsigned long)before);
	if (entry->end > audit->map->max_offset)
		broken(audit, "entry ends at %#lx, outside the map", (unsigned long)entry->end);
	if (entry->protection & ~entry->max_protection)
		broken(audit, "entry at %#lx has more rights than its maximum",
		       (unsigned long)entry->start);
}

static void entry_check_gap(struct map_audit *audit, vm_map_entry_t entry)
{
	vm_map_entry_t next = TAILQ_NEXT(entry, list);
	vm_offset_t after = next != NULL ? next->start : audit->map->max_offset;

	if (entry->gap != after - entry->end)
		broken(audit, "entry at %#lx: gap %#lx, but %#lx bytes are free behind it",
		       (unsigned long)entry->start, (unsigned long)entry->gap,
		       (unsigned long)(after - entry->end));
	if (entry->max_gap != map_tree_max_gap(entry))
		broken(audit, "entry at %#lx: largest gap %#lx, recomputed %#lx",
		       (unsigned long)entry->start, (unsigned long)entry->max_gap,
		       (unsigned long)map_tree_max_gap(entry));
}

static bool equal_neighbours(vm_map_entry_t a, vm_map_entry_t b)
{
	return a->end == b->start && a->eflags == b->eflags &&
	       (a->eflags & (MAP_ENTRY_IN_TRANSITION | MAP_ENTRY_IS_SUB_MAP)) == 0 &&
	       a->object.vm_object == b->object.vm_object &&
	       (a->object.vm_object == NULL || a->offset + (a->end - a->start) == b->offset) &&
	       a->protection == b->protection && a->max_protection == b->max_protection &&
	       a->wired_count == b->wired_count && a->charged == b->charged &&
	       a->has_memattr == b->has_memattr;
}

static void entry_check_marks(struct map_audit *audit, vm_map_entry_t entry)
{
	vm_map_entry_t next = TAILQ_NEXT(entry, list);
	bool transition = (entry->eflags & MAP_ENTRY_IN_TRANSITION) != 0;

	if (next != NULL && equal_neighbours(entry, next))
		broken(audit, "entries meet at %#lx and are equal, but not merged",
		       (unsigned long)entry->end);
	if (!transition && (entry->eflags & MAP_ENTRY_NEEDS_WAKEUP))
		broken(audit, "entry at %#lx has a waiter but is not in transition",
		       (unsigned long)entry->start);
	if (!transition && entry->transition_owner != NULL)
		broken(audit, "entry at %#lx has an owner but is not in transition",
		       (unsigned long)entry->start);
	if ((entry->eflags & MAP_ENTRY_NEEDS_WAKEUP) && sleepq_count(audit->map) == 0)
		broken(audit, "entry at %#lx wants to wake somebody, but nobody sleeps",
		       (unsigned long)entry->start);
}

static void check_submap(struct map_audit *audit, vm_map_entry_t entry)
{
	vm_map_t child = entry->object.sub_map;

	if (child->min_offset != entry->start || child->max_offset != entry->end)
		broken(audit, "entry at %#lx does not cover %s exactly",
		       (unsigned long)entry->start, child->name);
	if (child->pmap != audit->map->pmap)
		broken(audit, "%s has another page table", child->name);
}

static void check_entries(struct map_audit *audit)
{
	vm_map_t map = audit->map;
	vm_map_entry_t entry, first = TAILQ_FIRST(&map->entries);
	vm_offset_t before = map->min_offset;
	vm_size_t size = 0;
	uint32_t count = 0;

	if (map->head_gap != (first != NULL ? first->start : map->max_offset) - map->min_offset)
		broken(audit, "the gap before the first entry is wrong");
	TAILQ_FOREACH (entry, &map->entries, list) {
		entry_check_bounds(audit, entry, before);
		entry_check_gap(audit, entry);
		entry_check_marks(audit, entry);
		if (entry->eflags & MAP_ENTRY_IS_SUB_MAP)
			check_submap(audit, entry);
		before = entry->end;
		size += entry->end - entry->start;
		count++;
	}
	if (count != map->nentries)
		broken(audit, "%u entries in the list, %u counted", count, map->nentries);
	if (size != map->size)
		broken(audit, "entries hold %#lx bytes, %#lx counted", (unsigned long)size,
		       (unsigned long)map->size);
}

/* A red-black tree of n nodes is at most 2 log2(n + 1) deep: 64 is beyond any map. */
enum { TREE_DEPTH_MAX = 64 };

/* Walks the tree in order beside the list; returns the black height, or -1. */
static int check_tree(struct map_audit *audit, vm_map_entry_t node, unsigned depth,
		      vm_map_entry_t *expected)
{
	int left, right;

	if (node == NULL)
		return 0;
	if (depth > TREE_DEPTH_MAX)
		return -1;
	left = check_tree(audit, RB_LEFT(node, tree), depth + 1, expected);
	if (node != *expected)
		broken(audit, "tree and list differ at %#lx", (unsigned long)node->start);
	*expected = TAILQ_NEXT(node, list);
	if (RB_COLOR(node, tree) == RB_RED && RB_PARENT(node, tree) != NULL &&
	    RB_COLOR(RB_PARENT(node, tree), tree) == RB_RED)
		broken(audit, "red entry below a red one at %#lx", (unsigned long)node->start);
	right = check_tree(audit, RB_RIGHT(node, tree), depth + 1, expected);
	if (left < 0 || right < 0 || left != right)
		return -1;
	return left + (RB_COLOR(node, tree) == RB_BLACK);
}

/* The lowest place, found the slow way. */
static bool findspace_linear(vm_map_t map, vm_size_t length, vm_offset_t *addr)
{
	vm_map_entry_t entry;

	*addr = map->min_offset;
	if (map->head_gap >= length)
		return true;
	TAILQ_FOREACH (entry, &map->entries, list) {
		*addr = entry->end;
		if (entry->gap >= length)
			return true;
	}
	return false;
}

static void check_findspace(struct map_audit *audit)
{
	vm_map_t map = audit->map;

	for (vm_size_t length = PAGE_SIZE;
	     length != 0 && length <= map->max_offset - map->min_offset; length *= 2) {
		vm_offset_t tree = 0, linear = 0;
		bool in_tree = vm_map_findspace(map, map->min_offset, length, &tree) == 0;
		bool in_list = findspace_linear(map, length, &linear);

		if (in_tree != in_list || (in_tree && tree != linear))
			broken(audit, "findspace(%#lx) gives %#lx, the lowest place is %#lx",
			       (unsigned long)length, (unsigned long)tree, (unsigned long)linear);
	}
}

static void check_waiters(struct map_audit *audit)
{
	struct vm_map_waiter *first = TAILQ_FIRST(&audit->map->waiters);
	vm_offset_t addr;

	if ((first != NULL) != (audit->map->needs_wakeup != 0))
		broken(audit, "needs_wakeup is %u, but %s waits", audit->map->needs_wakeup,
		       first != NULL ? "somebody" : "nobody");
	/* The first of the queue; those behind wait for their turn. */
	if (first != NULL && sleepq_count(first) != 0 &&
	    vm_map_findspace(audit->map, audit->map->min_offset, first->size, &addr) == 0)
		broken(audit, "a thread sleeps for %#lx bytes, which fit at %#lx",
		       (unsigned long)first->size, (unsigned long)addr);
}

static void audit_locked(struct map_audit *audit)
{
	vm_map_entry_t expected = TAILQ_FIRST(&audit->map->entries);

	check_entries(audit);
	if (check_tree(audit, RB_ROOT(&audit->map->tree), 0, &expected) < 0)
		broken(audit, "the tree is not balanced");
	if (expected != NULL)
		broken(audit, "entry at %#lx is in the list but not in the tree",
		       (unsigned long)expected->start);
	check_findspace(audit);
	check_waiters(audit);
}

unsigned vm_map_audit(vm_map_t map, void (*report)(const char *line))
{
	struct map_audit audit = {map, report, 0};
	vm_map_entry_t entry;

	vm_map_lock(map);
	audit_locked(&audit);
	vm_map_unlock(map);

	/* Submaps stay for ever, so their entries can be followed without the parent's lock. */
	TAILQ_FOREACH (entry, &map->entries, list) {
		if (entry->eflags & MAP_ENTRY_IS_SUB_MAP)
			audit.broken += vm_map_audit(entry->object.sub_map, report);
	}
	return audit.broken;
}
