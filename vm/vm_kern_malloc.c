/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kmem_malloc: wired memory for the allocators above, with the map locked throughout where that
 * is possible, so that it can be called where sleeping is not allowed.
 */
#include "arch/clock.h"
#include "kernel/sched/sleepq.h"
#include "lib/bits.h"
#include "lib/check.h"
#include "smp/preempt.h"
#include "vm/pmap.h"
#include "vm/uma.h"
#include "vm/vm_kern_debug.h"
#include "vm/vm_kern_private.h"
#include "vm/vm_kern_quarantine.h"
#include "vm/vm_map_private.h"
#include "vm/vm_object.h"
#include "vm/vm_page.h"
#include "vm/vm_pageout.h"

enum { SPACE_ROUNDS = 8 };

/* --- Pages under a range --- */

/* Gives pages [first, end) of the object back: nothing maps them. */
static void pages_return(vm_pindex_t first, vm_pindex_t end)
{
	VM_OBJECT_WLOCK(kmem_object);
	vm_object_page_remove(kmem_object, first, end);
	VM_OBJECT_WUNLOCK(kmem_object);
}

/* Zeroes pages that are ours, unless they are known to be zero. */
static void pages_zero(vm_page_t const *pages, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if ((pages[i]->flags & PG_ZERO) == 0)
			pmap_zero_page(pages[i]);
}

/* Where the first leaves of a range are in the index: they are mapped without another look. */
enum { LEAVES_KNOWN = 5 }; /* 256 pages, wherever they begin */

struct leaves {
	vm_page_t const *pages[LEAVES_KNOWN];
};

/* Where the leaf of an index ends, but no further than `end`. */
static vm_pindex_t leaf_end(vm_pindex_t index, vm_pindex_t end)
{
	vm_pindex_t next = (index | (VM_RADIX_RUN - 1)) + 1;

	return next < end ? next : end;
}

/*
 * Allocates wired pages of the range, from `first` on, as many as there are; returns where they
 * end: `end` if there are enough. The range is the caller's, so they need not be busy. The object
 * is locked for one leaf of its index at a time, so that what takes long is in pieces.
 */
static vm_pindex_t pages_take(vm_pindex_t first, vm_pindex_t end, int flags, struct leaves *leaves)
{
	const int req = kmem_page_request(flags) | VM_ALLOC_WIRED | VM_ALLOC_NOBUSY;

	for (unsigned leaf = 0; first < end; leaf++) {
		unsigned want = (unsigned)(leaf_end(first, end) - first), got = want;
		vm_page_t const *pages;

		VM_OBJECT_WLOCK(kmem_object);
		pages = vm_page_alloc_leaf(kmem_object, first, req, &got);
		VM_OBJECT_WUNLOCK(kmem_object);
		if (leaf < LEAVES_KNOWN)
			leaves->pages[leaf] = pages;
		if (flags & M_ZERO)
			pages_zero(pages, got);
		first += got;
		if (got < want)
			break;
	}
	return first;
}

/*
 * Allocates all of them, waiting for those that are short. The range is in transition, and that is
 * what it takes: the map is unlocked meanwhile.
 */
static void pages_take_all(vm_map_t map, vm_pindex_t first, vm_pindex_t end, int flags)
{
	struct leaves leaves;

	while ((first = pages_take(first, end, flags, &leaves)) < end) {
		vm_map_unlock(map);
		vm_wait(kmem_page_request(flags));
		vm_map_lock(map);
	}
}

/* The pages of the range, which is ours, from an index to the end of its leaf: they stay there. */
static vm_page_t const *leaf_pages(vm_pindex_t index)
{
	vm_page_t const *pages;
	unsigned n;

	VM_OBJECT_WLOCK(kmem_object);
	pages = vm_radix_run(&kmem_object->index, index, &n);
	VM_OBJECT_WUNLOCK(kmem_object);
	return pages;
}

/* Maps the pages. The range has its tables: it cannot fail. `leaves` NULL: to be looked up. */
static void pages_enter(vm_map_t map, vm_pindex_t first, vm_pindex_t end, vm_prot_t prot,
			const struct leaves *leaves)
{
	for (unsigned leaf = 0; first < end; leaf++) {
		vm_pindex_t stop = leaf_end(first, end);
		vm_page_t const *pages =
		    leaves != NULL && leaf < LEAVES_KNOWN ? leaves->pages[leaf] : leaf_pages(first);

		pmap_enter_run(map->pmap, VM_MIN_KERNEL_ADDRESS + ptoa(first), pages,
			       (unsigned)(stop - first), prot);
		first = stop;
	}
}

static vm_prot_t prot_for(int flags)
{
	return flags & M_EXEC ? VM_PROT_READ | VM_PROT_EXECUTE : VM_PROT_RW;
}

