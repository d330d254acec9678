// SPDX-License-Identifier: BSD-2-Clause
/*
 * Somebody who cannot wait for the tick asks a laggard to catch up: he begins the generation, THEN
 * leaves his request; the laggard takes the request, THEN catches up. Otherwise a request is gone
 * that was not served, and he waits for ever.
 */
#include "lib/planted.h"
#include "tests/explore/litmus/deferred.h"
#include "tests/explore/scenarios/mapped_page.h"

namespace quire
{
namespace
{

enum : unsigned { LAGGARD = 1 };

MappedPage page;
Generations generations;
struct atomic32 request;

void create()
{
	page.create(0);
	generations.create(0);
	explore_watch(&request, sizeof(request), "request");
}

void reset()
{
	page.map();
}

void run_owner()
{
	uint32_t wanted;

	arch_pte_exchange(page.leaf, 0);
	if (PLANTED(force_before_generation))
		atomic32_or(&request, 1, MO_RELEASE);
	wanted = generations.begin();
	arch_tlb_invalidate_page(page.va);
	if (!PLANTED(force_before_generation))
		atomic32_or(&request, 1, MO_RELEASE);
	if (generations.has_seen(LAGGARD, wanted))
		page.give_away();
}

/* The handler of the interrupt that follows the request. */
void serve()
{
	if (PLANTED(force_taken_late)) {
		generations.catch_up(LAGGARD);
		atomic32_exchange(&request, 0, MO_ACQUIRE);
	} else if (atomic32_exchange(&request, 0, MO_ACQUIRE) != 0) {
		generations.catch_up(LAGGARD);
	}
}

void run(unsigned cpu)
{
	if (cpu != LAGGARD)
		return run_owner();
	page.use();
	serve();
	page.use();
}

void check()
{
	if (request.value == 0 && !generations.has_seen(LAGGARD, generations.newest.value))
		explore_fail("the request was taken and not served");
}

const struct explore_scenario litmus_force = {
    .name = "litmus_force",
    .about = "a laggard is asked to catch up",
    .cpus = 2,
    .world = EXPLORE_BARE,
    .flags = EXPLORE_LITMUS,
    .create = create,
    .reset = reset,
    .run = run,
    .check = check,
};
EXPLORE_REGISTER(litmus_force)

} // namespace
} // namespace quire
