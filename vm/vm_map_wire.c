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
#include "vm/vm_kern_private.h"
#include "vm/vm_map_private.h"
#include "vm/vm_object.h"
#include "vm/vm_page.h"

static vm_page_t page_alloc(vm_object_t object, vm_pindex_t pindex)
{
	vm_page_t m;

	VM_OBJECT_WLOCK(object);
	m = vm_page_alloc(object, pindex, VM_ALLOC_SYSTEM | VM_ALLOC_WIRED | VM_ALLOC_ZERO);
	VM_OBJECT_WUNLOCK(object);
	return m;
}

/* Allocates a busy, wired page of zeroes at the index. */
static vm_page_t page_new(vm_object_t object, vm_pindex_t pindex)
{
	vm_page_t m = page_alloc(object, pindex);

	/* With the object locked no other CPU could be asked for what it has cached. */
	if (m == NULL && vm_page_reclaim_for(VM_ALLOC_SYSTEM, 1))
		m = page_alloc(object, pindex);
	if (m == NULL)
		return NULL;
	if ((m->flags & PG_ZERO) == 0)
		pmap_zero_page(m);
	m->valid = VM_PAGE_BITS_ALL;
	return m;
}

/* The page that is at the index already, now busy and wired; or NULL. */
static vm_page_t page_present(vm_object_t object, vm_pindex_t pindex)
{
	vm_page_t m;

	VM_OBJECT_WLOCK(object);
	m = vm_page_lookup(object, pindex);
	if (m != NULL) {
		vm_page_wire(m);
		m->oflags |= VPO_BUSY | VPO_REWIRED;
	}
	VM_OBJECT_WUNLOCK(object);
	return m;
}

/* Did this wiring bring the kernel page in? Pageable ones stay, brought in or not. */
static bool page_is_fresh(vm_object_t object, vm_pindex_t pindex)
{
	return object->type == OBJT_PHYS &&
	       (vm_page_lookup(object, pindex)->oflags & VPO_REWIRED) == 0;
}

/* Where the pages from `first` that are to be treated alike end, at most `end`. */
static vm_pindex_t alike_end(vm_object_t object, vm_pindex_t first, vm_pindex_t end, bool *fresh)
{
	vm_pindex_t i = first + 1;

	VM_OBJECT_WLOCK(object);
	*fresh = page_is_fresh(object, first);
	while (i < end && page_is_fresh(object, i) == *fresh)
		i++;
	VM_OBJECT_WUNLOCK(object);
	return i;
}

/* Takes the wiring of pages [first, end) back; fresh ones are freed. */
static void pages_unwire(vm_object_t object, vm_pindex_t first, vm_pindex_t end, bool fresh)
{
	VM_OBJECT_WLOCK(object);
	if (fresh) {
		vm_object_page_remove(object, first, end);
	} else {
		for (vm_pindex_t i = first; i < end; i++)
			vm_page_unwire(vm_page_lookup(object, i));
	}
	VM_OBJECT_WUNLOCK(object);
}

/*
 * Undoes the wiring of [start, end) of the entry: kernel pages that it brought in go. Pageable
 * ones keep what they hold, and their mappings: somebody may have written there already.
 */
static void entry_unback(vm_map_t map, vm_map_entry_t entry, vm_offset_t start, vm_offset_t end)
{
	vm_object_t object = entry->object.vm_object;
	vm_pindex_t index = atop(entry->offset + (start - entry->start));

	while (start < end) {
		bool fresh;
		vm_pindex_t next = alike_end(object, index, index + atop(end - start), &fresh);
		vm_offset_t stop = start + ptoa(next - index);

		/* It begins and ends where it was entered, so no large leaf needs to be split. */
		if (fresh)
			CHECK_EQ(pmap_remove(map->pmap, start, stop), KERN_SUCCESS);
		pages_unwire(object, index, next, fresh);
		start = stop;
		index = next;
	}
}

/* Kernel memory stays mapped when it is unwired, perhaps as part of a large page, and as its range
 * says: nothing is to be done then. */
