// SPDX-License-Identifier: BSD-2-Clause
/*
 * CPUs allocate and free pages, hand one over, and empty each other's magazines. No page is given
 * to two, none is lost, and none stays behind where nobody finds it.
 */
#include "arch/atomic.h"
#include "arch/cpu.h"
#include "tests/explore/scenarios/vm_world.h"

namespace quire
{
namespace
{

enum : unsigned { CPUS = 3 };
constexpr int REQUEST = VM_ALLOC_NOOBJ | VM_ALLOC_INTERRUPT;

struct atomic_ptr hand_over; /* a page that CPU 0 leaves for CPU 1 */
uint64_t free_before;

void complain(const char *line)
{
	explore_fail("%s", line);
}

vm_page_t take(unsigned cpu)
{
	vm_page_t m = vm_page_alloc(nullptr, 0, REQUEST);

	if (m == nullptr)
		explore_fail("CPU %u gets no page", cpu);
	*page_word(m) = cpu + 1;
	return m;
}

void give(vm_page_t m, unsigned owner)
{
	explore_step();
	if (*page_word(m) != owner + 1)
		explore_fail("a page of CPU %u was given to CPU %lu as well", owner,
			     (unsigned long)*page_word(m) - 1);
	vm_page_free(m);
}

void reset()
{
	vm_page_t left =
	    static_cast<vm_page_t>(atomic_ptr_exchange(&hand_over, nullptr, MO_RELAXED));

	if (left != nullptr)
		vm_page_free(left);
	free_before = vm_world_settle();
}

void run_pairs(unsigned cpu)
{
	vm_page_t first = take(cpu), second = take(cpu);

	give(first, cpu);
	first = take(cpu);
	give(second, cpu);
	if (cpu == 0)
		atomic_ptr_store(&hand_over, first, MO_RELEASE);
	else
		give(first, cpu);
}

void run(unsigned cpu)
{
	vm_page_t left;

	if (cpu == CPUS - 1) {
		give(take(cpu), cpu);
		(void)vm_magazine_drain();
	} else {
		run_pairs(cpu);
	}
	if (cpu == 0)
		return;
	left = static_cast<vm_page_t>(atomic_ptr_exchange(&hand_over, nullptr, MO_ACQUIRE));
	if (left != nullptr)
		give(left, 0);
}

void check()
{
	vm_page_t left =
	    static_cast<vm_page_t>(atomic_ptr_exchange(&hand_over, nullptr, MO_RELAXED));
	uint64_t free_after;

	if (left != nullptr)
		vm_page_free(left);
	(void)vm_magazine_audit(complain);
	free_after = vm_world_settle();
	if (free_after != free_before)
		explore_fail("%lu pages are free, %lu were", (unsigned long)free_after,
			     (unsigned long)free_before);
}

const struct explore_scenario page_magazines = {
    .name = "page_magazines",
    .about = "CPUs allocate, free and hand over pages while one empties all magazines",
    .cpus = CPUS,
    .world = EXPLORE_VM,
    .configure = vm_world_small,
    .create = vm_world_prepare,
    .reset = reset,
    .run = run,
    .check = check,
};
EXPLORE_REGISTER(page_magazines)

} // namespace
} // namespace quire
