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
#include "vm/vm_map_private.h"
#include "vm/vm_object.h"
#include "vm/vm_page.h"
#include "vm/vm_pageout.h"

enum { SPACE_ROUNDS = 8 };

/* --- Pages under a range --- */

/* Gives pages [first, end) of the object back, last one first: nothing maps them. */
static void pages_return(vm_pindex_t first, vm_pindex_t end)
{
	VM_OBJECT_WLOCK(kmem_object);
	while (end > first) {
		vm_page_t m = vm_page_lookup(kmem_object, --end);

		vm_page_unwire(m);
		vm_page_free(m);
	}
	VM_OBJECT_WUNLOCK(kmem_object);
}

/* Waits for pages with the map unlocked; the range is in transition, so it stays as it is. */
static void wait_for_pages(vm_map_t map, int req)
{
	vm_map_unlock(map);
	vm_wait(req);
	vm_map_lock(map);
}

/* Allocates all pages of the range, busy and wired. False, with none left, when they are short. */
static bool pages_take(vm_map_t map, vm_offset_t addr, vm_size_t size, int flags)
{
	const vm_pindex_t first = atop(addr - VM_MIN_KERNEL_ADDRESS), end = first + atop(size);
	const int req = kmem_page_request(flags) | VM_ALLOC_WIRED;

	for (vm_pindex_t i = first; i < end;) {
		vm_page_t m;

		VM_OBJECT_WLOCK(kmem_object);
		m = vm_page_alloc(kmem_object, i, req);
		VM_OBJECT_WUNLOCK(kmem_object);
		if (m != NULL) {
			if ((flags & M_ZERO) != 0 && (m->flags & PG_ZERO) == 0)
				pmap_zero_page(m);
			m->valid = VM_PAGE_BITS_ALL;
			i++;
		} else if (flags & M_WAITOK) {
			wait_for_pages(map, req);
		} else {
			pages_return(first, i);
			return false;
		}
	}
	return true;
}

/* Maps the pages and drops their busy marks. The range has its tables: it cannot fail. */
static void pages_enter(vm_map_t map, vm_offset_t addr, vm_size_t size, vm_prot_t prot)
{
	for (vm_offset_t va = addr; va < addr + size; va += PAGE_SIZE) {
		vm_page_t m;

		VM_OBJECT_WLOCK(kmem_object);
		m = vm_page_lookup(kmem_object, atop(va - VM_MIN_KERNEL_ADDRESS));
		VM_OBJECT_WUNLOCK(kmem_object);
		CHECK_EQ(pmap_enter(map->pmap, va, VM_PROT_NONE, m, prot, true), KERN_SUCCESS);
		VM_OBJECT_WLOCK(kmem_object);
		vm_page_wakeup(m);
		VM_OBJECT_WUNLOCK(kmem_object);
	}
}

static vm_prot_t prot_for(int flags)
{
	return flags & M_EXEC ? VM_PROT_READ | VM_PROT_EXECUTE : VM_PROT_RW;
}

int kmem_back(vm_map_t map, vm_offset_t addr, vm_size_t size, int flags)
{
	vm_map_entry_t entry;
	int rv;

	CHECK(vm_map_locked(map));
	rv = kmem_insert(map, kmem_object, addr, size, prot_for(flags));
	if (rv != KERN_SUCCESS)
		return rv;
	CHECK(vm_map_lookup_entry(map, addr, &entry));
	CHECK(entry->start == addr && entry->end == addr + size && entry->wired_count == 0 &&
	      (entry->eflags & MAP_ENTRY_IN_TRANSITION) == 0);
	/* Cannot fail: nothing is split. */
	CHECK_EQ(map_transition_begin(map, addr, addr + size, VM_POOL_NORMAL), KERN_SUCCESS);
	if (!pages_take(map, addr, size, flags)) {
		kmem_discard_entry(map, addr, addr + size);
		return KERN_NO_SPACE;
	}
	entry->wired_count = 1;
	map_transition_end(map, addr, addr + size); /* merges it with its neighbours */
	pages_enter(map, addr, size, prot_for(flags));
	return KERN_SUCCESS;
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
		vm_map_lock(map);
		if (find_until(map, size, &addr, quarter_second * (i + 1)))
			return addr;
	}
	map_too_small(map, size);
}

/* Map locked. */
static vm_offset_t malloc_locked(vm_map_t map, vm_size_t size, int flags)
{
	vm_offset_t addr;

	for (;;) {
		int rv;

		if (vm_map_findspace(map, map->min_offset, size, &addr) != 0) {
			if ((flags & M_WAITOK) == 0)
				return 0;
			addr = find_by_all_means(map, size);
		}
		rv = kmem_back(map, addr, size, flags);
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
	if (addr == 0 && vm_page_reclaim_for(kmem_page_request(flags), atop(size))) {
		vm_map_lock(map);
		addr = malloc_locked(map, size, flags);
		vm_map_unlock(map);
	}
	if (addr != 0 && map == kmem_map && kmem_debug())
		kmem_debug_allocated(addr, size, (uintptr_t)caller);
	return addr;
}
