// SPDX-License-Identifier: BSD-2-Clause
/*
 * A ball goes to and fro between two threads on two CPUs, each of which sleeps until it has it. A
 * wake-up that is lost leaves a machine on which nobody can run.
 */
#include "kernel/sched/sleepq.h"
#include "tests/explore/scenario.h"

namespace quire
{
namespace
{

enum : unsigned { ROUNDS = 2 };

struct spinlock lock;
unsigned has_ball; /* the CPU; under the lock */

void create()
{
	spin_init(&lock, "ball", LOCK_RANK_NONE, 0);
	explore_name(&lock, sizeof(lock), "lock of the ball");
}

void reset()
{
	has_ball = 0;
}

void run(unsigned cpu)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		spin_lock(&lock);
		while (has_ball != cpu)
			(void)sleep_on_spin(&has_ball, &lock, "ball", SLEEP_FOREVER);
		has_ball = 1 - cpu;
		/* With the lock held one time, and without it the next. */
		if (i % 2 == 0)
			wakeup(&has_ball);
		spin_unlock(&lock);
		if (i % 2 != 0)
			wakeup(&has_ball);
	}
}

void check()
{
	if (sleepq_count(&has_ball) != 0)
		explore_fail("a thread sleeps still");
}

const struct explore_scenario sleep_wakeup = {
    .name = "sleep_wakeup",
    .about = "two threads wait for each other in turns",
    .cpus = 2,
    .world = EXPLORE_SCHED,
    .create = create,
    .reset = reset,
    .run = run,
    .check = check,
};
EXPLORE_REGISTER(sleep_wakeup)

} // namespace
} // namespace quire
