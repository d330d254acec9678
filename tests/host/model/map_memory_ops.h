/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operations that ask for memory and use it.
 */
#ifndef QUIRE_TESTS_HOST_MODEL_MAP_MEMORY_OPS_H
#define QUIRE_TESTS_HOST_MODEL_MAP_MEMORY_OPS_H

#include "tests/host/model/map_space_ops.h"
#include "vm/vm_pageable.h"

namespace quire
{

class MapMemoryOps : public MapSpaceOps
{
      protected:
	/* --- Memory --- */

	static bool whole_pages(vm_size_t *size)
	{
		vm_size_t asked = *size;

		*size = round_page(asked);
		return asked != 0 && *size >= asked;
	}

	/* The range is wired memory of `kind` from now on. */
	static void model_fill(MapModel &model, vm_offset_t addr, vm_size_t size,
			       ModelPage::Kind kind, vm_prot_t prot, bool zero)
	{
		ModelRange range = {kind, prot, VM_PROT_ALL, 0, 0, 0};

		model.insert(addr, addr + size, range);
		model.wire(addr, addr + size);
		for (vm_offset_t va = addr; va < addr + size; va += PAGE_SIZE)
			model.at(va).known = zero;
	}

	/* Everything outside of submaps goes, so that there is room for large pages again. */
	void do_clear(Pair &pair)
	{
		MapModel &model = *pair.model;

		if (!one_in(2))
			return;
		for (vm_offset_t va = model.min, end; va < model.max; va = end + PAGE_SIZE) {
			for (end = va; end < model.max && model.at(end).kind != ModelPage::SUBMAP;)
				end += PAGE_SIZE;
			say("vm_map_remove", va, end);
			same("return", vm_map_remove(pair.real, va, end), KERN_SUCCESS);
			model.remove(va, end);
		}
		alloc_sized(pair, SUPERPAGE_SIZE + ptoa(random(200)));
		if (up(model.min) < model.max && model.at(up(model.min)).kind == ModelPage::KERNEL)
			rewire(pair, up(model.min) + ptoa(random(500)));
	}

	static vm_offset_t up(vm_offset_t va)
	{
		return (va + SUPERPAGE_SIZE - 1) & ~(SUPERPAGE_SIZE - 1);
	}

	/* Part of a large page is unwired, perhaps changed, and wired again. */
	void rewire(Pair &pair, vm_offset_t start)
	{
		vm_offset_t end = start + ptoa(1 + random(12));

		say("unwire and wire", start, end);
		same("unwire", vm_map_unwire(pair.real, start, end, VM_MAP_WIRE_SYSTEM),
		     pair.model->unwire(start, end));
		if (one_in(2))
			do_protect(pair);
		if (pair.model->covered(start, end) && supply(16) == ENOUGH)
			same("wire", vm_map_wire(pair.real, start, end, VM_MAP_WIRE_SYSTEM),
			     pair.model->wire(start, end));
	}

	void do_alloc(Pair &pair)
	{
		alloc_sized(pair, some_size());
	}

	void alloc_sized(Pair &pair, vm_size_t size)
	{
		vm_offset_t addr = 0, real;
		bool space = whole_pages(&size) && place_for_alloc(*pair.model, size, &addr);

		if (space && supply(atop(size)) == UNSURE)
			return;
		if (space && supply(atop(size)) == SHORT)
			space = false;
		say("kmem_alloc", size);
		real = kmem_alloc(pair.real, size);
		outcome(real != 0);
		same("address", real, space ? addr : 0);
		if (space)
			model_fill(*pair.model, addr, size, ModelPage::KERNEL, VM_PROT_RW, true);
	}

	static bool place_for_alloc(const MapModel &model, vm_size_t size, vm_offset_t *addr)
	{
		if (size >= SUPERPAGE_SIZE &&
		    model.findspace(model.min, size, SUPERPAGE_SIZE, addr))
			return true;
		return model.findspace(model.min, size, 1, addr);
	}

	void do_nofault(Pair &pair)
	{
		static const int spaces[] = {VMFS_NO_SPACE, VMFS_ANY_SPACE, VMFS_ALIGNED_SPACE};
		ModelRange range = {ModelPage::NOFAULT, VM_PROT_RW, VM_PROT_ALL, MAP_NOFAULT, 0, 0};
		vm_size_t size = one_in(8) ? SUPERPAGE_SIZE : some_size(), rounded = size;
		int space = one_in(2) ? VMFS_ANY_SPACE : spaces[random(3)], rv = KERN_FAILURE;
		vm_offset_t real, addr = pair.model->min;

		say("kmem_alloc_nofault_space", size, (uint64_t)space);
		if (whole_pages(&rounded))
			rv = model_find(*pair.model, &addr, rounded, space, range);
		if (space == VMFS_ANY_SPACE)
			real = kmem_alloc_nofault(pair.real, size);
		else
			real = kmem_alloc_nofault_space(pair.real, size, space);
		outcome(real != 0);
		same("address", real, rv == KERN_SUCCESS ? addr : 0);
	}

