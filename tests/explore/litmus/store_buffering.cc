// SPDX-License-Identifier: BSD-2-Clause
/*
 * Two CPUs store each to its own word and load the other's. With a locked operation between the
 * two, at least one finds the other's store; without, both stores may still wait in their buffers
 * (Intel SDM vol. 3A 9.2.3.4).
 */
#include "arch/atomic.h"
#include "lib/planted.h"
#include "tests/explore/scenario.h"

namespace quire
{
namespace
{

struct atomic32 words[2], seen[2];

void create()
{
	explore_watch(&words[0], sizeof(words[0]), "word of cpu 0");
	explore_watch(&words[1], sizeof(words[1]), "word of cpu 1");
	explore_watch(seen, sizeof(seen), "what each has seen");
}

void run(unsigned cpu)
{
	if (PLANTED(store_buffering_no_fence))
		atomic32_store(&words[cpu], 1, MO_RELEASE);
	else
		atomic32_exchange(&words[cpu], 1, MO_SEQ_CST);
	atomic32_store(&seen[cpu], atomic32_load(&words[1 - cpu], MO_SEQ_CST), MO_RELAXED);
}

void check()
{
	if (seen[0].value == 0 && seen[1].value == 0)
		explore_fail("neither CPU has seen the other's store");
}

const struct explore_scenario litmus_store_buffering = {
    .name = "litmus_store_buffering",
    .about = "two CPUs store, then load the other's word",
    .cpus = 2,
    .world = EXPLORE_BARE,
    .flags = EXPLORE_LITMUS,
    .create = create,
    .run = run,
    .check = check,
};
EXPLORE_REGISTER(litmus_store_buffering)

} // namespace
} // namespace quire
