// SPDX-License-Identifier: BSD-2-Clause
/*
 * The lowest generation that all have passed is remembered, so that most questions are one load. A
 * lazy CPU counts for the generation that was the newest BEFORE it was looked at: it may be active
 * a moment later, and what begins then waits for it.
 */
#include "lib/planted.h"
#include "tests/explore/litmus/deferred.h"
#include "tests/explore/scenarios/mapped_page.h"

namespace quire
{
namespace
{

enum : unsigned { OWNER, IDLER, SCANNER };

MappedPage page;
Generations generations;
struct atomic32 lowest;

void create()
{
	page.create(0);
	generations.create(0);
	explore_watch(&lowest, sizeof(lowest), "lowest");
}

void reset()
{
	page.map();
}

void run_owner()
{
	uint32_t wanted;

	arch_pte_exchange(page.leaf, 0);
	wanted = generations.begin();
	if (atomic32_load(&lowest, MO_ACQUIRE) >= wanted)
		page.reuse();
}

void run_scanner()
{
	uint32_t reached = generations.read();

	if (!generations.is_lazy(IDLER))
		reached = atomic32_load(&generations.seen[IDLER], MO_ACQUIRE);
	else if (PLANTED(lowest_read_late))
		reached = generations.read();
	atomic32_store(&lowest, reached, MO_RELEASE);
}

void run_idler()
{
	page.use();
	generations.lazy_enter(IDLER);
	generations.lazy_leave(IDLER);
	page.use();
}

void run(unsigned cpu)
{
	switch (cpu) {
	case OWNER:
		return run_owner();
	case IDLER:
		return run_idler();
	default:
		return run_scanner();
	}
}

const struct explore_scenario litmus_lowest = {
    .name = "litmus_lowest",
    .about = "what all have passed is remembered while a lazy CPU comes back",
    .cpus = 3,
    .world = EXPLORE_BARE,
    .flags = EXPLORE_LITMUS,
    .create = create,
    .reset = reset,
    .run = run,
};
EXPLORE_REGISTER(litmus_lowest)

} // namespace
} // namespace quire
