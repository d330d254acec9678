// SPDX-License-Identifier: BSD-2-Clause
/*
 * A caller uses its one place for a call again as soon as the call is answered, so the target has
 * read everything of it before it answers (smp/call.c).
 */
#include "arch/atomic.h"
#include "lib/planted.h"
#include "tests/explore/scenario.h"

namespace quire
{
namespace
{

struct atomic32 argument, posted, pending, sum;

void create()
{
	explore_watch(&argument, sizeof(argument), "argument");
	explore_watch(&posted, sizeof(posted), "inbox");
	explore_watch(&pending, sizeof(pending), "pending");
	explore_watch(&sum, sizeof(sum), "sum of arguments");
}

void post(uint32_t value)
{
	atomic32_store(&argument, value, MO_RELAXED);
	atomic32_store(&pending, 1, MO_RELAXED);
	atomic32_or(&posted, 1, MO_RELEASE);
}

void run_caller()
{
	post(1);
	if (atomic32_load(&pending, MO_ACQUIRE) == 0)
		post(10);
}

void serve()
{
	if (atomic32_exchange(&posted, 0, MO_ACQUIRE) == 0)
		return;
	if (PLANTED(litmus_answer_first))
		atomic32_and(&pending, 0, MO_RELEASE);
	atomic32_add(&sum, atomic32_load(&argument, MO_RELAXED), MO_RELAXED);
	if (!PLANTED(litmus_answer_first))
		atomic32_and(&pending, 0, MO_RELEASE);
}

void run(unsigned cpu)
{
	if (cpu == 0)
		return run_caller();
	serve();
	serve();
}

/* Each call that was taken counts once: 0, 1 or 11; and 10 is still to come if it is posted. */
void check()
{
	uint32_t expected = 11;

	if (argument.value == 1)
		expected = posted.value != 0 ? 0 : 1;
	else if (posted.value != 0)
		expected = 1;
	if (sum.value != expected)
		explore_fail("the sum is %u instead of %u", sum.value, expected);
}

const struct explore_scenario litmus_call_reuse = {
    .name = "litmus_call_reuse",
    .about = "a call is answered and its place used again",
    .cpus = 2,
    .world = EXPLORE_BARE,
    .flags = EXPLORE_LITMUS,
    .create = create,
    .run = run,
    .check = check,
};
EXPLORE_REGISTER(litmus_call_reuse)

} // namespace
} // namespace quire
