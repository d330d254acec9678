// SPDX-License-Identifier: BSD-2-Clause
/* Mutual exclusion among threads that sleep for it, by plain variables. */
#include "kernel/sched/mutex.h"

#include "kernel/sched/sleepq.h"
#include "tests/explore/scenario.h"

namespace quire
{
namespace
{

enum : unsigned { CPUS = 3 };

struct mutex mutex;
unsigned inside, total;

void create()
{
	mutex_init(&mutex, "explored", LOCK_RANK_KERNEL);
	explore_name(&mutex, sizeof(mutex), "mutex");
}

void reset()
{
	inside = total = 0;
}

void run(unsigned cpu)
{
	unsigned before;

	mutex_lock(&mutex);
	before = total;
	if (inside != 0)
		explore_fail("CPU %u is in the section together with CPU %u", cpu, inside - 1);
	inside = cpu + 1;
	explore_step();
	explore_step();
	inside = 0;
	total = before + 1;
	mutex_unlock(&mutex);
}

void check()
{
	if (total != CPUS || sleepq_count(&mutex) != 0)
		explore_fail("%u sections of %u count, %u threads sleep", total, CPUS,
			     sleepq_count(&mutex));
}

const struct explore_scenario mutex_exclusion = {
    .name = "mutex_exclusion",
    .about = "three threads take a mutex and sleep for it",
    .cpus = CPUS,
    .world = EXPLORE_SCHED,
    .create = create,
    .reset = reset,
    .run = run,
    .check = check,
};
EXPLORE_REGISTER(mutex_exclusion)

} // namespace
} // namespace quire
