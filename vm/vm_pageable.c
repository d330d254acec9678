/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hand goes round through the addresses of kernel_map and its submaps. Where it meets a page
 * that was touched since it last came by, it clears the page table's accessed flag; where the flag
 * is still clear when it comes again, the page is taken (the second-chance algorithm, Corbato,
 * "A Paging Experiment with the Multics System", 1968).
 *
 * No shootdown follows the clearing of an accessed flag. A CPU that remembers the translation
 * touches the page and does not set the flag again, so the page may be taken although it is in
 * use. That is harmless: it is clean, so the next touch faults and finds the same zeroes in
 * another page. It costs a fault, where a shootdown would cost an interrupt on every CPU for each
 * page that is looked at.
 *
 * The dirty flag decides about contents and has no such leeway. It is never cleared while the page
 * is mapped. A CPU that remembers a clean translation walks the page table when it writes, to set
 * the flag (Intel SDM vol. 3A 4.8); so once the entry is empty no first write can succeed any
 * more, and a write that was faster has left its mark in the value which emptying returned. Hence
 * the order: the range is put in transition, the entries are emptied, every CPU forgets them, and
 * then what was dirty after all is put back and the rest is freed. Who touches a page meanwhile
 * faults and waits for the transition to end.
 *
 * The mark is set on the whole map entry, so that nothing is split: that would need memory, which
 * is what is short. But no more than WINDOW_PAGES of it are worked on at a time, so that those
 * faults do not wait for long.
 */
#include "vm/vm_pageable.h"

#include "arch/atomic.h"
#include "arch/physmap.h"
#include "lib/check.h"
#include "lib/planted.h"
#include "smp/shootdown.h"
#include "vm/pmap_pageable.h"
#include "vm/vm_kern.h"
#include "vm/vm_map_private.h"
#include "vm/vm_object.h"
#include "vm/vm_page.h"
#include "vm/vm_pageout.h"

enum {
	WINDOW_PAGES = 512,
	BATCH_PAGES = SHOOTDOWN_RANGE_PAGES_MAX,
	ROUNDS = 2,
};

/* A page whose entry was emptied. */
struct taken {
	vm_page_t page;
	vm_offset_t va;
	pte_t leaf; /* what its entry was */
};

struct batch {
	unsigned count;
	struct taken pages[BATCH_PAGES]; /* ascending addresses */
};

/* One call. */
struct scan {
	uint64_t wanted, taken, looked;
	vm_offset_t end; /* goes no further */
};

/* (a) atomic: the hand is only a hint, the rest statistics. */
static struct {
	struct atomic64 hand; /* (a) address */
	struct atomic64 looked, idle, taken, put_back;
} pageable;

void vm_pageable_init(void)
{
	atomic64_store(&pageable.hand, 0, MO_RELAXED);
	atomic64_store(&pageable.looked, 0, MO_RELAXED);
	atomic64_store(&pageable.idle, 0, MO_RELAXED);
	atomic64_store(&pageable.taken, 0, MO_RELAXED);
	atomic64_store(&pageable.put_back, 0, MO_RELAXED);
}

static void count(struct atomic64 *counter, uint64_t n)
{
	atomic64_add(counter, n, MO_RELAXED);
}

/* --- One window of an entry, which is in transition and this thread's; the map is unlocked --- */

/* Empties the page's entry if it can be taken. The object is locked. */
static void page_look(struct batch *batch, pmap_t pmap, vm_page_t m, vm_offset_t va)
{
	unsigned level;
	pte_t leaf = pmap_leaf(pmap, va, &level);

	/* A page that lost its mapping may have been written through it. */
	if (leaf == 0 || level != 1 || (leaf & PTE_DIRTY) != 0 || m->wire_count != 0)
		return;
	count(&pageable.idle, 1);
	if (leaf & PTE_ACCESSED) {
		pmap_clear_accessed(pmap, va);
		return;
	}
	batch->pages[batch->count++] =
	    (struct taken){.page = m, .va = va, .leaf = pmap_take_leaf(pmap, va)};
}

/* Looks at pages from *va to end until the batch is full or large enough; *va is where it got. */
static void window_look(struct scan *scan, struct batch *batch, vm_map_t map, vm_map_entry_t entry,
			vm_offset_t *va, vm_offset_t end)
{
	vm_object_t object = entry->object.vm_object;
	vm_pindex_t base = atop(entry->offset);

	while (*va < end && batch->count < BATCH_PAGES &&
	       batch->count < scan->wanted - scan->taken) {
		vm_pindex_t pindex = base + atop(*va - entry->start);
		vm_page_t m;

		VM_OBJECT_WLOCK(object);
		m = vm_radix_lookup_ge(&object->index, pindex, &pindex);
		*va = m != NULL ? entry->start + ptoa(pindex - base) : end;
		if (*va < end) {
			page_look(batch, map->pmap, m, *va);
			scan->looked++;
			*va += PAGE_SIZE;
		}
		VM_OBJECT_WUNLOCK(object);
	}
	if (*va > end)
		*va = end;
}

#ifdef QUIRE_DEBUG
static void check_zero(const struct taken *taken)
{
	const uint64_t *words = (const uint64_t *)arch_physmap(VM_PAGE_TO_PHYS(taken->page));

	for (unsigned i = 0; i < PAGE_SIZE / sizeof(*words); i++)
		if (words[i] != 0)
			panic("pageable %#lx was never written, but has %#llx at offset %#lx",
			      (unsigned long)taken->va, (unsigned long long)words[i],
			      (unsigned long)(i * sizeof(*words)));
}
#endif

