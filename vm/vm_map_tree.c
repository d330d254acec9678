/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The entries of a map, sorted: a list for neighbours, and a red-black tree for search.
 *
 * Each entry knows the gap behind it, and the largest gap in its subtree, so that the lowest
 * place for a given length is found by walking down once. The tree is libbsd's; its RB_AUGMENT
 * hook recomputes a node when a rotation gives it other children. A removal tells only the parent
 * of the place where the tree changed, so everything above it is recomputed here: the neighbours
 * of a removed entry lie below every node whose subtree lost it.
 */
#include "lib/check.h"
#include "vm/vm_map_private.h"

static vm_size_t max_size(vm_size_t a, vm_size_t b)
{
	return a > b ? a : b;
}

vm_size_t map_tree_max_gap(vm_map_entry_t entry)
{
	vm_map_entry_t left = RB_LEFT(entry, tree), right = RB_RIGHT(entry, tree);
	vm_size_t gap = entry->gap;

	if (left != NULL)
		gap = max_size(gap, left->max_gap);
	if (right != NULL)
		gap = max_size(gap, right->max_gap);
	return gap;
}

static void entry_update(vm_map_entry_t entry)
{
	entry->max_gap = map_tree_max_gap(entry);
}

static int entry_compare(const struct vm_map_entry *a, const struct vm_map_entry *b)
{
	return a->start < b->start ? -1 : a->start > b->start;
}

#undef RB_AUGMENT
#define RB_AUGMENT(entry) entry_update(entry)
RB_GENERATE_INTERNAL(vm_map_tree, vm_map_entry, tree, entry_compare, QUIRE_UNUSED static)

/* Recomputes everything from the entry up to the root. */
static void path_update(vm_map_entry_t entry)
{
	for (; entry != NULL; entry = RB_PARENT(entry, tree))
		entry_update(entry);
}

/* The same after a change of this entry's own gap: above one that stays as it was so do all. */
static void gap_changed(vm_map_entry_t entry)
{
	for (; entry != NULL; entry = RB_PARENT(entry, tree)) {
		vm_size_t before = entry->max_gap;

		entry_update(entry);
		if (entry->max_gap == before)
			break;
	}
}

void map_tree_init(vm_map_t map)
{
	RB_INIT(&map->tree);
	TAILQ_INIT(&map->entries);
	map->head_gap = map->max_offset - map->min_offset;
	map->nentries = 0;
	map->size = 0;
}

static void gap_before_set(vm_map_t map, vm_map_entry_t prev, vm_size_t gap)
{
	if (prev == NULL) {
		map->head_gap = gap;
		return;
	}
	prev->gap = gap;
	path_update(prev);
}

void map_tree_link(vm_map_t map, vm_map_entry_t prev, vm_map_entry_t entry)
{
	vm_map_entry_t next = prev != NULL ? TAILQ_NEXT(prev, list) : TAILQ_FIRST(&map->entries);
	vm_offset_t before = prev != NULL ? prev->end : map->min_offset;
	vm_offset_t after = next != NULL ? next->start : map->max_offset;

	CHECK_LE(before, entry->start);
	CHECK_LT(entry->start, entry->end);
	CHECK_LE(entry->end, after);
	if (prev != NULL)
		TAILQ_INSERT_AFTER(&map->entries, prev, entry, list);
	else
		TAILQ_INSERT_HEAD(&map->entries, entry, list);
	entry->gap = after - entry->end;
	entry->max_gap = entry->gap;
	CHECK(vm_map_tree_RB_INSERT(&map->tree, entry) == NULL);
	path_update(entry);
	gap_before_set(map, prev, entry->start - before);
	map->nentries++;
	map->size += entry->end - entry->start;
}

void map_tree_unlink(vm_map_t map, vm_map_entry_t entry)
{
	vm_map_entry_t prev = TAILQ_PREV(entry, vm_map_list, list);
	vm_map_entry_t next = TAILQ_NEXT(entry, list);
	vm_offset_t before = prev != NULL ? prev->end : map->min_offset;
	vm_offset_t after = next != NULL ? next->start : map->max_offset;

	TAILQ_REMOVE(&map->entries, entry, list);
	vm_map_tree_RB_REMOVE(&map->tree, entry);
	path_update(next);
	gap_before_set(map, prev, after - before);
	map->nentries--;
	map->size -= entry->end - entry->start;
}

