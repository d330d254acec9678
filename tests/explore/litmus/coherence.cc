// SPDX-License-Identifier: BSD-2-Clause
/*
 * What every x86 promises and the simulated one must keep, with and without store buffers: the
 * values of one word are seen in one order, and stores of different CPUs to different words are
 * seen by all others in one order (Intel SDM vol. 3A 9.2.3.2, 9.2.3.6 and 9.2.3.7).
 */
#include "arch/atomic.h"
#include "lib/planted.h"
#include "tests/explore/scenario.h"

namespace quire
{
namespace
{

struct atomic32 x, y, seen[2][2];

void create()
{
	explore_watch(&x, sizeof(x), "x");
	explore_watch(&y, sizeof(y), "y");
	explore_watch(seen, sizeof(seen), "what the readers have seen");
}

/* --- One word --- */

void run_word(unsigned cpu)
{
	uint32_t first, second;

	if (cpu == 0) {
		atomic32_store(&x, 1, MO_RELAXED);
		atomic32_store(&x, PLANTED(word_goes_back) ? 0 : 2, MO_RELAXED);
		return;
	}
	first = atomic32_load(&x, MO_RELAXED);
	second = atomic32_load(&x, MO_RELAXED);
	if (second < first)
		explore_fail("the word was %u and is %u", first, second);
}

const struct explore_scenario litmus_coherence = {
    .name = "litmus_coherence",
    .about = "one CPU counts a word up, two read it twice",
    .cpus = 3,
    .world = EXPLORE_BARE,
    .flags = EXPLORE_LITMUS,
    .create = create,
    .run = run_word,
};
EXPLORE_REGISTER(litmus_coherence)

/* --- Independent reads of independent writes --- */

void read_pair(struct atomic32 *out, const struct atomic32 *first, const struct atomic32 *second)
{
	atomic32_store(&out[0], atomic32_load(first, MO_ACQUIRE), MO_RELAXED);
	atomic32_store(&out[1], atomic32_load(second, MO_ACQUIRE), MO_RELAXED);
}

void run_independent(unsigned cpu)
{
	if (cpu == 0)
		atomic32_store(&x, 1, MO_RELEASE);
	else if (cpu == 1)
		atomic32_store(&y, 1, MO_RELEASE);
	else if (cpu == 2)
		read_pair(seen[0], &x, &y);
	else if (PLANTED(reads_in_any_order))
		read_pair(seen[1], &x, &y);
	else
		read_pair(seen[1], &y, &x);
}

void check_independent()
{
	bool x_first = seen[0][0].value == 1 && seen[0][1].value == 0;
	bool y_first = PLANTED(reads_in_any_order) ? seen[1][0].value == 0 && seen[1][1].value == 1
						   : seen[1][0].value == 1 && seen[1][1].value == 0;

	if (x_first && y_first)
		explore_fail("CPU 2 sees x before y, CPU 3 sees y before x");
}

const struct explore_scenario litmus_independent_reads = {
    .name = "litmus_independent_reads",
    .about = "two CPUs write a word each, two read both in opposite orders",
    .cpus = 4,
    .world = EXPLORE_BARE,
    .flags = EXPLORE_LITMUS,
    .create = create,
    .run = run_independent,
    .check = check_independent,
};
EXPLORE_REGISTER(litmus_independent_reads)

} // namespace
} // namespace quire
