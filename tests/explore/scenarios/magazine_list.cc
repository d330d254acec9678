// SPDX-License-Identifier: BSD-2-Clause
/*
 * The list of magazines that every CPU changes without a lock: two CPUs take magazines and bring
 * them back in another order, a third takes one. Each magazine is always in one place.
 */
#include "arch/physmap.h"
#include "tests/explore/scenario.h"
#include "vm/mag_cache_private.h"

namespace quire
{
namespace
{

enum : unsigned { CPUS = 3, MAGAZINES = 4 };

struct atomic64 list;
struct mag *mags;
struct atomic32 holder[MAGAZINES]; /* the CPU + 1, or 0 */

void create()
{
	mags = static_cast<struct mag *>(arch_physmap(explore_frame()));
	explore_name(&list, sizeof(list), "head of the list");
	explore_name(mags, MAGAZINES * sizeof(*mags), "magazines");
}

void reset()
{
	unsigned retries = 0;

	atomic64_store(&list, 0, MO_RELAXED);
	for (unsigned i = 0; i < MAGAZINES; i++) {
		atomic32_store(&holder[i], 0, MO_RELAXED);
		mags[i].count = i + 1;
		(void)mag_list_push(&list, &mags[i], UINT32_MAX, &retries);
	}
}

struct mag *take(unsigned cpu)
{
	unsigned retries = 0;
	struct mag *mag = mag_list_pop(&list, &retries);
	uint32_t before;

	if (mag == nullptr)
		return nullptr;
	before = atomic32_exchange(&holder[mag - mags], cpu + 1, MO_RELAXED);
	if (before != 0)
		explore_fail("magazine %td of CPU %u was given to CPU %u", mag - mags, before - 1,
			     cpu);
	return mag;
}

void give(struct mag *mag)
{
	unsigned retries = 0;

	if (mag == nullptr)
		return;
	atomic32_store(&holder[mag - mags], 0, MO_RELAXED);
	if (!mag_list_push(&list, mag, UINT32_MAX, &retries))
		explore_fail("a list without a limit refuses a magazine");
}

void run(unsigned cpu)
{
	struct mag *first = take(cpu), *second;

	if (cpu == 0)
		return;
	second = take(cpu);
	give(first);
	if (cpu == 1)
		give(second);
}

/* Each magazine is on the list or with somebody, and the sums of items are right. */
void check()
{
	uint32_t items = mag_list_items(&list);
	unsigned counted = 0, retries = 0;
	struct mag *mag;

	for (const struct atomic32 &h : holder)
		counted += h.value != 0;
	while ((mag = mag_list_pop(&list, &retries)) != nullptr) {
		if (holder[mag - mags].value != 0)
			explore_fail("magazine %td is on the list and with CPU %u", mag - mags,
				     holder[mag - mags].value - 1);
		items -= mag->count;
		if (++counted > MAGAZINES)
			explore_fail("the list has no end");
	}
	if (counted != MAGAZINES || items != 0)
		explore_fail("%u magazines of %u are there, the sum is wrong by %d", counted,
			     MAGAZINES, (int)items);
}

const struct explore_scenario magazine_list = {
    .name = "magazine_list",
    .about = "three CPUs take magazines off a list without a lock and bring some back",
    .cpus = CPUS,
    .world = EXPLORE_SMP,
    .create = create,
    .reset = reset,
    .run = run,
    .check = check,
};
EXPLORE_REGISTER(magazine_list)

} // namespace
} // namespace quire
