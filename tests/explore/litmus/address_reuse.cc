// SPDX-License-Identifier: BSD-2-Clause
/*
 * Addresses wait as pages do: entered again before every CPU has passed, they still lead some CPU
 * to the page of before.
 */
#include "lib/planted.h"
#include "tests/explore/litmus/deferred.h"
#include "tests/explore/scenarios/mapped_page.h"

namespace quire
{
namespace
{

enum : unsigned { USER = 1 };

MappedPage page;
Generations generations;
vm_paddr_t next_frame;
struct atomic32 entered;

void create()
{
	page.create(0);
	generations.create(0);
	next_frame = explore_frame();
	explore_watch(&entered, sizeof(entered), "entered");
}

void reset()
{
	page.map();
	static_cast<struct atomic64 *>(arch_physmap(next_frame))->value = MappedPage::NEXT_LIFE;
}

void run_owner()
{
	uint32_t wanted;

	arch_pte_exchange(page.leaf, 0);
	wanted = generations.begin();
	arch_tlb_invalidate_page(page.va);
	if (!PLANTED(address_reused_early) && !generations.has_seen(USER, wanted))
		return;
	arch_pte_exchange(page.leaf, (page.present() & ~PTE_ADDRESS) | next_frame);
	atomic32_store(&entered, 1, MO_RELEASE);
}

/* Whoever has heard of the new page finds it there. */
void run_user()
{
	uint64_t value;

	page.read_ahead();
	generations.catch_up(USER);
	if (atomic32_load(&entered, MO_ACQUIRE) == 0)
		return;
	if (!host_load_nofault(page.va, &value, sizeof(value)) || value != MappedPage::NEXT_LIFE)
		explore_fail("the address leads to the page of before");
}

void run(unsigned cpu)
{
	if (cpu == USER)
		run_user();
	else
		run_owner();
}

const struct explore_scenario litmus_address_reuse = {
    .name = "litmus_address_reuse",
    .about = "an address is entered again with another page",
    .cpus = 2,
    .world = EXPLORE_BARE,
    .flags = EXPLORE_LITMUS,
    .create = create,
    .reset = reset,
    .run = run,
};
EXPLORE_REGISTER(litmus_address_reuse)

} // namespace
} // namespace quire
