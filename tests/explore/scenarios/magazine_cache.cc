// SPDX-License-Identifier: BSD-2-Clause
/*
 * A cache with magazines of two items, so that nearly each call exchanges one: two CPUs allocate
 * and free, one frees what the other allocated, a third empties all. Every item is in one place,
 * and in the end all are back where they were imported from.
 */
#include "smp/spinlock.h"
#include "tests/explore/scenarios/keep.h"
#include "tests/explore/scenarios/vm_world.h"
#include "vm/mag_cache.h"

namespace quire
{
namespace
{

enum : unsigned { CPUS = 3, ITEMS = 16, ROUNDS = 2 };

struct Item {
	struct atomic32 holder; /* the CPU + 1, or 0: at home or in the cache */
	bool home;              /* under the lock */
};

struct mag_cache cache;
struct spinlock lock;
Item items[ITEMS];
struct atomic_ptr hand_over; /* an item that CPU 0 leaves for CPU 1 */

unsigned import(void *, void **out, unsigned want, int)
{
	unsigned n = 0;

	spin_lock(&lock);
	for (Item &item : items) {
		if (n == want || !item.home)
			continue;
		item.home = false;
		out[n++] = &item;
	}
	spin_unlock(&lock);
	return n;
}

void release(void *, void **back, unsigned count)
{
	spin_lock(&lock);
	for (unsigned i = 0; i < count; i++) {
		Item *item = static_cast<Item *>(back[i]);

		if (item->home)
			explore_fail("item %td comes home twice", item - items);
		item->home = true;
	}
	spin_unlock(&lock);
}

void complain(const char *line)
{
	explore_fail("%s", line);
}

Item *take(unsigned cpu)
{
	Item *item = static_cast<Item *>(mag_cache_alloc(&cache));
	uint32_t before;

	if (item == nullptr)
		item = static_cast<Item *>(mag_cache_alloc_slow(&cache, 0));
	if (item == nullptr)
		explore_fail("CPU %u gets no item", cpu);
	before = atomic32_exchange(&item->holder, cpu + 1, MO_RELAXED);
	if (before != 0)
		explore_fail("item %td of CPU %u was given to CPU %u", item - items, before - 1,
			     cpu);
	return item;
}

void give(Item *item)
{
	atomic32_store(&item->holder, 0, MO_RELAXED);
	if (!mag_cache_free(&cache, item))
		mag_cache_free_slow(&cache, item);
}

void give_handed_over()
{
	void *left = atomic_ptr_exchange(&hand_over, nullptr, MO_ACQUIRE);

	if (left != nullptr)
		give(static_cast<Item *>(left));
}

void create_with(unsigned stash_max)
{
	struct mag_cache_config config = {};

	keep_shootdown_lines();
	config.name = "explored";
	config.rounds_min = config.rounds_max = ROUNDS;
	config.stash_max = stash_max;
	config.import = import;
	config.release = release;
	spin_init(&lock, "home of the items", LOCK_RANK_NONE, 0);
	for (Item &item : items)
		item.home = true;
	if (mag_cache_init(&cache, &config) != KERN_SUCCESS)
		explore_fail("no room for the cache in the areas of the CPUs");
	vm_world_prepare();
	explore_keep(&cache, sizeof(cache));
}

void create()
{
	create_with(0);
}

void create_stash()
{
	create_with(2);
}

void reset()
{
	for (Item &item : items) {
		item.home = true;
		atomic32_store(&item.holder, 0, MO_RELAXED);
	}
}

void run_pairs(unsigned cpu)
{
	Item *held[ROUNDS + 1];

	for (Item *&item : held)
		item = take(cpu);
	if (cpu == 1)
		give_handed_over();
	give(held[0]);
	give(held[1]);
	if (cpu == 0)
		atomic_ptr_store(&hand_over, held[2], MO_RELEASE);
	else
		give(held[2]);
}

/* Fills its stash, empties it, and fills it again. */
void run_batch(unsigned cpu)
{
	Item *held[3 * ROUNDS + 1];

	for (Item *&item : held)
		item = take(cpu);
	for (Item *item : held)
		give(item);
	give(take(cpu));
}

void run_stash(unsigned cpu)
{
	if (cpu == 0)
		return run_batch(cpu);
	if (cpu == 1)
		return run_pairs(cpu);
	give(take(cpu));
	(void)mag_cache_drain(&cache);
}

void run(unsigned cpu)
{
	if (cpu < CPUS - 1)
		return run_pairs(cpu);
	give(take(cpu));
	(void)mag_cache_drain(&cache);
}

void check()
{
	give_handed_over();
	(void)mag_cache_audit(&cache, complain);
	(void)mag_cache_drain(&cache);
	for (const Item &item : items)
		if (!item.home)
			explore_fail("item %td is not back", &item - items);
}

const struct explore_scenario magazine_cache = {
    .name = "magazine_cache",
    .about = "two CPUs exchange magazines of two items while a third empties all",
    .cpus = CPUS,
    .world = EXPLORE_VM,
    .configure = vm_world_small,
    .create = create,
    .reset = reset,
    .run = run,
    .check = check,
};
EXPLORE_REGISTER(magazine_cache)

const struct explore_scenario magazine_stash = {
    .name = "magazine_stash",
    .about = "one CPU fills and empties its stash, one exchanges magazines, a third empties all",
    .cpus = CPUS,
    .world = EXPLORE_VM,
    .configure = vm_world_small,
    .create = create_stash,
    .reset = reset,
    .run = run_stash,
    .check = check,
};
EXPLORE_REGISTER(magazine_stash)

} // namespace
} // namespace quire
