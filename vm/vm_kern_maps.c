/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The submaps of kernel_map: pieces of address space with a purpose, a limit and a lock of their
 * own.
 */
#include "lib/bits.h"
#include "lib/check.h"
#include "vm/pmap.h"
#include "vm/vm_kern.h"
#include "vm/vm_kern_cache.h"
#include "vm/vm_kern_private.h"
#include "vm/vm_phys.h"

vm_map_t kmem_map;
vm_map_t exec_map;
vm_map_t pipe_map;
vm_map_t buffer_map;

vm_map_t kmem_suballoc(vm_map_t parent, vm_offset_t *min, vm_offset_t *max, vm_size_t size,
		       bool superpage_align)
{
	int placement = superpage_align ? VMFS_ALIGNED_SPACE : VMFS_ANY_SPACE;
	vm_map_t map;
	int rv;

	if (size == 0 || !round_page_checked(size, &size))
		panic("kmem_suballoc: a map of %#lx bytes is impossible", (unsigned long)size);
	*min = parent->min_offset;
	rv = vm_map_find(parent, NULL, 0, min, size, placement, VM_PROT_ALL & ~VM_PROT_EXECUTE,
			 VM_PROT_ALL, MAP_ACC_NO_CHARGE);
	if (rv != KERN_SUCCESS)
		panic("kmem_suballoc: no range of %#lx bytes in %s (error %d)", (unsigned long)size,
		      parent->name, rv);
	*max = *min + size;
	map = vm_map_create(parent->pmap, "submap", *min, *max);
	if (map == NULL)
		panic("kmem_suballoc: no memory for a map in %s", parent->name);
	rv = vm_map_submap(parent, *min, *max, map);
	if (rv != KERN_SUCCESS)
		panic("kmem_suballoc: %s does not take the submap (error %d)", parent->name, rv);
	return map;
}

/* At least `least` bytes, at most `most`, whole superpages of tables in between. */
static vm_size_t size_within(vm_size_t size, vm_size_t least, vm_size_t most)
{
	if (size < least)
		size = least;
	if (size > most)
		size = most;
	return align_up(size, SUPERPAGE_SIZE);
}

static vm_map_t make_map(const char *name, vm_size_t wanted, vm_size_t derived, bool system_map)
{
	vm_size_t size = wanted != 0 ? align_up(wanted, PAGE_SIZE) : derived;
	vm_offset_t min, max;
	vm_map_t map = kmem_suballoc(kernel_map, &min, &max, size, false);

	map->name = name;
	map->system_map = system_map;
	return map;
}

/*
 * Every submap gets its page tables when it is made, 1/512 of its size, so sizes follow RAM:
 * kmem_map could hold half of it, at most 64 GiB, and the other three what their users need at a
 * time: arguments of a few dozen programs, pipes of 1/64 of RAM, buffers of 1/16 of it.
 */
void vm_kern_maps_init(const struct vm_kern_map_sizes *sizes)
{
	const vm_size_t mib = (vm_size_t)1 << 20;
	vm_size_t ram = 0;

	for (unsigned d = 0; d < vm_phys_domain_count(); d++)
		ram += ptoa(vm_phys_total_pages(d));
	kmem_map = make_map("kmem_map", sizes->kmem,
			    size_within(ram / 2, 16 * mib, (vm_size_t)64 << 30), true);
	exec_map = make_map("exec_map", sizes->exec, 4 * mib, false);
	pipe_map =
	    make_map("pipe_map", sizes->pipe, size_within(ram / 64, 2 * mib, 512 * mib), false);
	buffer_map =
	    make_map("buffer_map", sizes->buffer, size_within(ram / 16, 4 * mib, 8192 * mib), true);
	kmem_quarantine_set_limits(atop(ram));
	kmem_debug_init();
	kmem_cache_init();
}
