// SPDX-License-Identifier: BSD-2-Clause
/*
 * A CPU has interrupts off for a while and goes on using the page: the initiator waits for it, and
 * answers the third CPU's request while it does.
 */
#include "smp/spinlock.h"
#include "tests/explore/scenarios/keep.h"
#include "tests/explore/scenarios/mapped_page.h"

namespace quire
{
namespace
{

MappedPage pages[2];
struct spinlock lock;

void create()
{
	keep_shootdown_lines();
	pages[0].create(0);
	pages[1].create(2);
	spin_init(&lock, "held for a while", LOCK_RANK_NONE, 0);
}

void reset()
{
	pages[0].map();
	pages[1].map();
}

void run_busy()
{
	pages[0].use();
	spin_lock(&lock);
	for (unsigned i = 0; i < 3; i++) {
		pages[0].use();
		pages[1].use();
	}
	spin_unlock(&lock);
	pages[0].use();
}

void run(unsigned cpu)
{
	if (cpu < 2)
		pages[cpu].unmap_and_give_away();
	else
		run_busy();
}

const struct explore_scenario shootdown_irq_off = {
    .name = "shootdown_irq_off",
    .about = "two CPUs ask one that holds a spinlock and uses both pages",
    .cpus = 3,
    .world = EXPLORE_SMP,
    .create = create,
    .reset = reset,
    .run = run,
};
EXPLORE_REGISTER(shootdown_irq_off)

} // namespace
} // namespace quire
