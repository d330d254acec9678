// SPDX-License-Identifier: BSD-2-Clause
/*
 * The page daemon takes a page that was only read so far, while one CPU writes to it and another
 * reads it. Whoever is faster: what was written is there afterwards, and nobody who has seen it
 * sees the zeroes of before again.
 */
#include "tests/explore/scenarios/keep.h"
#include "tests/explore/scenarios/vm_world.h"
#include "vm/vm_kern.h"
#include "vm/vm_pageable.h"

namespace quire
{
namespace
{

constexpr uint64_t WRITTEN = 0x7777;

vm_offset_t range;
uint64_t free_before;

void make_range()
{
	range = kmem_alloc_wait(pipe_map, PAGE_SIZE);
	if (range == 0)
		explore_fail("no pageable memory");
	(void)host_load64(range);
}

void remove_range()
{
	kmem_free_wakeup(pipe_map, range, PAGE_SIZE);
}

void create()
{
	keep_shootdown_lines();
	make_range();
	(void)vm_pageable_scan(1);
	remove_range();
}

void reset()
{
	free_before = vm_world_settle();
	make_range();
	vm_pageable_init(); /* the hand */
}

void run_reader()
{
	uint64_t before = 0;

	for (unsigned i = 0; i < 3; i++) {
		uint64_t value;

		explore_step();
		value = host_load64(range);
		if ((value != 0 && value != WRITTEN) || (value == 0 && before != 0))
			explore_fail("the page holds %#lx after %#lx", (unsigned long)value,
				     (unsigned long)before);
		before = value;
	}
}

void run(unsigned cpu)
{
	if (cpu == 0) {
		(void)vm_pageable_scan(1);
	} else if (cpu == 1) {
		explore_step();
		host_store64(range, WRITTEN);
	} else {
		run_reader();
	}
}

void check()
{
	uint64_t free_after;

	if (host_load64(range) != WRITTEN)
		explore_fail("what was written is lost");
	remove_range();
	free_after = vm_world_settle();
	if (free_after != free_before)
		explore_fail("%lu pages are free, %lu were", (unsigned long)free_after,
			     (unsigned long)free_before);
}

const struct explore_scenario pageable_scan = {
    .name = "pageable_scan",
    .about = "the page daemon takes a clean page while two CPUs write and read it",
    .cpus = 3,
    .world = EXPLORE_VM,
    .configure = vm_world_small,
    .create = create,
    .reset = reset,
    .run = run,
    .check = check,
};
EXPLORE_REGISTER(pageable_scan)

} // namespace
} // namespace quire
