/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions of vm_map.h that allocate. */
#include "tests/host/vm/nth_failure.h"

namespace quire
{

namespace
{

constexpr vm_size_t PAGES = 12;

vm_offset_t end_of(const NthBench &bench)
{
	return bench.addr + ptoa(PAGES);
}

void remove_range(NthBench &bench)
{
	EXPECT_EQ(vm_map_remove(pipe_map, bench.addr, end_of(bench)), KERN_SUCCESS);
}

void prepare_pageable(NthBench &bench)
{
	bench.addr = kmem_alloc_wait(pipe_map, ptoa(PAGES));
	ASSERT_NE(bench.addr, 0u);
}

void prepare_wired(NthBench &bench)
{
	bench.addr = kmem_alloc(pipe_map, ptoa(PAGES));
	ASSERT_NE(bench.addr, 0u);
}

/* Address space for a kind of memory that nobody has filled yet. */
void prepare_unwired(NthBench &bench)
{
	prepare_wired(bench);
	remove_range(bench);
	vm_map_lock(pipe_map);
	vm_object_reference(kernel_object);
	EXPECT_EQ(vm_map_insert(pipe_map, kernel_object, bench.addr - VM_MIN_KERNEL_ADDRESS,
				bench.addr, end_of(bench), VM_PROT_RW, VM_PROT_ALL, 0),
		  KERN_SUCCESS);
	vm_map_unlock(pipe_map);
}

/* The same, but two pages were filled, and wired, once: what they hold must outlive a failure. */
void prepare_half_filled(NthBench &bench)
{
	vm_offset_t filled = 0;

	prepare_unwired(bench);
	filled = bench.addr + ptoa(3);
	EXPECT_EQ(vm_map_wire(pipe_map, filled, filled + ptoa(2), VM_MAP_WIRE_SYSTEM),
		  KERN_SUCCESS);
	EXPECT_EQ(vm_map_unwire(pipe_map, filled, filled + ptoa(2), VM_MAP_WIRE_SYSTEM),
		  KERN_SUCCESS);
}

/* A call on pages [2, 5) of a range of 12. */
NthCase part_case(const char *name, void (*prepare)(NthBench &),
		  const std::function<int(vm_offset_t start, vm_offset_t end)> &call)
{
	NthCase made;

	made.name = name;
	made.prepare = prepare;
	made.call = [call](NthBench &bench) {
		return call(bench.addr + ptoa(2), bench.addr + ptoa(5)) == KERN_SUCCESS;
	};
	made.cleanup = remove_range;
	return made;
}

NthCase insert_case(const char *name, int cow, bool with_object)
{
	NthCase made;

	made.name = name;
	made.call = [=](NthBench &bench) {
		int rv;

		bench.addr = pipe_map->min_offset + ptoa(3);
		bench.object =
		    with_object ? vm_object_allocate(OBJT_DEFAULT, PAGES) : (vm_object_t) nullptr;
		if (with_object && bench.object == nullptr)
			return false;
		vm_map_lock(pipe_map);
		rv = vm_map_insert(pipe_map, bench.object, 0, bench.addr, end_of(bench), VM_PROT_RW,
				   VM_PROT_ALL, cow);
		vm_map_unlock(pipe_map);
		/* The reference is still ours: if it were not, this would panic. */
		if (rv != KERN_SUCCESS && with_object)
			vm_object_deallocate(bench.object);
		return rv == KERN_SUCCESS;
	};
	made.undo = remove_range;
	return made;
}

NthCase find_case()
{
	NthCase made;

	made.name = "vm_map_find";
	made.call = [](NthBench &bench) {
		bench.addr = pipe_map->min_offset;
		return vm_map_find(pipe_map, nullptr, 0, &bench.addr, ptoa(PAGES), VMFS_ANY_SPACE,
				   VM_PROT_RW, VM_PROT_ALL, 0) == KERN_SUCCESS;
	};
	made.undo = remove_range;
	return made;
}

int clip(vm_offset_t addr, bool start)
{
	vm_map_entry_t entry;
	int rv;

	vm_map_lock(pipe_map);
	EXPECT_TRUE(vm_map_lookup_entry(pipe_map, addr, &entry));
	rv = start ? vm_map_clip_start(pipe_map, entry, addr)
		   : vm_map_clip_end(pipe_map, entry, addr);
	if (rv == KERN_SUCCESS)
		vm_map_simplify_entry(pipe_map, entry);
	vm_map_unlock(pipe_map);
	return rv;
}

int delete_locked(vm_offset_t start, vm_offset_t end)
{
	int rv;

	vm_map_lock(pipe_map);
	rv = vm_map_delete(pipe_map, start, end);
	vm_map_unlock(pipe_map);
	return rv;
}

int wire(vm_offset_t start, vm_offset_t end)
{
	return vm_map_wire(pipe_map, start, end, VM_MAP_WIRE_SYSTEM | VM_MAP_WIRE_NOHOLES);
}

NthCase wire_pageable_case()
{
	NthCase made = part_case("vm_map_wire_pageable", prepare_pageable, wire);

	made.keeps_pages = true;
	return made;
}

NthCase create_case()
{
	NthCase made;

	made.name = "vm_map_create";
	made.once = true;
	made.call = [](NthBench &bench) {
		bench.map = vm_map_create(kernel_pmap, "new", pipe_map->min_offset,
					  pipe_map->min_offset + ptoa(PAGES));
		return bench.map != nullptr;
	};
	return made;
}

NthCase submap_case()
{
	NthCase made;

	made.name = "vm_map_submap";
	made.once = true;
	made.prepare = [](NthBench &bench) {
		bench.addr = pipe_map->min_offset;
		EXPECT_EQ(vm_map_find(pipe_map, nullptr, 0, &bench.addr, ptoa(PAGES), VMFS_NO_SPACE,
				      VM_PROT_RW, VM_PROT_ALL, MAP_ACC_NO_CHARGE),
			  KERN_SUCCESS);
		bench.map =
		    vm_map_create(kernel_pmap, "inner", bench.addr + ptoa(2), bench.addr + ptoa(5));
	};
	made.call = [](NthBench &bench) {
		return vm_map_submap(pipe_map, bench.addr + ptoa(2), bench.addr + ptoa(5),
				     bench.map) == KERN_SUCCESS;
	};
	return made;
}

} // namespace

std::vector<NthCase> nth_cases_map()
{
	return {
	    insert_case("vm_map_insert_nofault", MAP_NOFAULT, false),
	    insert_case("vm_map_insert_pageable", 0, false),
	    insert_case("vm_map_insert_uncharged", MAP_ACC_NO_CHARGE, false),
	    insert_case("vm_map_insert_object", 0, true),
	    find_case(),
	    part_case("vm_map_clip_start", prepare_pageable,
		      [](vm_offset_t start, vm_offset_t) { return clip(start, true); }),
	    part_case("vm_map_clip_end", prepare_wired,
		      [](vm_offset_t start, vm_offset_t) { return clip(start, false); }),
	    part_case("vm_map_delete", prepare_wired, delete_locked),
	    part_case("vm_map_remove", prepare_pageable,
		      [](vm_offset_t start, vm_offset_t end) {
			      return vm_map_remove(pipe_map, start, end);
		      }),
	    wire_pageable_case(),
	    part_case("vm_map_wire_kernel", prepare_unwired, wire),
	    part_case("vm_map_wire_kernel_again", prepare_half_filled, wire),
	    part_case("vm_map_unwire", prepare_wired,
		      [](vm_offset_t start, vm_offset_t end) {
			      return vm_map_unwire(pipe_map, start, end, VM_MAP_WIRE_SYSTEM);
		      }),
	    part_case("vm_map_protect", prepare_wired,
		      [](vm_offset_t start, vm_offset_t end) {
			      return vm_map_protect(pipe_map, start, end, VM_PROT_READ, false);
		      }),
	    part_case("vm_map_protect_set_max", prepare_pageable,
		      [](vm_offset_t start, vm_offset_t end) {
			      return vm_map_protect(pipe_map, start, end, VM_PROT_READ, true);
		      }),
	    create_case(),
	    submap_case(),
	};
}

} // namespace quire
