// SPDX-License-Identifier: BSD-2-Clause
/*
 * Two initiators leave a bit each in the inbox of a target, which takes all bits at once, serves
 * them and answers each. What comes while it serves stays in the inbox.
 */
#include "arch/atomic.h"
#include "lib/planted.h"
#include "tests/explore/scenario.h"

namespace quire
{
namespace
{

enum : unsigned { TARGET = 2 };

struct atomic32 inbox, requests[2], answers[2];

void create()
{
	explore_watch(&inbox, sizeof(inbox), "inbox");
	explore_watch(requests, sizeof(requests), "requests");
	explore_watch(answers, sizeof(answers), "answers");
}

void run_initiator(unsigned cpu)
{
	atomic32_store(&requests[cpu], cpu + 1, MO_RELAXED);
	atomic32_or(&inbox, 1u << cpu, MO_RELEASE);
}

void serve(uint32_t initiators)
{
	for (unsigned cpu = 0; cpu < 2; cpu++)
		if (initiators & 1u << cpu)
			atomic32_store(&answers[cpu], atomic32_load(&requests[cpu], MO_RELAXED),
				       MO_RELAXED);
}

void run_target()
{
	if (PLANTED(inbox_taken_late)) {
		serve(atomic32_load(&inbox, MO_ACQUIRE));
		atomic32_exchange(&inbox, 0, MO_ACQUIRE);
	} else {
		serve(atomic32_exchange(&inbox, 0, MO_ACQUIRE));
	}
}

void run(unsigned cpu)
{
	if (cpu == TARGET)
		run_target();
	else
		run_initiator(cpu);
}

void check()
{
	for (unsigned cpu = 0; cpu < 2; cpu++) {
		bool waits = inbox.value & 1u << cpu;

		if (!waits && answers[cpu].value != cpu + 1)
			explore_fail("the request of CPU %u was taken and not served", cpu);
	}
}

const struct explore_scenario litmus_inbox = {
    .name = "litmus_inbox",
    .about = "a target takes requests out of its inbox while they come",
    .cpus = 3,
    .world = EXPLORE_BARE,
    .flags = EXPLORE_LITMUS,
    .create = create,
    .run = run,
    .check = check,
};
EXPLORE_REGISTER(litmus_inbox)

} // namespace
} // namespace quire
