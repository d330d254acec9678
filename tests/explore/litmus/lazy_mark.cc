// SPDX-License-Identifier: BSD-2-Clause
/*
 * A shootdown leaves a lazy CPU out, and marks it in the word that says that it is lazy, in one
 * step with the look; the CPU takes that word when it becomes active, and flushes if it is marked.
 */
#include "lib/planted.h"
#include "tests/explore/scenarios/mapped_page.h"

namespace quire
{
namespace
{

enum : unsigned { IDLER = 1 };
enum : uint32_t { LAZY = 1, STALE = 2 };

MappedPage page;
struct atomic32 state, line;

void create()
{
	page.create(0);
	explore_watch(&state, sizeof(state), "state");
	explore_watch(&line, sizeof(line), "line of the initiator");
}

void reset()
{
	page.map();
}

/* Need it not be asked? */
bool leave_out()
{
	uint32_t seen = atomic32_load(&state, MO_SEQ_CST);

	if ((seen & LAZY) == 0)
		return false;
	if (PLANTED(lazy_left_unmarked))
		return true;
	if (PLANTED(lazy_marked_by_store)) {
		atomic32_store(&state, LAZY | STALE, MO_SEQ_CST);
		return true;
	}
	return atomic32_cas(&state, &seen, LAZY | STALE, MO_SEQ_CST);
}

void run_initiator()
{
	arch_pte_write(page.leaf, 0);
	atomic32_exchange(&line, 1, MO_SEQ_CST);
	if (leave_out())
		page.reuse();
}

void run_idler()
{
	uint32_t was;

	page.use();
	atomic32_store(&state, LAZY, MO_RELEASE);
	explore_step();
	was = atomic32_exchange(&state, 0, MO_SEQ_CST);
	if ((was & STALE) != 0 && !PLANTED(lazy_mark_ignored))
		arch_tlb_flush();
	page.use();
}

void run(unsigned cpu)
{
	if (cpu == IDLER)
		run_idler();
	else
		run_initiator();
}

const struct explore_scenario litmus_lazy_mark = {
    .name = "litmus_lazy_mark",
    .about = "a shootdown leaves a lazy CPU out and marks it",
    .cpus = 2,
    .world = EXPLORE_BARE,
    .flags = EXPLORE_LITMUS,
    .create = create,
    .reset = reset,
    .run = run,
};
EXPLORE_REGISTER(litmus_lazy_mark)

} // namespace
} // namespace quire
