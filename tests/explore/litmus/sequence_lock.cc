// SPDX-License-Identifier: BSD-2-Clause
/*
 * A pair of words is written between two steps of a counter; a reader that finds the same even
 * number before and after has seen both words of one moment.
 */
#include "arch/atomic.h"
#include "lib/planted.h"
#include "tests/explore/scenario.h"

namespace quire
{
namespace
{

struct atomic32 sequence, left, right;

void create()
{
	explore_watch(&sequence, sizeof(sequence), "sequence");
	explore_watch(&left, sizeof(left), "left");
	explore_watch(&right, sizeof(right), "right");
}

void run_writer()
{
	if (!PLANTED(sequence_only_after))
		atomic32_store(&sequence, 1, MO_RELAXED);
	atomic32_store(&left, 1, MO_RELEASE);
	atomic32_store(&right, 1, MO_RELEASE);
	atomic32_store(&sequence, 2, MO_RELEASE);
}

void run_reader()
{
	uint32_t before = atomic32_load(&sequence, MO_ACQUIRE);
	uint32_t l = atomic32_load(&left, MO_ACQUIRE), r = atomic32_load(&right, MO_ACQUIRE);

	if (before % 2 == 0 && atomic32_load(&sequence, MO_RELAXED) == before && l != r)
		explore_fail("left is %u and right is %u", l, r);
}

void run(unsigned cpu)
{
	if (cpu == 0)
		run_writer();
	else
		run_reader();
}

const struct explore_scenario litmus_sequence_lock = {
    .name = "litmus_sequence_lock",
    .about = "a pair is written while two CPUs read it",
    .cpus = 3,
    .world = EXPLORE_BARE,
    .flags = EXPLORE_LITMUS,
    .create = create,
    .run = run,
};
EXPLORE_REGISTER(litmus_sequence_lock)

} // namespace
} // namespace quire
