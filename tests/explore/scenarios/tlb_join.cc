// SPDX-License-Identifier: BSD-2-Clause
/*
 * A CPU comes online while a page waits for its generation: either it is waited for, or the flush
 * by which it joins comes after the entry was cleared. As in shootdown_join, the question is what
 * it remembers when it has joined.
 */
#include "smp/smp.h"
#include "smp/smp_private.h"
#include "smp/tlb.h"
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

void run_owner()
{
	tlb_generation_t generation;

	explore_step();
	arch_pte_write(page.leaf, 0);
	generation = tlb_generation_begin();
	tlb_catch_up();
	if (!tlb_generation_passed(generation))
		tlb_generation_force(generation, SHOOTDOWN_FORCED);
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

const struct explore_scenario tlb_join = {
    .name = "tlb_join",
    .about = "a CPU comes online while a page waits for its generation",
    .cpus = 2,
    .world = EXPLORE_SMP,
    .create = create,
    .reset = reset,
    .run = run,
    .check = check,
};
EXPLORE_REGISTER(tlb_join)

} // namespace
} // namespace quire
