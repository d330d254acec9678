// SPDX-License-Identifier: BSD-2-Clause
/* Mutual exclusion, by plain variables that only the lock guards. */
#include "smp/spinlock.h"

#include "arch/cpu.h"
#include "tests/explore/scenario.h"

namespace quire
{
namespace
{

enum : unsigned { CPUS = 3, ROUNDS = 2 };

struct spinlock lock;
unsigned inside, total;

void create()
{
	spin_init(&lock, "explored", LOCK_RANK_NONE, 0);
	explore_name(&lock, sizeof(lock), "lock");
}

void reset()
{
	inside = total = 0;
}

void section(unsigned cpu)
{
	unsigned before = total;

	if (inside != 0)
		explore_fail("CPU %u is in the section together with CPU %u", cpu, inside - 1);
	inside = cpu + 1;
	explore_step();
	if (inside != cpu + 1)
		explore_fail("CPU %u came into the section of CPU %u", inside - 1, cpu);
	inside = 0;
	total = before + 1;
}

void run(unsigned cpu)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		if (cpu != 0 || i == 0)
			spin_lock(&lock);
		else if (!spin_trylock(&lock))
			spin_lock(&lock);
		section(cpu);
		spin_unlock(&lock);
		if (!arch_irq_enabled())
			explore_fail("CPU %u: interrupts are off without a lock", cpu);
	}
}

void check()
{
	if (total != CPUS * ROUNDS)
		explore_fail("%u sections of %u count", total, CPUS * ROUNDS);
}

const struct explore_scenario spinlock_exclusion = {
    .name = "spinlock_exclusion",
    .about = "three CPUs take a spinlock in turns, and try to",
    .cpus = CPUS,
    .world = EXPLORE_SMP,
    .create = create,
    .reset = reset,
    .run = run,
    .check = check,
};
EXPLORE_REGISTER(spinlock_exclusion)

} // namespace
} // namespace quire