static int page_map(vm_map_t map, vm_map_entry_t entry, vm_offset_t va, vm_page_t m)
{
	if (m->object->type == OBJT_PHYS && pmap_extract(map->pmap, va) == VM_PAGE_TO_PHYS(m))
		return KERN_SUCCESS;
	return pmap_enter(map->pmap, va, VM_PROT_NONE, m, entry->protection, true);
}

static int page_back(vm_map_t map, vm_map_entry_t entry, vm_offset_t va)
{
	vm_object_t object = entry->object.vm_object;
	vm_pindex_t pindex = atop(entry->offset + (va - entry->start));
	vm_page_t m = page_present(object, pindex);
	bool fresh = m == NULL && object->type == OBJT_PHYS;
	int rv;

	if (m == NULL)
		m = page_new(object, pindex);
	if (m == NULL)
		return KERN_RESOURCE_SHORTAGE;
	rv = page_map(map, entry, va, m);
	VM_OBJECT_WLOCK(object);
	vm_page_wakeup(m);
	VM_OBJECT_WUNLOCK(object);
	if (rv != KERN_SUCCESS)
		pages_unwire(object, pindex, pindex + 1, fresh);
	return rv;
}

/*
 * 2 MiB at once, where addresses and memory allow: one leaf, and one TLB entry on each CPU. False
 * when they do not; then nothing has changed, and small pages serve.
 */
static bool superpage_back(vm_map_t map, vm_map_entry_t entry, vm_offset_t va)
{
	const unsigned npages = MMU_TABLE_ENTRIES;
	vm_object_t object = entry->object.vm_object;
	vm_pindex_t pindex = atop(entry->offset + (va - entry->start));
	vm_page_t run = NULL;
	vm_pindex_t found;

	if ((va & (SUPERPAGE_SIZE - 1)) != 0 || entry->end - va < SUPERPAGE_SIZE ||
	    object->type != OBJT_PHYS)
		return false;
	VM_OBJECT_WLOCK(object);
	if (vm_radix_lookup_ge(&object->index, pindex, &found) == NULL || found >= pindex + npages)
		run = vm_page_alloc_contig(
		    object, pindex, VM_ALLOC_SYSTEM | VM_ALLOC_WIRED | VM_ALLOC_NOBUSY, npages, 0,
		    ~(vm_paddr_t)0, SUPERPAGE_SIZE, 0, VM_MEMATTR_DEFAULT);
	VM_OBJECT_WUNLOCK(object);
	if (run == NULL)
		return false;
	for (unsigned i = 0; i < npages; i++) {
		if ((run[i].flags & PG_ZERO) == 0)
			pmap_zero_page(&run[i]);
		run[i].valid = VM_PAGE_BITS_ALL;
	}
	if (pmap_enter_large(map->pmap, va, run, entry->protection, true) == KERN_SUCCESS)
		return true;
	pages_unwire(object, pindex, pindex + npages, true);
	return false;
}

