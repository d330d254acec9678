// SPDX-License-Identifier: BSD-2-Clause
/*
 * Whom to ask: the initiator clears the entry, and THEN reads the set of those who may know it; a
 * CPU enters the set and THEN drops its TLB. Both steps of both are in order, also among CPUs, so
 * the initiator finds the CPU, or the CPU finds nothing any more. Where it finds the CPU it would
 * ask; here it leaves it at that, so that the search ends.
 */
#include "lib/planted.h"
#include "tests/explore/scenarios/mapped_page.h"

namespace quire
{
namespace
{

MappedPage page;
struct atomic32 set, fence;

void create()
{
	page.create(0);
	explore_watch(&set, sizeof(set), "set");
	explore_watch(&fence, sizeof(fence), "fence");
}

void reset()
{
	page.map();
}

void run_initiator()
{
	uint32_t targets = 0;

	if (PLANTED(mask_before_pte_clear))
		targets = atomic32_load(&set, MO_SEQ_CST);
	arch_pte_write(page.leaf, 0);
	if (!PLANTED(mask_without_fence))
		atomic32_exchange(&fence, 1, MO_SEQ_CST);
	if (!PLANTED(mask_before_pte_clear))
		targets = atomic32_load(&set, MO_SEQ_CST);
	if (targets == 0)
		page.reuse();
}

void run_joiner()
{
	page.read_ahead();
	if (PLANTED(enter_set_after_flush))
		arch_tlb_flush();
	atomic32_or(&set, 1, MO_SEQ_CST);
	if (!PLANTED(enter_set_after_flush))
		arch_tlb_flush();
	page.use();
}

void run(unsigned cpu)
{
	if (cpu == 0)
		run_initiator();
	else
		run_joiner();
}

/* The joiner has finished: if it was not asked, it has nothing of the page. */
void check()
{
	if (page.word()->value == MappedPage::NEXT_LIFE && host_tlb_find(1, page.va, nullptr))
		explore_fail("the joiner, who was not asked, remembers a page that is in use");
}

const struct explore_scenario litmus_target_set = {
    .name = "litmus_target_set",
    .about = "an initiator reads the set of targets while a CPU enters it",
    .cpus = 2,
    .world = EXPLORE_BARE,
    .flags = EXPLORE_LITMUS,
    .create = create,
    .reset = reset,
    .run = run,
    .check = check,
};
EXPLORE_REGISTER(litmus_target_set)

} // namespace
} // namespace quire