/*
 * The usual way: the pages, the range and its mappings in one go, with the map locked, so that what
 * continues the entry before it only makes that longer. The range is free, `prev` is the entry
 * before it. KERN_NO_SPACE without pages.
 */
static int back_at_once(vm_map_t map, vm_map_entry_t prev, vm_offset_t addr, vm_size_t size,
			int flags)
{
	const vm_pindex_t first = atop(addr - VM_MIN_KERNEL_ADDRESS), end = first + atop(size);
	const vm_prot_t prot = prot_for(flags);
	struct leaves leaves;
	vm_pindex_t taken;
	int rv = pmap_growkernel(addr, addr + size);

	if (rv != KERN_SUCCESS)
		return rv;
	taken = pages_take(first, end, flags, &leaves);
	rv = taken == end
		 ? map_insert_wired(map, prev, kmem_object, ptoa(first), addr, addr + size, prot)
		 : KERN_NO_SPACE;
	if (likely(rv == KERN_SUCCESS))
		pages_enter(map, first, end, prot, &leaves);
	else
		pages_return(first, taken);
	return rv;
}

/*
 * The same at its quickest, and most often: the range continues the entry before it, and lies in
 * one leaf of the index. So it lies in one page table, and unless it begins that, the table is
 * there, because the entry's last page has it. False when it is not so, or pages are short: nothing
 * is changed then.
 */
static bool back_by_extending(vm_map_t map, vm_map_entry_t prev, vm_offset_t addr, vm_size_t size,
			      int flags)
{
	const vm_pindex_t first = atop(addr - VM_MIN_KERNEL_ADDRESS);
	const int req = kmem_page_request(flags) | VM_ALLOC_WIRED | VM_ALLOC_NOBUSY;
	const vm_prot_t prot = prot_for(flags);
	vm_page_t const *pages;
	unsigned got = (unsigned)atop(size);

	if (prev == NULL || prev->end != addr || atop(size) > VM_RADIX_RUN - first % VM_RADIX_RUN ||
	    is_aligned(addr, SUPERPAGE_SIZE) || !map_entry_is_wired_kernel(prev, kmem_object, prot))
		return false;
	VM_OBJECT_WLOCK(kmem_object);
	pages = vm_page_alloc_leaf(kmem_object, first, req, &got);
	if (unlikely(got < atop(size)))
		vm_object_page_remove(kmem_object, first, first + got);
	VM_OBJECT_WUNLOCK(kmem_object);
	if (unlikely(got < atop(size)))
		return false;
	if (flags & M_ZERO)
		pages_zero(pages, got);
	map_entry_extend(map, prev, addr + size);
	pmap_enter_run(map->pmap, addr, pages, got, prot);
	return true;
}

/* The way for who waits for pages: the range is in transition meanwhile, with the map unlocked. */
static int back_waiting(vm_map_t map, vm_offset_t addr, vm_size_t size, int flags)
{
	const vm_pindex_t first = atop(addr - VM_MIN_KERNEL_ADDRESS), end = first + atop(size);
	vm_map_entry_t entry;
	int rv;

	rv = kmem_insert(map, kmem_object, addr, size, prot_for(flags));
	if (rv != KERN_SUCCESS)
		return rv;
	CHECK(vm_map_lookup_entry(map, addr, &entry));
	CHECK(entry->start == addr && entry->end == addr + size && entry->wired_count == 0 &&
	      (entry->eflags & MAP_ENTRY_IN_TRANSITION) == 0);
	/* Cannot fail: nothing is split. */
	CHECK_EQ(map_transition_begin(map, addr, addr + size, VM_POOL_NORMAL), KERN_SUCCESS);
	pages_take_all(map, first, end, flags);
	entry->wired_count = 1;
	map_transition_end(map, addr, addr + size); /* merges it with its neighbours */
	pages_enter(map, first, end, prot_for(flags), NULL);
	return KERN_SUCCESS;
}

static int back_behind(vm_map_t map, vm_map_entry_t prev, vm_offset_t addr, vm_size_t size,
		       int flags)
{
	int rv;

	if (likely(back_by_extending(map, prev, addr, size, flags)))
		return KERN_SUCCESS;
	rv = back_at_once(map, prev, addr, size, flags);
	if (rv == KERN_NO_SPACE && (flags & M_WAITOK) != 0)
		rv = back_waiting(map, addr, size, flags);
	return rv;
}

int kmem_back(vm_map_t map, vm_offset_t addr, vm_size_t size, int flags)
{
	vm_map_entry_t prev;
	int rv;

	CHECK(vm_map_locked(map));
	rv = map_range_free(map, addr, addr + size, &prev);
	return rv == KERN_SUCCESS ? back_behind(map, prev, addr, size, flags) : rv;
}

