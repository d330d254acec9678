// SPDX-License-Identifier: BSD-2-Clause
/*
 * A page in quarantine is given away when EVERY other CPU has published a generation that covers
 * it; litmus_generation with two CPUs that catch up, each at its own time.
 */
#include "lib/planted.h"
#include "tests/explore/scenarios/mapped_page.h"

namespace quire
{
namespace
{

enum : unsigned { CPUS = 3 };

MappedPage page;
struct atomic32 generation, published[CPUS];

void create()
{
	page.create(0);
	explore_watch(&generation, sizeof(generation), "generation");
	explore_watch(published, sizeof(published), "published generations");
}

void reset()
{
	page.map();
}

void run_owner()
{
	unsigned first = PLANTED(quarantine_asks_one) ? 2 : 1;
	uint32_t wanted;

	arch_pte_exchange(page.leaf, 0);
	wanted = atomic32_add(&generation, 1, MO_SEQ_CST) + 1;
	arch_tlb_invalidate_page(page.va);
	for (unsigned cpu = first; cpu < CPUS; cpu++)
		if (atomic32_load(&published[cpu], MO_ACQUIRE) < wanted)
			return;
	page.give_away();
}

void run(unsigned cpu)
{
	uint32_t reached;

	if (cpu == 0)
		return run_owner();
	page.use();
	reached = atomic32_load(&generation, MO_SEQ_CST);
	arch_tlb_flush();
	atomic32_store(&published[cpu], reached, MO_RELEASE);
}

const struct explore_scenario litmus_quarantine = {
    .name = "litmus_quarantine",
    .about = "a page waits until two CPUs have caught up",
    .cpus = CPUS,
    .world = EXPLORE_BARE,
    .flags = EXPLORE_LITMUS,
    .create = create,
    .reset = reset,
    .run = run,
};
EXPLORE_REGISTER(litmus_quarantine)

} // namespace
} // namespace quire
