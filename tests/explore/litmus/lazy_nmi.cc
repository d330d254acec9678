// SPDX-License-Identifier: BSD-2-Clause
/*
 * A CPU that says it is lazy need not be asked: it will drop its TLB before it uses any mapping
 * that can be taken away. That holds for a non-maskable interrupt as well, which may come while
 * the CPU is lazy, and before it has caught up: its handler touches permanent mappings only.
 */
#include "lib/planted.h"
#include "tests/explore/scenarios/mapped_page.h"

namespace quire
{
namespace
{

enum : unsigned { LAZY_CPU = 1 };

MappedPage page;
struct atomic32 lazy;

void create()
{
	page.create(0);
	explore_watch(&lazy, sizeof(lazy), "lazy");
}

void reset()
{
	page.map();
}

/* A lazy CPU may remember the page, as it does not use it: the oracle is not asked. */
void run_owner()
{
	arch_pte_exchange(page.leaf, 0);
	arch_tlb_invalidate_page(page.va);
	if (atomic32_load(&lazy, MO_SEQ_CST) != 0)
		page.reuse();
}

void run_lazy()
{
	page.use();
	atomic32_exchange(&lazy, 1, MO_SEQ_CST);
	explore_step();
	if (PLANTED(lazy_left_after_flush))
		arch_tlb_flush();
	atomic32_exchange(&lazy, 0, MO_SEQ_CST);
	if (!PLANTED(lazy_left_after_flush))
		arch_tlb_flush();
	page.use();
}

void run(unsigned cpu)
{
	if (cpu == LAZY_CPU)
		run_lazy();
	else
		run_owner();
}

void nmi()
{
	uint64_t value;

	if (!PLANTED(nmi_uses_mapping) || arch_cpu_id() != LAZY_CPU)
		return;
	if (host_load_nofault(page.va, &value, sizeof(value)) && value != MappedPage::FIRST_LIFE)
		explore_fail("the interrupt reads %#lx from a page of somebody else",
			     (unsigned long)value);
}

const struct explore_scenario litmus_lazy_nmi = {
    .name = "litmus_lazy_nmi",
    .about = "a lazy CPU is not asked, and a non-maskable interrupt comes",
    .cpus = 2,
    .world = EXPLORE_BARE,
    .flags = EXPLORE_LITMUS,
    .create = create,
    .reset = reset,
    .run = run,
    .nmi = nmi,
};
EXPLORE_REGISTER(litmus_lazy_nmi)

} // namespace
} // namespace quire
