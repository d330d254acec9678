// SPDX-License-Identifier: BSD-2-Clause
/*
 * The initiator gives the page away when EVERY target's bit is gone from its word, not when it has
 * asked, nor when one has answered.
 */
#include "lib/planted.h"
#include "tests/explore/scenarios/mapped_page.h"

namespace quire
{
namespace
{

enum : uint32_t { BOTH = 1u << 1 | 1u << 2 };

MappedPage page;
struct atomic32 pending;

void create()
{
	page.create(0);
	explore_watch(&pending, sizeof(pending), "pending");
}

void reset()
{
	page.map();
}

void run_initiator()
{
	uint32_t waits_for = PLANTED(litmus_one_ack) ? 1u << 2 : BOTH;

	arch_pte_exchange(page.leaf, 0);
	atomic32_store(&pending, BOTH, MO_RELEASE);
	arch_tlb_invalidate_page(page.va);
	if (PLANTED(litmus_free_first) || (atomic32_load(&pending, MO_ACQUIRE) & waits_for) == 0)
		page.give_away();
}

void run(unsigned cpu)
{
	if (cpu == 0)
		return run_initiator();
	page.use();
	if ((atomic32_load(&pending, MO_ACQUIRE) & 1u << cpu) == 0)
		return;
	arch_tlb_invalidate_page(page.va);
	atomic32_and(&pending, ~(1u << cpu), MO_RELEASE);
	page.use();
}

const struct explore_scenario litmus_free_before_ack = {
    .name = "litmus_free_before_ack",
    .about = "a page is given away when both targets have acknowledged",
    .cpus = 3,
    .world = EXPLORE_BARE,
    .flags = EXPLORE_LITMUS,
    .create = create,
    .reset = reset,
    .run = run,
};
EXPLORE_REGISTER(litmus_free_before_ack)

} // namespace
} // namespace quire
