// SPDX-License-Identifier: BSD-2-Clause
/*
 * Kernel memory is freed by CPUs that go on, tick and allocate again, while each remembers
 * translations of all of it: no page is given back, and no address given out, too early or twice.
 */
#include "tests/explore/scenarios/quarantine_world.h"

namespace quire
{
namespace
{

enum : unsigned { RANGES = 4 };

vm_offset_t ranges[RANGES];
uint64_t free_before;

void create()
{
	quarantine_prepare(2 * RANGES);
}

void reset()
{
	free_before = vm_world_settle();
	for (vm_offset_t &va : ranges)
		va = quarantine_allocate(PAGE_SIZE);
}

void check()
{
	quarantine_check(free_before);
}

void free_range(unsigned i)
{
	kmem_free(kmem_map, ranges[i], PAGE_SIZE);
}

void read_all_ahead()
{
	for (vm_offset_t va : ranges)
		quarantine_read_ahead(va);
}

/* Two CPUs free and give back what they can; the third has nothing but its tick. */
void run_free(unsigned cpu)
{
	read_all_ahead();
	if (cpu < 2) {
		free_range(cpu);
		(void)kmem_quarantine_idle();
		free_range(2 + cpu);
		(void)kmem_quarantine_idle();
	}
	tlb_catch_up();
	quarantine_use_new(cpu);
	(void)kmem_quarantine_idle();
}

const struct explore_scenario quarantine_free = {
    .name = "quarantine_free",
    .about = "two CPUs free ranges and allocate again, a third ticks, all read ahead",
    .cpus = 3,
    .world = EXPLORE_VM,
    .configure = vm_world_small,
    .create = create,
    .reset = reset,
    .run = run_free,
    .check = check,
};
EXPLORE_REGISTER(quarantine_free)

/* What one CPU has put there others give back, all of them at once. */
void run_drain(unsigned cpu)
{
	read_all_ahead();
	if (cpu == 0) {
		free_range(0);
		free_range(2);
		(void)kmem_quarantine_idle();
		free_range(1);
		free_range(3);
		return;
	}
	(void)kmem_quarantine_flush();
	quarantine_use_new(cpu);
}

const struct explore_scenario quarantine_drain_from_other_cpu = {
    .name = "quarantine_drain_from_other_cpu",
    .about = "two CPUs give back what a third one puts into its quarantine",
    .cpus = 3,
    .world = EXPLORE_VM,
    .configure = vm_world_small,
    .create = create,
    .reset = reset,
    .run = run_drain,
    .check = check,
};
EXPLORE_REGISTER(quarantine_drain_from_other_cpu)

/* The policy changes meanwhile, there and back. */
void run_switch(unsigned cpu)
{
	read_all_ahead();
	if (cpu == 2) {
		kmem_quarantine_set_immediate(true);
		quarantine_use_new(cpu);
		kmem_quarantine_set_immediate(false);
		return;
	}
	free_range(cpu);
	quarantine_use_new(cpu);
	free_range(2 + cpu);
	(void)kmem_quarantine_idle();
}

const struct explore_scenario quarantine_switch = {
    .name = "quarantine_switch",
    .about = "frees become immediate and deferred again while two CPUs free",
    .cpus = 3,
    .world = EXPLORE_VM,
    .configure = vm_world_small,
    .create = create,
    .reset = reset,
    .run = run_switch,
    .check = check,
};
EXPLORE_REGISTER(quarantine_switch)

} // namespace
} // namespace quire
