// SPDX-License-Identifier: BSD-2-Clause
/*
 * A handler is deregistered, and its memory used for something else, while other CPUs announce the
 * event. One handler stays, so that invocations have somewhere to go on to.
 */
#include "kernel/registry/eventhandler.h"
#include "tests/explore/scenario.h"

namespace quire
{
namespace
{

EVENTHANDLER_DEFINE(explored);

/* What the handler that goes was given; dead when it may not be called any more. */
struct Owner {
	struct eventhandler_entry entry;
	bool dead;
};

Owner owner;
struct eventhandler_entry stays;
struct atomic32 calls;

void handler_that_goes(void *arg)
{
	explore_step();
	if (static_cast<Owner *>(arg)->dead)
		explore_fail("a handler is called after its deregistration");
}

void handler_that_stays(void *)
{
	atomic32_add(&calls, 1, MO_RELAXED);
}

void create()
{
	EVENTHANDLER_REGISTER_ENTRY(explored, &stays, handler_that_stays, nullptr,
				    EVENTHANDLER_PRI_LAST);
}

void reset()
{
	owner.dead = false;
	atomic32_store(&calls, 0, MO_RELAXED);
	EVENTHANDLER_REGISTER_ENTRY(explored, &owner.entry, handler_that_goes, &owner,
				    EVENTHANDLER_PRI_FIRST);
}

void run(unsigned cpu)
{
	if (cpu != 0)
		return EVENTHANDLER_INVOKE(explored);
	EVENTHANDLER_DEREGISTER(explored, &owner.entry);
	owner.entry = {};
	owner.dead = true;
}

void check()
{
	if (atomic32_load(&calls, MO_RELAXED) != 2)
		explore_fail("two invocations reached the handler that stays %u times",
			     atomic32_load(&calls, MO_RELAXED));
}

const struct explore_scenario event_deregister = {
    .name = "event_deregister",
    .about = "an event handler is deregistered while two CPUs invoke the event",
    .cpus = 3,
    .world = EXPLORE_SCHED,
    .create = create,
    .reset = reset,
    .run = run,
    .check = check,
};
EXPLORE_REGISTER(event_deregister)

} // namespace
} // namespace quire
