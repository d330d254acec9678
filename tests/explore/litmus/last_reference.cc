// SPDX-License-Identifier: BSD-2-Clause
/* Who takes the count of references to zero frees, and nobody else does. */
#include "arch/atomic.h"
#include "lib/planted.h"
#include "tests/explore/scenario.h"

namespace quire
{
namespace
{

enum : unsigned { CPUS = 3 };

struct atomic32 references, freed;

void create()
{
	atomic32_store(&references, CPUS, MO_RELAXED);
	explore_watch(&references, sizeof(references), "references");
	explore_watch(&freed, sizeof(freed), "freed");
}

void run(unsigned)
{
	uint32_t left = atomic32_sub(&references, 1, MO_ACQ_REL) - 1;

	if (PLANTED(reference_read_again))
		left = atomic32_load(&references, MO_ACQUIRE);
	if (left == 0)
		atomic32_add(&freed, 1, MO_RELAXED);
}

void check()
{
	if (freed.value != 1)
		explore_fail("it was freed %u times", freed.value);
}

const struct explore_scenario litmus_last_reference = {
    .name = "litmus_last_reference",
    .about = "three CPUs drop a reference each",
    .cpus = CPUS,
    .world = EXPLORE_BARE,
    .flags = EXPLORE_LITMUS,
    .create = create,
    .run = run,
    .check = check,
};
EXPLORE_REGISTER(litmus_last_reference)

} // namespace
} // namespace quire
