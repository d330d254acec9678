// SPDX-License-Identifier: BSD-2-Clause
/*
 * The generation goes past its maximum while two pages go: it is compared as a distance, because as
 * a number it is smaller afterwards, and everybody seems to have passed it.
 */
#include "lib/planted.h"
#include "tests/explore/litmus/deferred.h"
#include "tests/explore/scenarios/mapped_page.h"

namespace quire
{
namespace
{

enum : unsigned { USER = 1 };

MappedPage pages[2];
Generations generations;

void create()
{
	pages[0].create(0);
	pages[1].create(2);
	generations.create(UINT32_MAX - 1);
}

void reset()
{
	for (const MappedPage &page : pages)
		page.map();
}

bool has_passed(uint32_t wanted)
{
	if (PLANTED(generation_as_number))
		return atomic32_load(&generations.seen[USER], MO_ACQUIRE) >= wanted;
	return generations.has_seen(USER, wanted);
}

void run_owner()
{
	for (const MappedPage &page : pages) {
		uint32_t wanted;

		arch_pte_exchange(page.leaf, 0);
		wanted = generations.begin();
		arch_tlb_invalidate_page(page.va);
		if (has_passed(wanted))
			page.give_away();
	}
}

void run_user()
{
	pages[0].use();
	pages[1].use();
	generations.catch_up(USER);
	pages[1].use();
	generations.catch_up(USER);
}

void run(unsigned cpu)
{
	if (cpu == USER)
		run_user();
	else
		run_owner();
}

const struct explore_scenario litmus_generation_wrap = {
    .name = "litmus_generation_wrap",
    .about = "the generation passes its maximum while two pages go",
    .cpus = 2,
    .world = EXPLORE_BARE,
    .flags = EXPLORE_LITMUS,
    .create = create,
    .reset = reset,
    .run = run,
};
EXPLORE_REGISTER(litmus_generation_wrap)

} // namespace
} // namespace quire
