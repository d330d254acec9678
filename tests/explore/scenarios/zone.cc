// SPDX-License-Identifier: BSD-2-Clause
/*
 * Zones: items are allocated on one CPU and freed on another while a third takes all that caches
 * hold and gives slabs back; and threads wait for the limit of a zone.
 */
#include "arch/atomic.h"
#include "tests/explore/scenarios/keep.h"
#include "tests/explore/scenarios/vm_world.h"
#include "vm/uma.h"

namespace quire
{
namespace
{

enum : unsigned { CPUS = 3, LIMIT = 1 };

struct Item {
	struct atomic32 holder; /* the CPU + 1, or 0 */
	char rest[996];         /* few fit into a slab */
};

uma_zone_t zone;
struct atomic_ptr hand_over; /* an item that CPU 0 leaves for CPU 1 */
struct atomic32 held;        /* items, by those who count them */
uint64_t free_before;

int item_init(void *item, int, int)
{
	atomic32_store(&static_cast<Item *>(item)->holder, 0, MO_RELAXED);
	return 0;
}

/* Without redzones and poison: the short way is what is explored. */
void make_zone(unsigned limit)
{
	keep_shootdown_lines();
	vm_world_prepare();
	zone = uma_zcreate("explored", sizeof(Item), nullptr, nullptr, item_init, nullptr,
			   UMA_ALIGN_PTR, UMA_ZONE_NODEBUG);
	if (zone == nullptr)
		explore_fail("no zone");
	(void)uma_zone_set_max(zone, (int)limit);
}

Item *take(unsigned cpu, int flags)
{
	Item *item = static_cast<Item *>(uma_zalloc(zone, flags));
	uint32_t before;

	if (item == nullptr)
		explore_fail("CPU %u gets no item", cpu);
	before = atomic32_exchange(&item->holder, cpu + 1, MO_RELAXED);
	if (before != 0)
		explore_fail("an item of CPU %u was given to CPU %u", before - 1, cpu);
	return item;
}

void give(void *item)
{
	if (item == nullptr)
		return;
	atomic32_store(&static_cast<Item *>(item)->holder, 0, MO_RELAXED);
	uma_zfree(zone, item);
}

void settle()
{
	(void)uma_zone_reclaim(zone);
	free_before = vm_world_settle();
}

void check()
{
	uint64_t before = free_before;

	give(atomic_ptr_exchange(&hand_over, nullptr, MO_ACQUIRE));
	if (uma_zone_get_cur(zone) != 0)
		explore_fail("%d items are allocated still", uma_zone_get_cur(zone));
	settle();
	if (free_before != before)
		explore_fail("%lu pages are free, %lu were", (unsigned long)free_before,
			     (unsigned long)before);
}

/* --- Traffic --- */

void create_traffic()
{
	Item *items[2 * CPUS];

	make_zone(0);
	for (Item *&item : items)
		item = take(0, M_NOWAIT);
	for (Item *item : items)
		give(item);
	settle();
}

void run_traffic(unsigned cpu)
{
	Item *first = take(cpu, M_NOWAIT), *second;

	if (cpu == CPUS - 1) {
		give(first);
		(void)uma_zone_reclaim(zone);
		return;
	}
	second = take(cpu, M_NOWAIT);
	give(first);
	if (cpu == 0) {
		atomic_ptr_store(&hand_over, second, MO_RELEASE);
	} else {
		give(atomic_ptr_exchange(&hand_over, nullptr, MO_ACQUIRE));
		give(second);
	}
}

const struct explore_scenario zone_traffic = {
    .name = "zone_traffic",
    .about = "items of a zone are freed on other CPUs while one gives caches and slabs back",
    .cpus = CPUS,
    .world = EXPLORE_VM,
    .configure = vm_world_small,
    .create = create_traffic,
    .reset = settle,
    .run = run_traffic,
    .check = check,
};
EXPLORE_REGISTER(zone_traffic)

/* --- The limit --- */

void create_limit()
{
	make_zone(LIMIT);
	give(take(0, M_NOWAIT));
	settle();
}

void run_limit(unsigned cpu)
{
	Item *item = take(cpu, M_WAITOK);

	if (atomic32_add(&held, 1, MO_RELAXED) >= LIMIT)
		explore_fail("the zone's limit is %u, and more are allocated", LIMIT);
	explore_step();
	atomic32_sub(&held, 1, MO_RELAXED);
	give(item);
}

const struct explore_scenario zone_limit = {
    .name = "zone_limit",
    .about = "three threads wait for the one item that a zone allows",
    .cpus = CPUS,
    .world = EXPLORE_VM,
    .configure = vm_world_small,
    .create = create_limit,
    .reset = settle,
    .run = run_limit,
    .check = check,
};
EXPLORE_REGISTER(zone_limit)

} // namespace
} // namespace quire