	int some_malloc_flags()
	{
		static const int flags[] = {0, 0, M_ZERO, M_USE_RESERVE, M_NODUMP, M_EXEC};

		return flags[random(6)] | flags[random(6)];
	}

	static vm_prot_t malloc_prot(int flags)
	{
		return flags & M_EXEC ? VM_PROT_READ | VM_PROT_EXECUTE : VM_PROT_RW;
	}

	void do_malloc(Pair &pair)
	{
		int flags = some_malloc_flags();
		vm_size_t size = some_size(), rounded = size;
		vm_offset_t addr = 0, real;
		bool space = whole_pages(&rounded) &&
			     pair.model->findspace(pair.model->min, rounded, 1, &addr);

		if (space && supply(atop(rounded)) == UNSURE)
			return;
		if (space && supply(atop(rounded)) == SHORT)
			space = false;
		flags |= space && one_in(2) ? M_WAITOK : M_NOWAIT;
		say("kmem_malloc", size, (uint64_t)flags);
		real = kmem_malloc(pair.real, size, flags);
		outcome(real != 0);
		same("address", real, space ? addr : 0);
		if (space)
			model_fill(*pair.model, addr, rounded, ModelPage::KMEM, malloc_prot(flags),
				   flags & M_ZERO);
	}

	void do_back(Pair &pair)
	{
		ModelRange range = {ModelPage::KMEM, 0, VM_PROT_ALL, 0, 0, 0};
		int flags = some_malloc_flags() | M_NOWAIT, rv, model_rv;
		vm_offset_t start, end;

		if (one_in(4))
			some_range(*pair.model, &start, &end);
		else
			some_hole(*pair.model, &start, &end);
		if (end < start || supply(atop(end - start) + 1) != ENOUGH)
			return;
		range.prot = malloc_prot(flags);
		range.offset = start - VM_MIN_KERNEL_ADDRESS;
		say("kmem_back", start, end, (uint64_t)flags);
		model_rv = pair.model->insert(start, end, range);
		vm_map_lock(pair.real);
		rv = kmem_back(pair.real, start, end - start, flags);
		vm_map_unlock(pair.real);
		outcome(rv == KERN_SUCCESS);
		same("return", rv, model_rv);
		if (model_rv != KERN_SUCCESS)
			return;
		pair.model->wire(start, end);
		for (vm_offset_t va = start; va < end; va += PAGE_SIZE)
			pair.model->at(va).known = (flags & M_ZERO) != 0;
	}

	/* Whether memory of such places is left is not the map's business: what was got counts. */
	void alloc_phys_done(Pair &pair, vm_offset_t real, vm_offset_t addr, vm_size_t size,
			     bool possible, int flags, vm_memattr_t attr)
	{
		if (real == 0 && possible)
			return;
		outcome(real != 0);
		same("address", real, possible ? addr : 0);
		if (failed_ || real == 0)
			return;
		model_fill(*pair.model, addr, size, ModelPage::KERNEL, VM_PROT_RW, flags & M_ZERO);
		for (vm_offset_t va = addr; va < addr + size; va += PAGE_SIZE) {
			pair.model->at(va).attr = attr != VM_MEMATTR_DEFAULT;
			same("memory type", PHYS_TO_VM_PAGE(pmap_kextract(va))->memattr, attr);
		}
	}

	vm_memattr_t some_attr()
	{
		return (vm_memattr_t)(one_in(32) ? 77 : one_in(3) ? random(VM_MEMATTR_COUNT) : 0);
	}

	struct Places {
		vm_paddr_t low, high;
		bool any; /* is there RAM? */
	};
	Places some_places()
	{
		switch (random(8)) {
		case 0:
			return {4 << 20, 4 << 20, false};
		case 1:
			return {RAM, RAM + (64 << 20), false};
		case 2:
			return {RAM / 2, RAM, true};
		case 3:
			return {0, RAM / 2, true};
		default:
			return {0, ~(vm_paddr_t)0, true};
		}
	}

	static bool within(vm_offset_t addr, vm_size_t size, const Places &places)
	{
		for (vm_offset_t va = addr; va < addr + size; va += PAGE_SIZE)
			if (pmap_kextract(va) < places.low || pmap_kextract(va) >= places.high)
				return false;
		return true;
	}

