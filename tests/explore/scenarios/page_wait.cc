// SPDX-License-Identifier: BSD-2-Clause
/*
 * All memory is in use and a thread waits for a page, while others free, cache and take again.
 * Whatever they do in whatever order, the last free page is not kept from the waiter.
 */
#include "arch/cpu.h"
#include "tests/explore/scenarios/vm_world.h"
#include "vm/vm_pageout.h"

namespace quire
{
namespace
{

constexpr int REQUEST = VM_ALLOC_NOOBJ | VM_ALLOC_INTERRUPT;

vm_page_t in_use[2];
struct atomic32 waiter_has_one;

/* All but the last two are taken for ever. */
void create()
{
	vm_page_t m;

	while ((m = vm_page_alloc(nullptr, 0, REQUEST)) != nullptr) {
		in_use[1] = in_use[0];
		in_use[0] = m;
	}
}

void take_again(vm_page_t *m)
{
	if (*m == nullptr)
		*m = vm_page_alloc(nullptr, 0, REQUEST);
}

void reset()
{
	atomic32_store(&waiter_has_one, 0, MO_RELAXED);
	(void)vm_world_settle();
	for (vm_page_t &m : in_use)
		take_again(&m);
}

void run_waiter()
{
	vm_page_t m;

	while ((m = vm_page_alloc(nullptr, 0, REQUEST)) == nullptr)
		vm_wait(VM_ALLOC_INTERRUPT);
	atomic32_store(&waiter_has_one, 1, MO_RELEASE);
	vm_page_free(m);
}

/* On its way to sleep the waiter is slow: most of what happens before it has begun is of no use. */
void await_waiter()
{
	while (vm_pageout_waiters() == 0 && atomic32_load(&waiter_has_one, MO_ACQUIRE) == 0)
		arch_cpu_relax();
	for (unsigned steps = explore_choose(100); steps > 0; steps--)
		explore_step();
}

void run(unsigned cpu)
{
	vm_page_t m;

	if (cpu == 2)
		return run_waiter();
	if (explore_choose(4) != 0)
		await_waiter();
	vm_page_free(in_use[cpu]);
	in_use[cpu] = nullptr;
	if (cpu == 0)
		return;
	m = vm_page_alloc(nullptr, 0, REQUEST);
	if (m != nullptr)
		vm_page_free(m);
}

void check()
{
	if (atomic32_load(&waiter_has_one, MO_RELAXED) == 0)
		explore_fail("the waiter came back without a page");
	(void)vm_world_settle();
	if (vm_phys_free_pages(0) != 2)
		explore_fail("%lu pages of 2 are free", (unsigned long)vm_phys_free_pages(0));
}

const struct explore_scenario page_wait = {
    .name = "page_wait",
    .about = "a thread waits for the last pages, which others free and take",
    .cpus = 3,
    .world = EXPLORE_VM,
    .configure = vm_world_small,
    .create = create,
    .reset = reset,
    .run = run,
    .check = check,
};
EXPLORE_REGISTER(page_wait)

} // namespace
} // namespace quire
