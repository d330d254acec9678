// SPDX-License-Identifier: BSD-2-Clause
/*
 * A CPU comes online while a page goes. Before it is seen it says a generation that it has reached
 * (nobody must take what stood there for one that is ahead); then it enters the set, reads the
 * generation, flushes, and publishes. Until the flush it uses nothing of what it may remember; so
 * the question is what it remembers in the end.
 */
#include "lib/planted.h"
#include "tests/explore/litmus/deferred.h"
#include "tests/explore/scenarios/mapped_page.h"

namespace quire
{
namespace
{

enum : unsigned { JOINER = 1 };
enum : uint32_t { FIRST = UINT32_MAX - 1 }; /* just ahead of it is 0 */

MappedPage page;
Generations generations;
struct atomic32 online;

void create()
{
	page.create(0);
	generations.create(FIRST);
	generations.seen[JOINER].value = 0; /* nobody has written it yet */
	explore_watch(&online, sizeof(online), "online");
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
	if (atomic32_load(&online, MO_SEQ_CST) == 0 || generations.has_seen(JOINER, wanted))
		page.reuse();
}

void enter()
{
	atomic32_exchange(&online, 1, MO_SEQ_CST);
}

void run_joiner()
{
	uint32_t reached;

	page.read_ahead();
	if (!PLANTED(join_seen_unset))
		generations.publish(JOINER, generations.read());
	if (!PLANTED(join_entered_late))
		enter();
	reached = generations.read();
	arch_tlb_flush();
	if (PLANTED(join_read_after_flush))
		reached = generations.read();
	generations.publish(JOINER, reached);
	if (PLANTED(join_entered_late))
		enter();
	page.use();
}

void run(unsigned cpu)
{
	if (cpu == JOINER)
		run_joiner();
	else
		run_owner();
}

void check()
{
	if (page.word()->value == MappedPage::NEXT_LIFE && host_tlb_find(JOINER, page.va, nullptr))
		explore_fail("the CPU has joined and remembers a page that is in use");
}

const struct explore_scenario litmus_join_generation = {
    .name = "litmus_join_generation",
    .about = "a CPU comes online while a page waits for its generation",
    .cpus = 2,
    .world = EXPLORE_BARE,
    .flags = EXPLORE_LITMUS,
    .create = create,
    .reset = reset,
    .run = run,
    .check = check,
};
EXPLORE_REGISTER(litmus_join_generation)

} // namespace
} // namespace quire