	void do_alloc_attr(Pair &pair)
	{
		int flags = (some_malloc_flags() & ~M_EXEC) | (one_in(2) ? M_WAITOK : M_NOWAIT);
		vm_size_t size = some_size(), rounded = size;
		vm_memattr_t attr = some_attr();
		Places places = some_places();
		vm_offset_t addr = 0, real;
		bool possible = whole_pages(&rounded) && attr < VM_MEMATTR_COUNT && places.any &&
				pair.model->findspace(pair.model->min, rounded, 1, &addr);

		say("kmem_alloc_attr", size, (uint64_t)flags, attr);
		real = kmem_alloc_attr(pair.real, size, flags, places.low, places.high, attr);
		if (real != 0 && !failed_)
			same("in its place", within(real, rounded, places), true);
		alloc_phys_done(pair, real, addr, rounded, possible, flags, attr);
	}

	void do_alloc_contig(Pair &pair)
	{
		static const vm_size_t alignments[] = {1, PAGE_SIZE, 4 * PAGE_SIZE, 64 * PAGE_SIZE,
						       3};
		static const vm_size_t boundaries[] = {0, 0, 64 * PAGE_SIZE, SUPERPAGE_SIZE, 12288};
		int flags = (some_malloc_flags() & ~M_EXEC) | (one_in(2) ? M_WAITOK : M_NOWAIT);
		vm_size_t size = some_size(), rounded = size, alignment = alignments[random(5)];
		vm_size_t boundary = boundaries[random(5)];
		vm_memattr_t attr = some_attr();
		Places places = some_places();
		vm_offset_t addr = 0, real;
		bool possible = whole_pages(&rounded) && attr < VM_MEMATTR_COUNT && places.any &&
				alignment != 3 && boundary != 12288 &&
				(boundary == 0 || boundary >= rounded) &&
				pair.model->findspace(pair.model->min, rounded, 1, &addr);

		say("kmem_alloc_contig", size, alignment, boundary);
		real = kmem_alloc_contig(pair.real, size, flags, places.low, places.high, alignment,
					 boundary, attr);
		if (real != 0 && !failed_)
			compare_run(real, rounded, alignment, boundary, places);
		alloc_phys_done(pair, real, addr, rounded, possible, flags, attr);
	}

	void compare_run(vm_offset_t addr, vm_size_t size, vm_size_t alignment, vm_size_t boundary,
			 const Places &places)
	{
		vm_paddr_t pa = pmap_kextract(addr);

		same("in its place", within(addr, size, places), true);
		same("aligned", pa & (alignment - 1), 0);
		for (vm_offset_t va = addr; va < addr + size; va += PAGE_SIZE)
			same("next frame", pmap_kextract(va), pa + (va - addr));
		if (boundary != 0)
			same("within boundary", pa / boundary, (pa + size - 1) / boundary);
	}

	/* Only where it need not wait for addresses. */
	void do_alloc_wait(Pair &pair)
	{
		ModelRange range = {ModelPage::ANON, VM_PROT_RW, VM_PROT_ALL,
				    MAP_ACC_CHARGED, 0,          0};
		vm_size_t size = some_size(), rounded = size;
		vm_offset_t addr = 0, real;
		bool fits = whole_pages(&rounded) && rounded <= pair.model->max - pair.model->min;

		if (fits && !pair.model->findspace(pair.model->min, rounded, 1, &addr))
			return;
		say("kmem_alloc_wait", size);
		real = kmem_alloc_wait(pair.real, size);
		outcome(real != 0);
		if (fits && swap_.reserve(rounded)) {
			same("address", real, addr);
			pair.model->insert(addr, addr + rounded, range);
		} else {
			same("address", real, 0);
		}
	}

	/* --- What memory is for --- */

	void do_touch(Pair &pair)
	{
		vm_offset_t start, end;

		some_range(*pair.model, &start, &end);
		start = trunc_page(start);
		if (!pair.model->inside(start) || end > pair.model->max || supply(16) != ENOUGH)
			return;
		say("touch", start, end);
		for (vm_offset_t va = start; va < end && va < start + ptoa(8) && !failed_;
		     va += PAGE_SIZE) {
			if (one_in(2))
				store(va, one_in(4) ? 0 : random_());
			else if (one_in(4))
				execute(va);
			else
				compare_access(va);
		}
	}

	void do_scan(Pair &)
	{
		say("vm_pageable_scan");
		if (one_in(8))
			vm_pageable_scan(1 + random(100));
	}

	void do_swap_limit(Pair &)
	{
		if (!one_in(8))
			return;
		swap_.limit = one_in(2) ? RAM : ptoa(random(2000));
		say("swap_set_limit", swap_.limit);
		swap_set_limit(swap_.limit);
	}
};

} // namespace quire

#endif
