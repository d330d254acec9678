// SPDX-License-Identifier: BSD-2-Clause
/* The right to write is taken away: what the page holds afterwards stays as it is. */
#include "tests/explore/scenarios/keep.h"
#include "tests/explore/scenarios/mapped_page.h"

namespace quire
{
namespace
{

MappedPage page;

void create()
{
	keep_shootdown_lines();
	page.create(0);
}

void reset()
{
	page.map();
}

void expect_nobody_may_write()
{
	struct host_tlb_entry known;

	for (unsigned cpu = 0; cpu < 3; cpu++)
		if (host_tlb_find(cpu, page.va, &known) && known.writable)
			explore_fail("CPU %u still remembers the page as writable", cpu);
}

void run_owner()
{
	uint64_t sealed;

	arch_pte_exchange(page.leaf, page.present() & ~PTE_WRITE);
	shootdown_range(page.va, page.va + PAGE_SIZE, SHOOTDOWN_PROTECT);
	sealed = atomic64_load(page.word(), MO_ACQUIRE);
	expect_nobody_may_write();
	explore_step();
	explore_step();
	if (atomic64_load(page.word(), MO_ACQUIRE) != sealed)
		explore_fail("the page changed after the right to write was gone");
}

/* The simulated CPU translates and stores in one step, as an instruction does. */
void run_writer(unsigned cpu)
{
	for (uint64_t i = 1; i <= 3; i++) {
		uint64_t value = cpu * 16 + i;

		explore_step();
		if (!host_store_nofault(page.va, &value, sizeof(value)))
			return;
	}
}

void run(unsigned cpu)
{
	if (cpu == 0)
		run_owner();
	else
		run_writer(cpu);
}

void check()
{
	uint64_t value = 0;

	if (host_store_nofault(page.va, &value, sizeof(value)))
		explore_fail("the page can still be written");
}

const struct explore_scenario shootdown_protect = {
    .name = "shootdown_protect",
    .about = "a page becomes read-only while two CPUs write to it",
    .cpus = 3,
    .world = EXPLORE_SMP,
    .create = create,
    .reset = reset,
    .run = run,
    .check = check,
};
EXPLORE_REGISTER(shootdown_protect)

} // namespace
} // namespace quire
