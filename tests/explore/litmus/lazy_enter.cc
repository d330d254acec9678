// SPDX-License-Identifier: BSD-2-Clause
/*
 * A CPU is done with every mapping that can go, THEN says that it is lazy: from that moment on
 * nobody waits for it.
 */
#include "lib/planted.h"
#include "tests/explore/litmus/deferred.h"
#include "tests/explore/scenarios/mapped_page.h"

namespace quire
{
namespace
{

enum : unsigned { IDLER = 1 };

MappedPage page;
Generations generations;

void create()
{
	page.create(0);
	generations.create(0);
}

void reset()
{
	page.map();
}

void run_owner()
{
	arch_pte_exchange(page.leaf, 0);
	if (generations.has_passed(IDLER, generations.begin()))
		page.reuse();
}

void run(unsigned cpu)
{
	if (cpu != IDLER)
		return run_owner();
	page.use();
	if (PLANTED(lazy_entered_early))
		generations.lazy_enter(IDLER);
	page.use();
	if (!PLANTED(lazy_entered_early))
		generations.lazy_enter(IDLER);
}

const struct explore_scenario litmus_lazy_enter = {
    .name = "litmus_lazy_enter",
    .about = "a CPU becomes lazy while a page goes",
    .cpus = 2,
    .world = EXPLORE_BARE,
    .flags = EXPLORE_LITMUS,
    .create = create,
    .reset = reset,
    .run = run,
};
EXPLORE_REGISTER(litmus_lazy_enter)

} // namespace
} // namespace quire