void map_tree_set_end(vm_map_t map, vm_map_entry_t entry, vm_offset_t end)
{
	vm_offset_t limit = entry->end + entry->gap;

	CHECK_LT(entry->start, end);
	CHECK_LE(end, limit);
	map->size += end - entry->end;
	entry->end = end;
	entry->gap = limit - end;
	gap_changed(entry);
}

bool vm_map_lookup_entry(vm_map_t map, vm_offset_t addr, vm_map_entry_t *found)
{
	vm_map_entry_t entry = RB_ROOT(&map->tree), before = NULL;

	while (entry != NULL) {
		if (addr < entry->start) {
			entry = RB_LEFT(entry, tree);
		} else {
			before = entry;
			if (addr < entry->end)
				break;
			entry = RB_RIGHT(entry, tree);
		}
	}
	*found = before;
	return before != NULL && addr < before->end;
}

vm_map_entry_t map_tree_first_above(vm_map_t map, vm_offset_t addr)
{
	vm_map_entry_t entry;

	if (vm_map_lookup_entry(map, addr, &entry))
		return entry;
	return entry != NULL ? TAILQ_NEXT(entry, list) : TAILQ_FIRST(&map->entries);
}

/* The lowest entry of the subtree with a gap of at least `length`; the subtree has one. */
static vm_map_entry_t gap_lowest(vm_map_entry_t entry, vm_size_t length)
{
	for (;;) {
		vm_map_entry_t left = RB_LEFT(entry, tree);

		if (left != NULL && left->max_gap >= length)
			entry = left;
		else if (entry->gap >= length)
			return entry;
		else
			entry = RB_RIGHT(entry, tree);
	}
}

/* The lowest entry behind `entry` with a gap of at least `length`, or NULL. */
static vm_map_entry_t gap_next(vm_map_entry_t entry, vm_size_t length)
{
	vm_map_entry_t right = RB_RIGHT(entry, tree);

	if (right != NULL && right->max_gap >= length)
		return gap_lowest(right, length);
	for (;;) {
		vm_map_entry_t parent = RB_PARENT(entry, tree);

		if (parent == NULL)
			return NULL;
		if (entry == RB_LEFT(parent, tree)) {
			if (parent->gap >= length)
				return parent;
			right = RB_RIGHT(parent, tree);
			if (right != NULL && right->max_gap >= length)
				return gap_lowest(right, length);
		}
		entry = parent;
	}
}

/* The place, and the entry before it. */
static int space_find(vm_map_t map, vm_offset_t start, vm_size_t length, vm_offset_t *addr,
		      vm_map_entry_t *prev)
{
	vm_map_entry_t entry;
	vm_offset_t limit;

	/* The gap that start lies in, or that follows the entry that holds start. */
	if (vm_map_lookup_entry(map, start, &entry))
		start = entry->end;
	limit = entry != NULL ? entry->end + entry->gap : map->min_offset + map->head_gap;
	if (limit - start < length) { /* any gap behind that one */
		if (entry != NULL)
			entry = gap_next(entry, length);
		else if (!RB_EMPTY(&map->tree) && RB_ROOT(&map->tree)->max_gap >= length)
			entry = gap_lowest(RB_ROOT(&map->tree), length);
		if (entry == NULL)
			return 1;
		start = entry->end;
	}
	*addr = start;
	*prev = entry;
	return 0;
}

int vm_map_findspace(vm_map_t map, vm_offset_t start, vm_size_t length, vm_offset_t *addr)
{
	vm_map_entry_t prev;

	if (start < map->min_offset)
		start = map->min_offset;
	if (length == 0 || start >= map->max_offset || length > map->max_offset - start)
		return 1;
	return space_find(map, start, length, addr, &prev);
}

int map_findspace_behind(vm_map_t map, vm_size_t length, vm_offset_t *addr, vm_map_entry_t *prev)
{
	vm_map_entry_t root = RB_ROOT(&map->tree);

	if (map->head_gap >= length) {
		*addr = map->min_offset;
		*prev = NULL;
		return 0;
	}
	if (root == NULL || root->max_gap < length)
		return 1;
	*prev = gap_lowest(root, length);
	*addr = (*prev)->end;
	return 0;
}
