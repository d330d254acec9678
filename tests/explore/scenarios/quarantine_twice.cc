// SPDX-License-Identifier: BSD-2-Clause
/*
 * Two CPUs free the same memory at the same time, by mistake: exactly one of them is told so, and
 * the memory is given back once.
 */
#include "tests/explore/scenarios/quarantine_world.h"

namespace quire
{
namespace
{

vm_offset_t range;
uint64_t free_before, refused_before;

void create()
{
	quarantine_prepare(4);
	kmem_free_set_strict(false);
}

void reset()
{
	free_before = vm_world_settle();
	refused_before = kmem_free_refused_count();
	range = quarantine_allocate(PAGE_SIZE);
}

void run(unsigned)
{
	kmem_free(kmem_map, range, PAGE_SIZE);
	(void)kmem_quarantine_idle();
}

void check()
{
	if (kmem_free_refused_count() != refused_before + 1)
		explore_fail("%lu of two frees were refused",
			     (unsigned long)(kmem_free_refused_count() - refused_before));
	quarantine_check(free_before);
}

const struct explore_scenario quarantine_twice = {
    .name = "quarantine_twice",
    .about = "two CPUs free the same memory",
    .cpus = 2,
    .world = EXPLORE_VM,
    .configure = vm_world_small,
    .create = create,
    .reset = reset,
    .run = run,
    .check = check,
};
EXPLORE_REGISTER(quarantine_twice)

} // namespace
} // namespace quire
