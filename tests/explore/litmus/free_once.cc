// SPDX-License-Identifier: BSD-2-Clause
/*
 * Three CPUs free the same thing, which is a mistake of their caller's: one succeeds and the
 * others are told, since the state is looked at and changed in one step.
 */
#include "arch/atomic.h"
#include "lib/planted.h"
#include "tests/explore/scenario.h"

namespace quire
{
namespace
{

enum : uint32_t { FREE, ALLOCATED };

struct atomic32 state, freed, refused;

void create()
{
	state.value = ALLOCATED;
	explore_watch(&state, sizeof(state), "state");
	explore_watch(&freed, sizeof(freed), "freed");
	explore_watch(&refused, sizeof(refused), "refused");
}

uint32_t mark_free()
{
	uint32_t before;

	if (!PLANTED(state_in_two_steps))
		return atomic32_exchange(&state, FREE, MO_ACQ_REL);
	before = atomic32_load(&state, MO_ACQUIRE);
	atomic32_store(&state, FREE, MO_RELEASE);
	return before;
}

void run(unsigned)
{
	if (mark_free() == ALLOCATED)
		atomic32_add(&freed, 1, MO_RELAXED);
	else
		atomic32_add(&refused, 1, MO_RELAXED);
}

void check()
{
	if (freed.value != 1 || refused.value != 2)
		explore_fail("it was freed %u times, and refused %u times", freed.value,
			     refused.value);
}

const struct explore_scenario litmus_free_once = {
    .name = "litmus_free_once",
    .about = "three CPUs free the same thing",
    .cpus = 3,
    .world = EXPLORE_BARE,
    .flags = EXPLORE_LITMUS,
    .create = create,
    .run = run,
    .check = check,
};
EXPLORE_REGISTER(litmus_free_once)

} // namespace
} // namespace quire
