// SPDX-License-Identifier: BSD-2-Clause
/*
 * A CPU that starts late and a starter that gives up on it want the same stack: whoever changes
 * the claim first has it, the CPU to run on, the starter to free (smp/smp.c).
 */
#include "arch/cpus.h"
#include "lib/planted.h"
#include "tests/explore/scenario.h"

namespace quire
{
namespace
{

struct atomic32 claim, stack_in_use, stack_freed;

void create()
{
	explore_watch(&claim, sizeof(claim), "claim");
	explore_watch(&stack_in_use, sizeof(stack_in_use), "stack in use");
	explore_watch(&stack_freed, sizeof(stack_freed), "stack freed");
}

bool take(uint32_t wanted)
{
	uint32_t expected = ARCH_CPU_UNCLAIMED;

	if (!PLANTED(claim_in_two_steps))
		return atomic32_cas(&claim, &expected, wanted, MO_ACQ_REL);
	if (atomic32_load(&claim, MO_ACQUIRE) != expected)
		return false;
	atomic32_store(&claim, wanted, MO_RELEASE);
	return true;
}

void run(unsigned cpu)
{
	if (cpu == 0 && take(ARCH_CPU_ABANDONED))
		atomic32_store(&stack_freed, 1, MO_RELAXED);
	if (cpu == 1 && take(ARCH_CPU_CLAIMED))
		atomic32_store(&stack_in_use, 1, MO_RELAXED);
}

void check()
{
	if (stack_in_use.value + stack_freed.value != 1)
		explore_fail(stack_freed.value ? "the CPU runs on a stack that was freed"
					       : "nobody has the stack");
}

const struct explore_scenario litmus_claim = {
    .name = "litmus_claim",
    .about = "a CPU comes while its starter gives up",
    .cpus = 2,
    .world = EXPLORE_BARE,
    .flags = EXPLORE_LITMUS,
    .create = create,
    .run = run,
    .check = check,
};
EXPLORE_REGISTER(litmus_claim)

} // namespace
} // namespace quire
