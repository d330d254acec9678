// SPDX-License-Identifier: BSD-2-Clause
/*
 * A page loses its right to be written while another CPU writes to it for the first time, by which
 * that CPU sets the dirty flag in the entry by itself (Intel SDM vol. 3A 4.8). The change of the
 * entry is one exchange, and what hardware did before it is put back: pmap_change_leaf.
 */
#include "lib/planted.h"
#include "tests/explore/scenarios/mapped_page.h"

namespace quire
{
namespace
{

MappedPage page;

void create()
{
	page.create(0);
}

void reset()
{
	page.map();
	arch_pte_write(page.leaf, page.present() & ~PTE_DIRTY);
}

void run_owner()
{
	pte_t now = page.present() & ~(PTE_WRITE | PTE_DIRTY), before;

	if (PLANTED(dirty_flag_lost)) {
		before = arch_pte_read(page.leaf);
		arch_pte_write(page.leaf, now);
	} else {
		before = arch_pte_exchange(page.leaf, now);
	}
	if (before & PTE_DIRTY)
		arch_pte_write(page.leaf, now | PTE_DIRTY);
}

void run(unsigned cpu)
{
	uint64_t value = MappedPage::NEXT_LIFE;

	arch_tlb_flush(); /* threads remember the page from the last round */
	if (cpu == 0)
		run_owner();
	else
		(void)host_store_nofault(page.va, &value, sizeof(value));
}

void check()
{
	if (page.word()->value == MappedPage::NEXT_LIFE && (*page.leaf & PTE_DIRTY) == 0)
		explore_fail("the page was written and its entry does not say so");
}

const struct explore_scenario litmus_dirty_bit = {
    .name = "litmus_dirty_bit",
    .about = "a page becomes read-only while a CPU writes to it for the first time",
    .cpus = 2,
    .world = EXPLORE_BARE,
    .flags = EXPLORE_LITMUS,
    .create = create,
    .reset = reset,
    .run = run,
    .check = check,
};
EXPLORE_REGISTER(litmus_dirty_bit)

} // namespace
} // namespace quire
