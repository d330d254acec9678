/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that one CPU allocates and another one frees. Workers stand in a circle: in each sample
 * a worker goes through the slots that its neighbour filled in the sample before, frees what it
 * finds and puts new memory in its place.
 */
#include "bench/kernel/zones.h"

enum { HANDOVER_SLOTS = 256, HANDOVER_ITEM_SIZE = 256 };

static bool enter_items(struct bench_worker *worker)
{
	return bench_slots_fill(worker, &bench_zone_memory, HANDOVER_ITEM_SIZE, HANDOVER_SLOTS);
}

static void leave_items(struct bench_worker *worker)
{
	bench_slots_empty(worker, &bench_zone_memory);
}

/* The slots hold descriptors of pages. */
static bool sample_pages(struct bench_worker *worker)
{
	struct bench_slot *slots = bench_slots_rotating(worker);

	for (unsigned i = 0; i < HANDOVER_SLOTS; i++) {
		vm_page_free(slots[i].memory);
		slots[i].memory = bench_page_alloc();
		if (unlikely(slots[i].memory == NULL))
			return bench_short(worker->run, "for a page");
	}
	return true;
}

static bool sample_items(struct bench_worker *worker)
{
	struct bench_slot *slots = bench_slots_rotating(worker);
	uma_zone_t zone = bench_zone(HANDOVER_ITEM_SIZE);

	for (unsigned i = 0; i < HANDOVER_SLOTS; i++) {
		uma_zfree(zone, slots[i].memory);
		slots[i].memory = uma_zalloc(zone, M_NOWAIT);
		if (unlikely(slots[i].memory == NULL))
			return bench_short(worker->run, "for an item");
	}
	return true;
}

const struct bench_case bench_cases_handover[] = {
    {
	.index = BENCH_HANDOVER_PAGE,
	.modes = BENCH_ALL,
	.ops = HANDOVER_SLOTS,
	.slots = HANDOVER_SLOTS,
	.enter = bench_slots_hold_pages,
	.sample = sample_pages,
	.verify = bench_slots_verify_pages,
	.leave = bench_slots_free_pages,
    },
    {
	.index = BENCH_HANDOVER_ITEM,
	.modes = BENCH_ALL,
	.ops = HANDOVER_SLOTS,
	.slots = HANDOVER_SLOTS,
	.setup = bench_zones_setup,
	.enter = enter_items,
	.sample = sample_items,
	.verify = bench_slots_verify,
	.leave = leave_items,
	.teardown = bench_zones_teardown,
    },
    {0},
};
