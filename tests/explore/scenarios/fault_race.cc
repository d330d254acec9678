// SPDX-License-Identifier: BSD-2-Clause
/*
 * Two CPUs write to different words of a page that nobody has touched yet: both fault, one page
 * comes of it, and both words are in it.
 */
#include "arch/cpu.h"
#include "tests/explore/scenarios/vm_world.h"
#include "vm/vm_kern.h"

namespace quire
{
namespace
{

enum : unsigned { CPUS = 2 };

vm_offset_t range;
uint64_t free_before;

void make_range()
{
	range = kmem_alloc_wait(pipe_map, PAGE_SIZE);
	if (range == 0)
		explore_fail("no pageable memory");
}

vm_offset_t word_of(unsigned cpu)
{
	return range + cpu * sizeof(uint64_t);
}

void remove_range()
{
	kmem_free_wakeup(pipe_map, range, PAGE_SIZE);
}

void create()
{
	make_range();
	host_store64(word_of(0), 1);
	remove_range();
}

void reset()
{
	free_before = vm_world_settle();
	make_range();
}

void run(unsigned cpu)
{
	explore_step();
	host_store64(word_of(cpu), cpu + 1);
}

void check()
{
	uint64_t free_after;

	for (unsigned cpu = 0; cpu < CPUS; cpu++)
		if (host_load64(word_of(cpu)) != cpu + 1)
			explore_fail("what CPU %u wrote is lost", cpu);
	remove_range();
	free_after = vm_world_settle();
	if (free_after != free_before)
		explore_fail("%lu pages are free, %lu were", (unsigned long)free_after,
			     (unsigned long)free_before);
}

const struct explore_scenario fault_race = {
    .name = "fault_race",
    .about = "two CPUs touch the same pageable page for the first time",
    .cpus = CPUS,
    .world = EXPLORE_VM,
    .configure = vm_world_small,
    .create = create,
    .reset = reset,
    .run = run,
    .check = check,
};
EXPLORE_REGISTER(fault_race)

} // namespace
} // namespace quire