/* No CPU reaches the page any more. */
static uint64_t page_finish(pmap_t pmap, vm_object_t object, const struct taken *taken)
{
	if ((taken->leaf & PTE_DIRTY) && !PLANTED(dirty_page_taken)) {
		pmap_put_leaf_back(pmap, taken->va, taken->leaf);
		count(&pageable.put_back, 1);
		return 0;
	}
#ifdef QUIRE_DEBUG
	check_zero(taken);
#endif
	VM_OBJECT_WLOCK(object);
	vm_page_free(taken->page);
	VM_OBJECT_WUNLOCK(object);
	return 1;
}

static uint64_t batch_finish(const struct batch *batch, pmap_t pmap, vm_object_t object)
{
	uint64_t taken = 0;

	if (batch->count == 0)
		return 0;
	shootdown_range(batch->pages[0].va, batch->pages[batch->count - 1].va + PAGE_SIZE,
			SHOOTDOWN_FREE);
	for (unsigned i = 0; i < batch->count; i++)
		taken += page_finish(pmap, object, &batch->pages[i]);
	return taken;
}

/* Works on a window of the entry, from va. Map locked; unlocked on return. Where it got. */
static vm_offset_t entry_scan(struct scan *scan, vm_map_t map, vm_map_entry_t entry, vm_offset_t va)
{
	vm_offset_t start = entry->start, end = entry->end;
	vm_offset_t stop = end - va < ptoa(WINDOW_PAGES) ? end : va + ptoa(WINDOW_PAGES);
	struct batch batch = {.count = 0};

	/* Nothing is split, so it cannot fail. */
	CHECK_EQ(map_transition_begin(map, start, end, VM_POOL_NORMAL), KERN_SUCCESS);
	vm_map_unlock(map);
	window_look(scan, &batch, map, entry, &va, stop);
	scan->taken += batch_finish(&batch, map->pmap, entry->object.vm_object);
	vm_map_lock(map);
	map_transition_end(map, start, end);
	vm_map_unlock(map);
	return va;
}

/* --- Maps --- */

static bool entry_has_candidates(vm_map_entry_t entry)
{
	if (entry->eflags & MAP_ENTRY_IS_SUB_MAP)
		return true;
	return (entry->eflags & (MAP_ENTRY_NOFAULT | MAP_ENTRY_IN_TRANSITION)) == 0 &&
	       entry->wired_count == 0 && entry->object.vm_object != NULL &&
	       entry->object.vm_object->type == OBJT_DEFAULT;
}

static vm_map_entry_t first_candidate(vm_map_t map, vm_offset_t va)
{
	vm_map_entry_t entry = map_tree_first_above(map, va);

	while (entry != NULL && !entry_has_candidates(entry))
		entry = TAILQ_NEXT(entry, list);
	return entry;
}

static bool scan_done(const struct scan *scan, vm_offset_t va)
{
	return scan->taken >= scan->wanted || va >= scan->end;
}

/* From va to the end of the map, or until the scan is done; returns where that is. The depth is
 * that of maps in maps. */
static vm_offset_t map_scan(struct scan *scan, vm_map_t map, vm_offset_t va)
{
	while (va < map->max_offset && !scan_done(scan, va)) {
		vm_map_entry_t entry;

		vm_map_lock(map);
		entry = first_candidate(map, va);
		if (entry == NULL) {
			vm_map_unlock(map);
			return map->max_offset;
		}
		if (va < entry->start)
			va = entry->start;
		if (entry->eflags & MAP_ENTRY_IS_SUB_MAP) {
			vm_map_t submap = entry->object.sub_map; /* for ever, as its range is */
			vm_offset_t end = entry->end;

			vm_map_unlock(map);
			va = map_scan(scan, submap, va);
			if (va >= submap->max_offset)
				va = end;
		} else {
			va = entry_scan(scan, map, entry, va);
		}
	}
	return va;
}

/* Once round from `hand`; returns where it stopped. */
static vm_offset_t round_scan(struct scan *scan, vm_offset_t hand)
{
	vm_offset_t va;

	scan->end = kernel_map->max_offset;
	va = map_scan(scan, kernel_map, hand);
	if (!scan_done(scan, kernel_map->min_offset) && va >= scan->end) {
		scan->end = hand;
		va = map_scan(scan, kernel_map, kernel_map->min_offset);
	}
	return va;
}

uint64_t vm_pageable_scan(uint64_t wanted)
{
	struct scan scan = {.wanted = wanted};
	vm_offset_t hand = atomic64_load(&pageable.hand, MO_RELAXED);

	if (hand < kernel_map->min_offset || hand >= kernel_map->max_offset)
		hand = kernel_map->min_offset;
	for (unsigned i = 0; i < ROUNDS && scan.taken < wanted; i++)
		hand = round_scan(&scan, hand);
	atomic64_store(&pageable.hand, hand, MO_RELAXED);
	count(&pageable.looked, scan.looked);
	count(&pageable.taken, scan.taken);
	vm_pageout_count_aged(scan.looked);
	return scan.taken;
}

void vm_pageable_stats(struct vm_pageable_stats *stats)
{
	stats->looked = atomic64_load(&pageable.looked, MO_RELAXED);
	stats->idle = atomic64_load(&pageable.idle, MO_RELAXED);
	stats->taken = atomic64_load(&pageable.taken, MO_RELAXED);
	stats->put_back = atomic64_load(&pageable.put_back, MO_RELAXED);
}
