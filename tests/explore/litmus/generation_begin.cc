// SPDX-License-Identifier: BSD-2-Clause
/*
 * Two CPUs begin generations at the same time: in one step each. Read and written separately, the
 * slower one would put the generation back, and the next to begin would be given one that the
 * others have passed long ago.
 */
#include "lib/planted.h"
#include "tests/explore/litmus/deferred.h"
#include "tests/explore/scenarios/mapped_page.h"

namespace quire
{
namespace
{

enum : unsigned { OWNER, OTHER, USER };

MappedPage page;
Generations generations;

uint32_t begin()
{
	uint32_t before;

	if (!PLANTED(generation_in_two_steps))
		return generations.begin();
	before = generations.read();
	atomic32_store(&generations.newest, before + 1, MO_SEQ_CST);
	return before + 1;
}

void create()
{
	page.create(0);
	generations.create(0);
}

void reset()
{
	page.map();
}

/* Two batches of something else go before the page. */
void run_owner()
{
	uint32_t wanted;

	begin();
	begin();
	arch_pte_exchange(page.leaf, 0);
	wanted = begin();
	if (generations.has_passed(USER, wanted))
		page.reuse();
}

void run(unsigned cpu)
{
	switch (cpu) {
	case OWNER:
		return run_owner();
	case OTHER:
		begin();
		return;
	default:
		generations.catch_up(USER);
		page.use();
		page.use();
	}
}

const struct explore_scenario litmus_generation_begin = {
    .name = "litmus_generation_begin",
    .about = "two CPUs begin generations at the same time",
    .cpus = 3,
    .world = EXPLORE_BARE,
    .flags = EXPLORE_LITMUS,
    .create = create,
    .reset = reset,
    .run = run,
};
EXPLORE_REGISTER(litmus_generation_begin)

} // namespace
} // namespace quire
