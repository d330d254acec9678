// SPDX-License-Identifier: BSD-2-Clause
/*
 * No page is left for a thread that waits for one, and the last are on their way into quarantine,
 * which finds memory for itself in the kernel's reserve. Nobody ticks or idles here, so they come
 * back only because the waiter fetches them, or because whoever frees sees that somebody waits.
 */
#include "arch/cpu.h"
#include "tests/explore/scenarios/quarantine_world.h"
#include "vm/vm_page_internal.h"
#include "vm/vm_pageout.h"

namespace quire
{
namespace
{

constexpr int EVERY_PAGE = VM_ALLOC_NOOBJ | VM_ALLOC_INTERRUPT;

enum : unsigned { FREERS = 2, WAITER = 2, KEPT = 16 };

vm_offset_t ranges[FREERS];
uint64_t for_waiter; /* pages: all that are not taken for ever, without the reserve */
uint64_t free_before;
struct atomic32 waiter_is_back;

/* All but a few are taken for ever. */
void create()
{
	vm_page_t kept[KEPT];

	quarantine_prepare(2 * FREERS);
	for (vm_page_t &m : kept)
		m = vm_page_alloc(nullptr, 0, EVERY_PAGE);
	while (vm_page_alloc(nullptr, 0, EVERY_PAGE) != nullptr)
		;
	for (vm_page_t m : kept)
		vm_page_free(m);
}

void reset()
{
	free_before = vm_world_settle();
	for_waiter = vm_phys_free_pages(0) - vm_page_class_floor(VM_ALLOC_NORMAL);
	if (for_waiter > KEPT)
		explore_fail("%lu pages are free", (unsigned long)for_waiter);
	for (vm_offset_t &va : ranges)
		va = quarantine_allocate(PAGE_SIZE);
	atomic32_store(&waiter_is_back, 0, MO_RELAXED);
}

void run_waiter()
{
	vm_page_t pages[KEPT];
	uint64_t n = 0;

	while (n < for_waiter) {
		pages[n] = vm_page_alloc(nullptr, 0, VM_ALLOC_NOOBJ | VM_ALLOC_NORMAL);
		if (pages[n] == nullptr)
			vm_wait(VM_ALLOC_NORMAL);
		else
			n++;
	}
	atomic32_store(&waiter_is_back, 1, MO_RELEASE);
	while (n > 0)
		vm_page_free(pages[--n]);
}

/* On its way to sleep the waiter is slow: most of what happens before it has begun is of no use. */
void await_waiter()
{
	while (vm_pageout_waiters() == 0 && atomic32_load(&waiter_is_back, MO_ACQUIRE) == 0)
		arch_cpu_relax();
	for (unsigned steps = explore_choose(100); steps > 0; steps--)
		explore_step();
}

void run(unsigned cpu)
{
	if (cpu == WAITER)
		return run_waiter();
	if (explore_choose(4) != 0)
		await_waiter();
	kmem_free(kmem_map, ranges[cpu], PAGE_SIZE);
}

void check()
{
	quarantine_check(free_before);
}

const struct explore_scenario quarantine_force = {
    .name = "quarantine_force",
    .about = "a thread waits for a page while two CPUs put the last ones into quarantine",
    .cpus = FREERS + 1,
    .world = EXPLORE_VM,
    .configure = vm_world_small,
    .create = create,
    .reset = reset,
    .run = run,
    .check = check,
};
EXPLORE_REGISTER(quarantine_force)

} // namespace
} // namespace quire
