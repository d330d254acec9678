// SPDX-License-Identifier: BSD-2-Clause
/*
 * A full map, two threads that wait for room in it, and one that makes room twice: the one that
 * came first is served first, and passes on what is left. Nobody gives anything back, so that a
 * wake-up that is lost stays lost.
 */
#include "tests/explore/scenarios/keep.h"
#include "tests/explore/scenarios/vm_world.h"
#include "vm/vm_kern.h"

namespace quire
{
namespace
{

enum : vm_size_t { HALF = 2 * PAGE_SIZE };

vm_map_t map;
vm_offset_t halves[2];
vm_offset_t taken[3]; /* by CPU 1 and CPU 2 */

vm_size_t size_of(unsigned cpu)
{
	return cpu == 1 ? HALF : PAGE_SIZE;
}

void create()
{
	vm_offset_t min, max;

	keep_shootdown_lines();
	map = kmem_suballoc(kernel_map, &min, &max, 2 * HALF, false);
}

void reset()
{
	(void)vm_world_settle();
	for (vm_offset_t &half : halves)
		half = kmem_alloc_wait(map, HALF);
	taken[1] = taken[2] = 0;
}

void run(unsigned cpu)
{
	if (cpu != 0) {
		taken[cpu] = kmem_alloc_wait(map, size_of(cpu));
		return;
	}
	kmem_free_wakeup(map, halves[0], HALF);
	kmem_free_wakeup(map, halves[1], HALF);
}

void check()
{
	for (unsigned cpu = 1; cpu <= 2; cpu++)
		if (taken[cpu] < map->min_offset || taken[cpu] + size_of(cpu) > map->max_offset)
			explore_fail("CPU %u has %#lx", cpu, (unsigned long)taken[cpu]);
	if (taken[1] < taken[2] + size_of(2) && taken[2] < taken[1] + size_of(1))
		explore_fail("both have %#lx", (unsigned long)taken[2]);
	for (unsigned cpu = 1; cpu <= 2; cpu++)
		kmem_free_wakeup(map, taken[cpu], size_of(cpu));
	if (map->nentries != 0 || map->needs_wakeup != 0)
		explore_fail("%u entries are left", map->nentries);
}

const struct explore_scenario map_waiters = {
    .name = "map_waiters",
    .about = "two threads wait for room in a map, a third makes some",
    .cpus = 3,
    .world = EXPLORE_VM,
    .configure = vm_world_small,
    .create = create,
    .reset = reset,
    .run = run,
    .check = check,
};
EXPLORE_REGISTER(map_waiters)

} // namespace
} // namespace quire
