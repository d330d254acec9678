/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's own memory: kernel_map, and the functions that everybody calls.
 *
 * kmem_alloc reserves a range and wires it without letting the map's lock go in between, so that
 * a neighbour's range that is being filled is never taken for a part of it. When the range is
 * wired it equals its neighbours and merges with them: a thousand allocations side by side are
 * one map entry.
 */
#include "vm/vm_kern.h"

#include "arch/atomic.h"
#include "lib/bits.h"
#include "lib/check.h"
#include "lib/format.h"
#include "vm/pmap.h"
#include "vm/vm_kern_debug.h"
#include "vm/vm_kern_private.h"
#include "vm/vm_kern_quarantine.h"
#include "vm/vm_map_private.h"
#include "vm/vm_object.h"
#include "vm/vm_page.h"

static struct vm_map kernel_map_store;
vm_map_t kernel_map;

void kmem_init(vm_offset_t start, vm_offset_t end)
{
	vm_map_t map = &kernel_map_store;
	int rv;

	CHECK_LE(KERNBASE, start);
	CHECK_LE(start, end);
	vm_map_init(map, "kernel_map", kernel_pmap, VM_MIN_KERNEL_ADDRESS, end, true);
	vm_map_lock(map);
	/* Published before the first insert, which may ask for it while it grows the tables. */
	kernel_map = map;
	rv = vm_map_insert(map, NULL, 0, KERNBASE, start, VM_PROT_RW, VM_PROT_ALL, MAP_NOFAULT);
	vm_map_unlock(map);
	if (rv != KERN_SUCCESS)
		panic("kmem_init: the kernel image cannot be put into kernel_map (error %d)", rv);
	kmem_init_zero_region();
}

vm_offset_t kmem_alloc_nofault_space(vm_map_t map, vm_size_t size, int find_space)
{
	vm_offset_t addr = map->min_offset;

	if (size == 0 || !round_page_checked(size, &size))
		return 0;
	if (vm_map_find(map, NULL, 0, &addr, size, find_space, VM_PROT_RW, VM_PROT_ALL,
			MAP_NOFAULT) != KERN_SUCCESS)
		return 0;
	return addr;
}

vm_offset_t kmem_alloc_nofault(vm_map_t map, vm_size_t size)
{
	return kmem_alloc_nofault_space(map, size, VMFS_ANY_SPACE);
}

/*
 * A split that finds no memory for an entry finds the reserve in the hands of other removals,
 * which end without us and bring their entries back.
 */
void kmem_delete_certainly(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	while (vm_map_delete(map, start, end) != KERN_SUCCESS) {
		vm_map_unlock(map);
		thread_yield();
		vm_map_lock(map);
	}
}

int kmem_insert(vm_map_t map, vm_object_t object, vm_offset_t addr, vm_size_t size, vm_prot_t prot)
{
	int rv;

	vm_object_reference(object);
	rv = vm_map_insert(map, object, addr - VM_MIN_KERNEL_ADDRESS, addr, addr + size, prot,
			   VM_PROT_ALL, MAP_INSERT_ALONE);
	if (rv != KERN_SUCCESS)
		vm_object_deallocate(object);
	return rv;
}

void kmem_discard_entry(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	vm_map_entry_t entry;

	CHECK(vm_map_lookup_entry(map, start, &entry));
	CHECK(entry->start == start && entry->end == end && entry->wired_count == 0);
	CHECK((entry->eflags & MAP_ENTRY_NEEDS_WAKEUP) == 0);
	map_tree_unlink(map, entry);
	map_entry_dispose(entry);
}

int kmem_page_request(int flags)
{
	int req = VM_ALLOC_SYSTEM;

	if ((flags & (M_NOWAIT | M_USE_RESERVE)) == (M_NOWAIT | M_USE_RESERVE))
		req = VM_ALLOC_INTERRUPT;
	if (flags & M_ZERO)
		req |= VM_ALLOC_ZERO;
	if (flags & M_NODUMP)
		req |= VM_ALLOC_NODUMP;
	return req;
}

bool kmem_try_again(int req, uint64_t npages)
{
	bool flushed = kmem_quarantine_flush() != 0;

	return vm_page_reclaim_for(req, npages) || flushed;
}

/* Large memory at a multiple of 2 MiB, where large pages can serve it. */
static int find_place(vm_map_t map, vm_size_t size, vm_offset_t *addr)
{
	if (size >= SUPERPAGE_SIZE && map_findspace_aligned(map, map->min_offset, size, addr) == 0)
		return 0;
	return vm_map_findspace(map, map->min_offset, size, addr);
}