/* Backs the whole entry, or leaves it as it was. */
static int entry_back(vm_map_t map, vm_map_entry_t entry)
{
	vm_offset_t va = entry->start;

	while (va < entry->end) {
		int rv;

		if (superpage_back(map, entry, va)) {
			va += SUPERPAGE_SIZE;
			continue;
		}
		rv = page_back(map, entry, va);
		if (rv != KERN_SUCCESS) {
			entry_unback(map, entry, entry->start, va);
			return rv;
		}
		va += PAGE_SIZE;
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

static bool entry_can_be_wired(vm_map_entry_t entry)
{
	return (entry->eflags & MAP_ENTRY_NOFAULT) == 0;
}

static bool entry_is_accessible(vm_map_entry_t entry)
{
	return entry->protection != VM_PROT_NONE;
}

static bool entry_is_wired(vm_map_entry_t entry)
{
	return entry->wired_count != 0;
}

/* Pageable memory that was never touched has no object yet; the entries are ours. */
static int range_need_objects(vm_map_entry_t first, vm_offset_t end)
{
	for (vm_map_entry_t entry = first; entry != NULL && entry->start < end;
	     entry = TAILQ_NEXT(entry, list)) {
		int rv = map_entry_need_object(entry);

		if (rv != KERN_SUCCESS)
			return rv;
	}
	return KERN_SUCCESS;
}

/* Objects that hold nothing, and that nobody else knows, go again: what was one entry before the
 * wiring failed is one again. */
static void range_drop_objects(vm_map_entry_t first, vm_offset_t end)
{
	for (vm_map_entry_t entry = first; entry != NULL && entry->start < end;
	     entry = TAILQ_NEXT(entry, list)) {
		vm_object_t object = entry->object.vm_object;

		if (object == NULL || object->type != OBJT_DEFAULT ||
		    object->resident_page_count != 0 ||
		    atomic32_load(&object->ref_count, MO_RELAXED) != 1)
			continue;
		entry->object.vm_object = NULL;
		entry->offset = 0;
		vm_object_deallocate(object);
	}
}

int map_wire_locked(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	vm_map_entry_t first;
	int rv;

	do {
		if (!map_range_covered(map, start, end) ||
		    !map_range_all(map, start, end, entry_can_be_wired))
			return KERN_INVALID_ADDRESS;
		if (!map_range_all(map, start, end, entry_is_accessible))
			return KERN_PROTECTION_FAILURE;
	} while (map_transition_wait(map, start, end));
	rv = map_transition_begin(map, start, end, VM_POOL_NORMAL);
	if (rv != KERN_SUCCESS)
		return rv;

	/* The entries of the range, and the list inside it, are ours until the marks are gone. */
	CHECK(vm_map_lookup_entry(map, start, &first));
	rv = range_need_objects(first, end);
	if (rv == KERN_SUCCESS) {
		vm_map_unlock(map);
		rv = range_back(map, first, end);
		vm_map_lock(map);
	}
	for (vm_map_entry_t entry = first;
	     rv == KERN_SUCCESS && entry != NULL && entry->start < end;
	     entry = TAILQ_NEXT(entry, list))
		entry->wired_count++;
	if (rv != KERN_SUCCESS)
		range_drop_objects(first, end);
	map_transition_end(map, start, end);
	return rv;
}

int vm_map_wire(vm_map_t map, vm_offset_t start, vm_offset_t end, int flags)
{
	int rv;

	(void)flags; /* holes are never wired, and the caller is always the system */
	start = trunc_page(start);
	end = round_page(end);
	kmem_quarantine_settle(map, start, end);
	vm_map_lock(map);
	rv = map_wire_locked(map, start, end);
	vm_map_unlock(map);
	return rv;
}

/* The last wiring of the entry is gone: its pages may be taken, if they are pageable. */
static void entry_pages_unwire(vm_map_entry_t entry)
{
	vm_object_t object = entry->object.vm_object;
	vm_pindex_t first = atop(entry->offset);

	VM_OBJECT_WLOCK(object);
	for (vm_pindex_t i = 0; i < atop(entry->end - entry->start); i++)
		vm_page_unwire(vm_page_lookup(object, first + i));
	VM_OBJECT_WUNLOCK(object);
}

static int unwire_locked(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	int rv;

	do {
		if (!map_range_covered(map, start, end))
			return KERN_INVALID_ADDRESS;
		if (!map_range_all(map, start, end, entry_is_wired))
			return KERN_INVALID_ARGUMENT;
	} while (map_transition_wait(map, start, end));
	rv = map_transition_begin(map, start, end, VM_POOL_NORMAL);
	if (rv != KERN_SUCCESS)
		return rv;
	for (vm_map_entry_t entry = map_tree_first_above(map, start);
	     entry != NULL && entry->start < end; entry = TAILQ_NEXT(entry, list))
		if (--entry->wired_count == 0)
			entry_pages_unwire(entry);
	map_transition_end(map, start, end);
	return KERN_SUCCESS;
}

int vm_map_unwire(vm_map_t map, vm_offset_t start, vm_offset_t end, int flags)
{
	int rv;

	(void)flags;
	kmem_quarantine_settle(map, start, end);
	vm_map_lock(map);
	rv = unwire_locked(map, trunc_page(start), round_page(end));
	vm_map_unlock(map);
	return rv;
}
