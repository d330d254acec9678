// SPDX-License-Identifier: BSD-2-Clause
/*
 * Two threads wait for a token each; a third puts two down, and wakes one waiter for each. Nobody
 * may be left asleep beside a token.
 */
#include "kernel/sched/sleepq.h"
#include "tests/explore/scenario.h"

namespace quire
{
namespace
{

struct spinlock lock;
unsigned tokens; /* under the lock */

void create()
{
	spin_init(&lock, "tokens", LOCK_RANK_NONE, 0);
	explore_name(&lock, sizeof(lock), "lock of the tokens");
}

void reset()
{
	tokens = 0;
}

void put()
{
	spin_lock(&lock);
	tokens++;
	spin_unlock(&lock);
	wakeup_one(&tokens);
}

void get()
{
	spin_lock(&lock);
	while (tokens == 0)
		(void)sleep_on_spin(&tokens, &lock, "token", SLEEP_FOREVER);
	tokens--;
	spin_unlock(&lock);
}

void run(unsigned cpu)
{
	if (cpu != 0)
		return get();
	put();
	put();
}

void check()
{
	if (tokens != 0 || sleepq_count(&tokens) != 0)
		explore_fail("%u tokens are left, %u threads sleep", tokens, sleepq_count(&tokens));
}

const struct explore_scenario wakeup_one_each = {
    .name = "wakeup_one_each",
    .about = "two threads sleep, a third wakes one at a time",
    .cpus = 3,
    .world = EXPLORE_SCHED,
    .create = create,
    .reset = reset,
    .run = run,
    .check = check,
};
EXPLORE_REGISTER(wakeup_one_each)

} // namespace
} // namespace quire
