// SPDX-License-Identifier: BSD-2-Clause
/*
 * A shootdown reduced to its bones: the target drops the translation, THEN acknowledges. Only when
 * it sees the acknowledgement the initiator gives the page away.
 */
#include "lib/planted.h"
#include "tests/explore/scenarios/mapped_page.h"

namespace quire
{
namespace
{

MappedPage page;
struct atomic32 request, acknowledged;

void create()
{
	page.create(0);
	explore_watch(&request, sizeof(request), "request");
	explore_watch(&acknowledged, sizeof(acknowledged), "acknowledgement");
}

void reset()
{
	page.map();
}

void run_initiator()
{
	arch_pte_exchange(page.leaf, 0);
	atomic32_store(&request, 1, MO_RELEASE);
	arch_tlb_invalidate_page(page.va);
	if (atomic32_load(&acknowledged, MO_ACQUIRE) != 0)
		page.give_away();
}

void run_target()
{
	page.use();
	if (atomic32_load(&request, MO_ACQUIRE) == 0)
		return;
	if (PLANTED(litmus_ack_first))
		atomic32_store(&acknowledged, 1, MO_RELEASE);
	arch_tlb_invalidate_page(page.va);
	atomic32_store(&acknowledged, 1, MO_RELEASE);
	page.use();
}

void run(unsigned cpu)
{
	if (cpu == 0)
		run_initiator();
	else
		run_target();
}

const struct explore_scenario litmus_ack_order = {
    .name = "litmus_ack_order",
    .about = "a target drops a translation and then acknowledges",
    .cpus = 2,
    .world = EXPLORE_BARE,
    .flags = EXPLORE_LITMUS,
    .create = create,
    .reset = reset,
    .run = run,
};
EXPLORE_REGISTER(litmus_ack_order)

} // namespace
} // namespace quire
