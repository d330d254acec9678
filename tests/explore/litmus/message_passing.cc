// SPDX-License-Identifier: BSD-2-Clause
/* Data, then the flag that says that it is there; who sees the flag sees the data. */
#include "arch/atomic.h"
#include "lib/planted.h"
#include "tests/explore/scenario.h"

namespace quire
{
namespace
{

struct atomic32 data, flag;

void create()
{
	explore_watch(&data, sizeof(data), "data");
	explore_watch(&flag, sizeof(flag), "flag");
}

void run(unsigned cpu)
{
	if (cpu == 0) {
		if (PLANTED(message_flag_first))
			atomic32_store(&flag, 1, MO_RELEASE);
		atomic32_store(&data, 1, MO_RELAXED);
		atomic32_store(&flag, 1, MO_RELEASE);
		return;
	}
	if (atomic32_load(&flag, MO_ACQUIRE) != 0 && atomic32_load(&data, MO_RELAXED) == 0)
		explore_fail("the flag is there, the data is not");
}

const struct explore_scenario litmus_message_passing = {
    .name = "litmus_message_passing",
    .about = "one CPU writes data and a flag, two look for them",
    .cpus = 3,
    .world = EXPLORE_BARE,
    .flags = EXPLORE_LITMUS,
    .create = create,
    .run = run,
};
EXPLORE_REGISTER(litmus_message_passing)

} // namespace
} // namespace quire
