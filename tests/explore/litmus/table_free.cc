// SPDX-License-Identifier: BSD-2-Clause
/*
 * A CPU remembers tables as well (paging-structure caches, Intel SDM vol. 3A 4.10.3), and walks
 * ahead that find no leaf fill them, too. So a table goes like a page: the entry that leads to it
 * is cleared, THEN all forget, and then it is freed. A flush for its last leaf is not enough.
 */
#include "arch/host/director.h"
#include "lib/planted.h"
#include "tests/explore/scenarios/mapped_page.h"

namespace quire
{
namespace
{

MappedPage page;
pte_t *table_entry;
vm_paddr_t table;
struct atomic32 request, acknowledged;

pte_t *entry_of(vm_offset_t va, unsigned wanted)
{
	pte_t *entries = static_cast<pte_t *>(arch_physmap(arch_mmu_kernel_root()));

	for (unsigned level = MMU_LEVELS; level > wanted; level--)
		entries =
		    static_cast<pte_t *>(arch_physmap(pte_paddr(entries[MMU_INDEX(va, level)], 1)));
	return &entries[MMU_INDEX(va, wanted)];
}

void create()
{
	page.create(0);
	table_entry = entry_of(page.va, 2);
	table = pte_paddr(*table_entry, 1);
	explore_watch(&request, sizeof(request), "request");
	explore_watch(&acknowledged, sizeof(acknowledged), "acknowledgement");
}

void reset()
{
	page.map();
}

void run_owner()
{
	arch_pte_exchange(page.leaf, 0);
	if (!PLANTED(table_flushed_first))
		arch_pte_exchange(table_entry, 0);
	atomic32_store(&request, 1, MO_RELEASE);
	arch_tlb_invalidate_page(page.va);
	if (atomic32_load(&acknowledged, MO_ACQUIRE) == 0)
		return;
	if (PLANTED(table_flushed_first))
		arch_pte_exchange(table_entry, 0);
	page.give_away();
	arch_page_released(table, 1);
}

void run(unsigned cpu)
{
	if (cpu == 0)
		return run_owner();
	page.use();
	if (atomic32_load(&request, MO_ACQUIRE) == 0)
		return;
	arch_tlb_invalidate_page(page.va);
	atomic32_store(&acknowledged, 1, MO_RELEASE);
	explore_step();
	host_speculate(cpu, page.va); /* unasked; it finds no leaf any more */
}

const struct explore_scenario litmus_table_free = {
    .name = "litmus_table_free",
    .about = "a page table is freed that a CPU may remember",
    .cpus = 2,
    .world = EXPLORE_BARE,
    .flags = EXPLORE_LITMUS,
    .create = create,
    .reset = reset,
    .run = run,
};
EXPLORE_REGISTER(litmus_table_free)

} // namespace
} // namespace quire
