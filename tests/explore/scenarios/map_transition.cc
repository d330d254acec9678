// SPDX-License-Identifier: BSD-2-Clause
/*
 * A range is wired, cut in two, protected and removed at the same time: each operation meets a
 * range that another one works on, waits, and finds whatever is left of it.
 */
#include "tests/explore/scenarios/keep.h"
#include "tests/explore/scenarios/vm_world.h"
#include "vm/vm_kern.h"
#include "vm/vm_map.h"

namespace quire
{
namespace
{

enum : vm_size_t { SIZE = 2 * PAGE_SIZE };

vm_offset_t range;
uint64_t free_before;

void expect(int rv, int one, int other, const char *what)
{
	if (rv != one && rv != other)
		explore_fail("%s gives error %d", what, rv);
}

void make_range()
{
	range = kernel_map->min_offset;
	if (vm_map_find(kernel_map, nullptr, 0, &range, SIZE, VMFS_ANY_SPACE, VM_PROT_RW,
			VM_PROT_ALL, 0) != KERN_SUCCESS)
		explore_fail("no place in kernel_map");
}

void remove_all()
{
	expect(vm_map_remove(kernel_map, range, range + SIZE), KERN_SUCCESS, KERN_SUCCESS,
	       "removing all");
}

/* Brings up what is kept for ever: tables, slabs of entries, objects and nodes. */
void create()
{
	keep_shootdown_lines();
	make_range();
	expect(vm_map_wire(kernel_map, range, range + PAGE_SIZE, VM_MAP_WIRE_SYSTEM), KERN_SUCCESS,
	       KERN_SUCCESS, "wiring half");
	expect(vm_map_wire(kernel_map, range, range + SIZE, VM_MAP_WIRE_SYSTEM), KERN_SUCCESS,
	       KERN_SUCCESS, "wiring");
	remove_all();
}

void reset()
{
	free_before = vm_world_settle();
	make_range();
}

void run_wire()
{
	int rv = vm_map_wire(kernel_map, range, range + SIZE, VM_MAP_WIRE_SYSTEM);

	expect(rv, KERN_SUCCESS, KERN_INVALID_ADDRESS, "wiring");
	if (rv != KERN_SUCCESS)
		return;
	/* Somebody may have removed a half since. */
	expect(vm_map_unwire(kernel_map, range, range + SIZE, VM_MAP_WIRE_SYSTEM), KERN_SUCCESS,
	       KERN_INVALID_ADDRESS, "unwiring");
}

void run(unsigned cpu)
{
	if (cpu == 0)
		run_wire();
	else if (cpu == 1)
		expect(vm_map_remove(kernel_map, range, range + PAGE_SIZE), KERN_SUCCESS,
		       KERN_SUCCESS, "removing half");
	else
		expect(vm_map_protect(kernel_map, range, range + SIZE, VM_PROT_READ, false),
		       KERN_SUCCESS, KERN_INVALID_ADDRESS, "protecting");
}

void check()
{
	vm_map_entry_t entry;
	uint64_t free_after;

	vm_map_lock(kernel_map);
	if (vm_map_lookup_entry(kernel_map, range, &entry))
		explore_fail("the removed half is still there");
	if (!vm_map_lookup_entry(kernel_map, range + PAGE_SIZE, &entry))
		explore_fail("the other half is gone");
	if (entry->eflags & (MAP_ENTRY_IN_TRANSITION | MAP_ENTRY_NEEDS_WAKEUP))
		explore_fail("the other half is still worked on");
	vm_map_unlock(kernel_map);
	remove_all();
	free_after = vm_world_settle();
	if (free_after != free_before)
		explore_fail("%lu pages are free, %lu were", (unsigned long)free_after,
			     (unsigned long)free_before);
}

const struct explore_scenario map_transition = {
    .name = "map_transition",
    .about = "a range is wired, protected and half removed at the same time",
    .cpus = 3,
    .world = EXPLORE_VM,
    .configure = vm_world_small,
    .create = create,
    .reset = reset,
    .run = run,
    .check = check,
};
EXPLORE_REGISTER(map_transition)

} // namespace
} // namespace quire
