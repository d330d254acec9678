// SPDX-License-Identifier: BSD-2-Clause
/*
 * Shootdown by generations: whoever takes a mapping away raises the generation and keeps the page
 * until each CPU has published one at least as high; a CPU that catches up reads the generation,
 * THEN drops its TLB, then publishes what it read. Read after the flush, the generation would
 * cover a mapping that was taken away in between, and that the CPU may have read ahead again.
 */
#include "lib/planted.h"
#include "tests/explore/scenarios/mapped_page.h"

namespace quire
{
namespace
{

MappedPage page;
struct atomic32 generation, published;

void create()
{
	page.create(0);
	explore_watch(&generation, sizeof(generation), "generation");
	explore_watch(&published, sizeof(published), "published generation");
}

void reset()
{
	page.map();
}

void run_owner()
{
	uint32_t wanted;

	arch_pte_exchange(page.leaf, 0);
	wanted = atomic32_add(&generation, 1, MO_SEQ_CST) + 1;
	arch_tlb_invalidate_page(page.va);
	if (atomic32_load(&published, MO_ACQUIRE) >= wanted)
		page.give_away();
}

void catch_up()
{
	uint32_t reached = 0;

	if (!PLANTED(generation_after_flush))
		reached = atomic32_load(&generation, MO_SEQ_CST);
	arch_tlb_flush();
	if (PLANTED(generation_after_flush))
		reached = atomic32_load(&generation, MO_SEQ_CST);
	/* Not before the flush: a store is not visible earlier than what the CPU did before it. */
	if (!PLANTED(generation_published_first))
		atomic32_store(&published, reached, MO_RELEASE);
}

void run(unsigned cpu)
{
	if (cpu == 0)
		return run_owner();
	page.use();
	if (PLANTED(generation_published_first))
		atomic32_store(&published, atomic32_load(&generation, MO_SEQ_CST), MO_RELEASE);
	catch_up();
}

const struct explore_scenario litmus_generation = {
    .name = "litmus_generation",
    .about = "a CPU catches up with the generation of shootdowns",
    .cpus = 2,
    .world = EXPLORE_BARE,
    .flags = EXPLORE_LITMUS,
    .create = create,
    .reset = reset,
    .run = run,
};
EXPLORE_REGISTER(litmus_generation)

} // namespace
} // namespace quire
