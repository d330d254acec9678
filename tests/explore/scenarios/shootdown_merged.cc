// SPDX-License-Identifier: BSD-2-Clause
/*
 * Two requests that are small each and a full flush together, as the target serves them at once;
 * and the initiators flush page by page.
 */
#include "tests/explore/scenarios/keep.h"
#include "tests/explore/scenarios/mapped_page.h"

namespace quire
{
namespace
{

enum : unsigned { RANGE = SHOOTDOWN_RANGE_PAGES_MAX / 2 + 1 };

/* The last page of each range is mapped, the others never were. */
MappedPage pages[2];

void create()
{
	keep_shootdown_lines();
	pages[0].create(RANGE - 1);
	pages[1].create(2 * RANGE - 1);
}

void reset()
{
	pages[0].map();
	pages[1].map();
}

void run_owner(const MappedPage &page)
{
	vm_offset_t end = page.va + PAGE_SIZE;

	page.use();
	arch_pte_exchange(page.leaf, 0);
	shootdown_range(end - ptoa(RANGE), end, SHOOTDOWN_FREE);
	page.give_away();
}

void run(unsigned cpu)
{
	if (cpu < 2)
		return run_owner(pages[cpu]);
	for (unsigned i = 0; i < 4; i++)
		pages[i % 2].use();
}

const struct explore_scenario shootdown_merged = {
    .name = "shootdown_merged",
    .about = "two requests of many pages, which are one full flush when served together",
    .cpus = 3,
    .world = EXPLORE_SMP,
    .create = create,
    .reset = reset,
    .run = run,
};
EXPLORE_REGISTER(shootdown_merged)

} // namespace
} // namespace quire
