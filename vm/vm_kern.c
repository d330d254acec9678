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

#include "lib/bits.h"
#include "lib/check.h"
#include "lib/format.h"
#include "vm/pmap.h"
#include "vm/vm_map_private.h"
#include "vm/vm_object.h"

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
 * Removes a range that is the caller's. A split that finds no memory for an entry finds the
 * reserve in the hands of other removals, which end without us and bring their entries back.
 */
static void delete_certainly(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	while (vm_map_delete(map, start, end) != KERN_SUCCESS) {
		vm_map_unlock(map);
		thread_yield();
		vm_map_lock(map);
	}
}

/* Reserves and wires; the map is locked, and locked again on return. */
static vm_offset_t kmem_alloc_locked(vm_map_t map, vm_size_t size)
{
	vm_offset_t addr;
	int rv;

	if (vm_map_findspace(map, map->min_offset, size, &addr) != 0)
		return 0;
	vm_object_reference(kernel_object);
	rv = vm_map_insert(map, kernel_object, addr - VM_MIN_KERNEL_ADDRESS, addr, addr + size,
			   VM_PROT_RW, VM_PROT_ALL, 0);
	if (rv != KERN_SUCCESS) {
		vm_object_deallocate(kernel_object);
		return 0;
	}
	rv = map_wire_locked(map, addr, addr + size);
	if (rv != KERN_SUCCESS) {
		delete_certainly(map, addr, addr + size);
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
	return addr;
}

/* What a caller who frees what is not his gets. */
static void free_refused(vm_map_t map, vm_offset_t addr, vm_size_t size)
{
	char where[128];

	vm_map_describe(map, addr, where, sizeof(where));
#ifdef QUIRE_DEBUG
	panic("kmem_free(%s, %#lx, %#lx): not all of it is allocated; the address is in: %s",
	      map->name, (unsigned long)addr, (unsigned long)size, where);
#else
	kprintf("kmem_free(%s, %#lx, %#lx) refused: not all of it is allocated; the address is in: "
		"%s\n",
		map->name, (unsigned long)addr, (unsigned long)size, where);
#endif
}

/* Removes [start, end), or returns false when some of it is not allocated. Map locked. */
static bool kmem_free_locked(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	do {
		if (!map_range_covered(map, start, end))
			return false;
	} while (map_transition_wait(map, start, end));
	delete_certainly(map, start, end);
	return true;
}

void kmem_free(vm_map_t map, vm_offset_t addr, vm_size_t size)
{
	vm_offset_t start = trunc_page(addr), end;
	bool freed;

	if (size == 0)
		return;
	if (addr + size < addr || !round_page_checked(addr + size, &end)) {
		free_refused(map, addr, size);
		return;
	}
	vm_map_lock(map);
	freed = kmem_free_locked(map, start, end);
	vm_map_unlock(map);
	if (!freed)
		free_refused(map, addr, size);
}
