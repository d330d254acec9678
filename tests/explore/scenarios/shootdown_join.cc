// SPDX-License-Identifier: BSD-2-Clause
/*
 * A CPU comes online while another takes a page away. Until the flush by which it joins it may
 * have read anything ahead, and use none of it; so the page may have its next owner while the CPU
 * still remembers it, and the question is what it remembers when it has joined.
 */
#include "smp/smp.h"
#include "smp/smp_private.h"
#include "tests/explore/scenarios/keep.h"
#include "tests/explore/scenarios/mapped_page.h"

namespace quire
{
namespace
{

enum : unsigned { JOINER = 1 };

MappedPage page;

void create()
{
	keep_shootdown_lines();
	page.create(0);
	explore_name(smp_online, sizeof(smp_online[0]), "online set");
}

void reset()
{
	page.map();
	atomic64_and(&smp_online[0], ~(UINT64_C(1) << JOINER), MO_SEQ_CST);
}

void run_joiner()
{
	arch_irq_disable();
	page.read_ahead();
	smp_join();
	page.use();
	arch_irq_enable();
	page.use();
}

/*
 * The entry is cleared by a plain store, which smp_online_set allows when a sequentially
 * consistent exchange follows: shootdown_range brings it.
 */
void run_owner()
{
	explore_step();
	arch_pte_write(page.leaf, 0);
	shootdown_range(page.va, page.va + PAGE_SIZE, SHOOTDOWN_FREE);
	page.reuse();
}

void run(unsigned cpu)
{
	if (cpu == JOINER)
		run_joiner();
	else
		run_owner();
}

void check()
{
	if (!smp_cpu_online(JOINER))
		explore_fail("CPU %u has not joined", JOINER);
	host_assert_no_translation(page.va, page.va + PAGE_SIZE);
}

const struct explore_scenario shootdown_join = {
    .name = "shootdown_join",
    .about = "a CPU comes online in the middle of a shootdown",
    .cpus = 2,
    .world = EXPLORE_SMP,
    .create = create,
    .reset = reset,
    .run = run,
    .check = check,
};
EXPLORE_REGISTER(shootdown_join)

} // namespace
} // namespace quire
