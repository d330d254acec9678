// SPDX-License-Identifier: BSD-2-Clause
/*
 * Who waits for pages says so and then looks; who brings one adds it and then looks for waiters.
 * At least one of them sees the other (vm_wait.c, fact 2).
 */
#include "arch/atomic.h"
#include "lib/planted.h"
#include "tests/explore/scenario.h"

namespace quire
{
namespace
{

struct atomic32 waiters, free_pages, sleeps, wakes;

void create()
{
	explore_watch(&waiters, sizeof(waiters), "waiters");
	explore_watch(&free_pages, sizeof(free_pages), "free pages");
	explore_watch(&sleeps, sizeof(sleeps), "sleeps");
	explore_watch(&wakes, sizeof(wakes), "wakes");
}

/* A read-modify-write that changes nothing, as changes of one word have one order. */
bool none_free()
{
	if (PLANTED(waiter_looks_by_load))
		return atomic32_load(&free_pages, MO_ACQUIRE) == 0;
	return atomic32_add(&free_pages, 0, MO_ACQ_REL) == 0;
}

void run_waiter()
{
	bool none = false;

	if (PLANTED(waiter_looks_first))
		none = none_free();
	if (PLANTED(waiter_looks_by_load))
		atomic32_store(&waiters, 1, MO_RELEASE);
	else
		atomic32_add(&waiters, 1, MO_ACQ_REL);
	if (!PLANTED(waiter_looks_first))
		none = none_free();
	if (none)
		atomic32_store(&sleeps, 1, MO_RELAXED);
}

void run_bringer()
{
	atomic32_add(&free_pages, 1, MO_ACQ_REL);
	if (atomic32_load(&waiters, MO_RELAXED) != 0)
		atomic32_store(&wakes, 1, MO_RELAXED);
}

void run(unsigned cpu)
{
	if (cpu == 0)
		run_waiter();
	else
		run_bringer();
}

void check()
{
	if (sleeps.value != 0 && wakes.value == 0)
		explore_fail("the waiter sleeps beside a free page, and nobody will wake it");
}

const struct explore_scenario litmus_waiter_count = {
    .name = "litmus_waiter_count",
    .about = "one CPU goes to wait for a page, another brings one",
    .cpus = 2,
    .world = EXPLORE_BARE,
    .flags = EXPLORE_LITMUS,
    .create = create,
    .run = run,
    .check = check,
};
EXPLORE_REGISTER(litmus_waiter_count)

} // namespace
} // namespace quire