/* Reserves and wires; the map is locked, and locked again on return. */
static vm_offset_t kmem_alloc_locked(vm_map_t map, vm_size_t size)
{
	vm_offset_t addr;

	if (find_place(map, size, &addr) != 0 ||
	    kmem_insert(map, kernel_object, addr, size, VM_PROT_RW) != KERN_SUCCESS)
		return 0;
	if (map_wire_locked(map, addr, addr + size) != KERN_SUCCESS) {
		kmem_delete_certainly(map, addr, addr + size);
		return 0;
	}
	return addr;
}

vm_offset_t kmem_alloc(vm_map_t map, vm_size_t size)
{
	vm_offset_t addr;

	if (size == 0 || !round_page_checked(size, &size))
		return 0;
	vm_map_lock(map);
	addr = kmem_alloc_locked(map, size);
	vm_map_unlock(map);
	if (addr == 0 && kmem_try_again(VM_ALLOC_SYSTEM, atop(size))) {
		vm_map_lock(map);
		addr = kmem_alloc_locked(map, size);
		vm_map_unlock(map);
	}
	return addr;
}

#ifdef QUIRE_DEBUG
static struct atomic32 free_strict = {1};
#else
static struct atomic32 free_strict = {0};
#endif

static struct atomic64 refused_count; /* statistics */

/* Relaxed: a switch for people, which orders nothing. */
bool kmem_free_strict(void)
{
	return atomic32_load(&free_strict, MO_RELAXED) != 0;
}

void kmem_free_set_strict(bool strict)
{
	atomic32_store(&free_strict, strict, MO_RELAXED);
}

uint64_t kmem_free_refused_count(void)
{
	return atomic64_load(&refused_count, MO_RELAXED);
}

/* What a caller who frees what is not his gets. */
static void kmem_free_refused(vm_map_t map, vm_offset_t addr, vm_size_t size)
{
	const char *status = "it was";
	char where[160];

	if (!kmem_debug_explain(addr, where, sizeof(where))) {
		status = kmem_quarantine_holds(map, trunc_page(addr), trunc_page(addr) + PAGE_SIZE)
			     ? "the address was freed a moment ago in"
			     : "the address is in";
		vm_map_describe(map, addr, where, sizeof(where));
	}
	if (kmem_free_strict())
		panic("kmem_free(%s, %#lx, %#lx): not all of it is allocated; %s: %s", map->name,
		      (unsigned long)addr, (unsigned long)size, status, where);
	atomic64_add(&refused_count, 1, MO_RELAXED);
	kprintf("kmem_free(%s, %#lx, %#lx) refused: not all of it is allocated; %s: %s\n",
		map->name, (unsigned long)addr, (unsigned long)size, status, where);
}

/* Removes [start, end), or returns false when some of it is not allocated. Map locked. */
static bool kmem_free_locked(vm_map_t map, vm_offset_t start, vm_offset_t end, const void *caller)
{
	bool bury = map == kmem_map && kmem_debug();

	do {
		if (!map_range_covered(map, start, end) || kmem_debug_is_grave(start, end))
			return false;
	} while (map_transition_wait(map, start, end));
	if (bury)
		kmem_debug_poison(start, end);
	kmem_delete_certainly(map, start, end);
	if (bury)
		kmem_debug_bury(start, end, (uintptr_t)caller);
	kmem_space_freed(map);
	return true;
}

void kmem_free_then(vm_map_t map, vm_offset_t addr, vm_size_t size, void (*then)(vm_map_t map),
		    const void *caller)
{
	vm_offset_t start = trunc_page(addr), end;
	bool freed;

	if (size == 0)
		return;
	if (addr + size < addr || !round_page_checked(addr + size, &end)) {
		kmem_free_refused(map, addr, size);
		return;
	}
	if (!kmem_cache_disown(map, start, end)) {
		kmem_free_refused(map, addr, size);
		return;
	}
	if (then == NULL && kmem_quarantine_put(map, start, end))
		return;
	if (kmem_quarantine_holds(map, start, end)) {
		kmem_free_refused(map, addr, size);
		return;
	}
	vm_map_lock(map);
	freed = kmem_free_locked(map, start, end, caller);
	if (then != NULL)
		then(map);
	vm_map_unlock(map);
	if (!freed)
		kmem_free_refused(map, addr, size);
}
