// SPDX-License-Identifier: BSD-2-Clause
/*
 * Mutual exclusion by loads and stores: Dekker's flags and Peterson's turn, each as an attempt
 * that gives up rather than waits, so that the search ends.
 */
#include "arch/atomic.h"
#include "lib/planted.h"
#include "tests/explore/scenario.h"

namespace quire
{
namespace
{

struct atomic32 flags[2], turn, inside;

void create()
{
	explore_watch(flags, sizeof(flags), "flags");
	explore_watch(&turn, sizeof(turn), "turn");
	explore_watch(&inside, sizeof(inside), "inside");
}

void section(unsigned cpu)
{
	if (atomic32_add(&inside, 1, MO_RELAXED) != 0)
		explore_fail("CPU %u is not alone in the section", cpu);
	atomic32_sub(&inside, 1, MO_RELAXED);
}

void run_dekker(unsigned cpu)
{
	if (PLANTED(dekker_no_fence))
		atomic32_store(&flags[cpu], 1, MO_RELEASE);
	else
		atomic32_exchange(&flags[cpu], 1, MO_SEQ_CST);
	if (atomic32_load(&flags[1 - cpu], MO_SEQ_CST) == 0)
		section(cpu);
	atomic32_store(&flags[cpu], 0, MO_RELEASE);
}

const struct explore_scenario litmus_dekker = {
    .name = "litmus_dekker",
    .about = "two CPUs raise a flag each and enter if the other's is down",
    .cpus = 2,
    .world = EXPLORE_BARE,
    .flags = EXPLORE_LITMUS,
    .create = create,
    .run = run_dekker,
};
EXPLORE_REGISTER(litmus_dekker)

void run_peterson(unsigned cpu)
{
	if (PLANTED(peterson_turn_first))
		atomic32_exchange(&turn, 1 - cpu, MO_SEQ_CST);
	atomic32_store(&flags[cpu], 1, MO_RELEASE);
	if (!PLANTED(peterson_turn_first))
		atomic32_exchange(&turn, 1 - cpu, MO_SEQ_CST);
	if (atomic32_load(&flags[1 - cpu], MO_ACQUIRE) == 0 ||
	    atomic32_load(&turn, MO_ACQUIRE) == cpu)
		section(cpu);
	atomic32_store(&flags[cpu], 0, MO_RELEASE);
}

const struct explore_scenario litmus_peterson = {
    .name = "litmus_peterson",
    .about = "two CPUs raise a flag each and let the other go first",
    .cpus = 2,
    .world = EXPLORE_BARE,
    .flags = EXPLORE_LITMUS,
    .create = create,
    .run = run_peterson,
};
EXPLORE_REGISTER(litmus_peterson)

} // namespace
} // namespace quire
