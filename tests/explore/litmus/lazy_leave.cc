// SPDX-License-Identifier: BSD-2-Clause
/*
 * A lazy CPU comes back: it says that it is active, THEN reads the generation, and flushes if that
 * is new. The owner begins a generation, THEN reads whether the CPU is lazy. All four are in one
 * order, so either he finds it active and waits, or it finds his generation. What the CPU still
 * remembers while it is lazy it does not use; so the oracle is not asked.
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

uint32_t begin_without_fence()
{
	uint32_t next = atomic32_load(&generations.newest, MO_RELAXED) + 1;

	atomic32_store(&generations.newest, next, MO_RELEASE);
	return next;
}

void run_owner()
{
	uint32_t wanted;

	arch_pte_write(page.leaf, 0);
	wanted = PLANTED(lazy_asked_without_fence) ? begin_without_fence() : generations.begin();
	if (generations.has_passed(IDLER, wanted))
		page.reuse();
}

void leave()
{
	uint32_t reached = generations.read(); /* too early */

	if (PLANTED(lazy_left_by_store))
		atomic32_store(&generations.lazy[IDLER], 0, MO_RELEASE);
	else
		atomic32_exchange(&generations.lazy[IDLER], 0, MO_SEQ_CST);
	if (PLANTED(lazy_no_catch_up))
		return;
	if (!PLANTED(lazy_read_before_active))
		return generations.catch_up(IDLER);
	if (reached == atomic32_load(&generations.seen[IDLER], MO_RELAXED))
		return;
	arch_tlb_flush();
	generations.publish(IDLER, reached);
}

void run(unsigned cpu)
{
	if (cpu != IDLER)
		return run_owner();
	page.use();
	generations.lazy_enter(IDLER);
	explore_step();
	leave();
	page.use();
}

const struct explore_scenario litmus_lazy_leave = {
    .name = "litmus_lazy_leave",
    .about = "a lazy CPU becomes active while a page goes",
    .cpus = 2,
    .world = EXPLORE_BARE,
    .flags = EXPLORE_LITMUS,
    .create = create,
    .reset = reset,
    .run = run,
};
EXPLORE_REGISTER(litmus_lazy_leave)

} // namespace
} // namespace quire