/* --- Address space --- */

/* Somebody who sleeps for addresses may look again. */
void kmem_space_freed(vm_map_t map)
{
	/* Ordered by the map's lock, which the sleeper holds when it counts itself. */
	if (atomic32_load(&map->space_waiters, MO_RELAXED) != 0)
		wakeup(&map->space_waiters);
}

/* Sleeps until somebody frees addresses of the map, at most so long. Map locked. */
static void sleep_for_space(vm_map_t map, uint64_t ns)
{
	atomic32_add(&map->space_waiters, 1, MO_RELAXED);
	if (map->system_map)
		sleep_on_spin(&map->space_waiters, &map->spin, "nokva", ns);
	else
		sleep_on_mutex(&map->space_waiters, &map->mutex, "nokva", ns);
	atomic32_sub(&map->space_waiters, 1, MO_RELAXED);
	vm_map_timestamp_bump(map);
}

/*
 * Looks again whenever something is freed, for so long. A free that is of no use to us, or whose
 * addresses somebody else took, does not end the wait.
 */
static bool find_until(vm_map_t map, vm_size_t size, vm_offset_t *addr, uint64_t ns)
{
	uint64_t deadline = arch_clock_ns() + ns;

	for (;;) {
		uint64_t now;

		if (vm_map_findspace(map, map->min_offset, size, addr) == 0)
			return true;
		now = arch_clock_ns();
		if (now >= deadline)
			return false;
		sleep_for_space(map, deadline - now);
	}
}

static void QUIRE_NORETURN map_too_small(vm_map_t map, vm_size_t size)
{
	char summary[512];

	vm_map_summary(map, summary, sizeof(summary));
	vm_map_unlock(map);
	panic("%s too small: %lu bytes wanted; %s", map->name, (unsigned long)size, summary);
}

/*
 * A place, by all means: each round asks everybody to give memory back and sleeps a little
 * longer. Map locked on entry and on return; interrupted meanwhile.
 */
static vm_offset_t find_by_all_means(vm_map_t map, vm_size_t size)
{
	const uint64_t quarter_second = UINT64_C(1000000000) / 4;
	vm_offset_t addr;

	for (unsigned i = 0; i < SPACE_ROUNDS; i++) {
		vm_map_unlock(map);
		vm_pageout_lowmem();
		uma_reclaim();
		(void)kmem_quarantine_flush();
		vm_map_lock(map);
		if (find_until(map, size, &addr, quarter_second * (i + 1)))
			return addr;
	}
	map_too_small(map, size);
}

/* Map locked. */
static vm_offset_t malloc_locked(vm_map_t map, vm_size_t size, int flags)
{
	vm_map_entry_t prev;
	vm_offset_t addr;

	for (;;) {
		int rv;

		if (map_findspace_behind(map, size, &addr, &prev) != 0) {
			if ((flags & M_WAITOK) == 0)
				return 0;
			addr = find_by_all_means(map, size);
			CHECK_EQ(map_range_free(map, addr, addr + size, &prev), KERN_SUCCESS);
		}
		rv = back_behind(map, prev, addr, size, flags);
		if (rv == KERN_SUCCESS)
			return addr;
		if ((flags & M_WAITOK) == 0)
			return 0;
		/* No memory for the entry itself. */
		vm_map_unlock(map);
		vm_wait(VM_ALLOC_SYSTEM);
		vm_map_lock(map);
	}
}

vm_offset_t kmem_malloc_uncached(vm_map_t map, vm_size_t size, int flags, const void *caller)
{
	vm_offset_t addr;

	if (size == 0 || !round_page_checked(size, &size))
		return 0;
	/* What the map could never hold is the caller's mistake, and no amount of waiting helps. */
	if (size > map->max_offset - map->min_offset && (flags & M_WAITOK) == 0)
		return 0;
	CHECK((flags & M_WAITOK) == 0 || (flags & M_NOWAIT) == 0);
	if (flags & M_WAITOK)
		sleep_check("kmem_malloc(M_WAITOK)");
	vm_map_lock(map);
	addr = malloc_locked(map, size, flags);
	vm_map_unlock(map);
	/* With the map locked no other CPU could be asked for what it has cached. */
	if (addr == 0 && kmem_try_again(kmem_page_request(flags), atop(size))) {
		vm_map_lock(map);
		addr = malloc_locked(map, size, flags);
		vm_map_unlock(map);
	}
	if (addr != 0 && map == kmem_map && kmem_debug())
		kmem_debug_allocated(addr, size, (uintptr_t)caller);
	return addr;
}
