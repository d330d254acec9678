// SPDX-License-Identifier: BSD-2-Clause
/* Three holders of an object drop their references at once: its pages are freed, and once. */
#include "tests/explore/scenarios/vm_world.h"
#include "vm/vm_object.h"

namespace quire
{
namespace
{

enum : unsigned { CPUS = 3, PAGES = 2 };

vm_object_t object;
uint64_t free_before;

vm_object_t object_with_pages()
{
	vm_object_t made = vm_object_allocate(OBJT_DEFAULT, PAGES);

	if (made == nullptr)
		explore_fail("no memory for an object");
	VM_OBJECT_WLOCK(made);
	for (unsigned i = 0; i < PAGES; i++)
		if (vm_page_alloc(made, i, VM_ALLOC_INTERRUPT | VM_ALLOC_NOBUSY) == nullptr)
			explore_fail("no page");
	VM_OBJECT_WUNLOCK(made);
	return made;
}

/* The pools keep what they have once been given. */
void create()
{
	vm_object_deallocate(object_with_pages());
}

void reset()
{
	free_before = vm_world_settle();
	object = object_with_pages();
	for (unsigned i = 1; i < CPUS; i++)
		vm_object_reference(object);
}

void run(unsigned)
{
	explore_step();
	vm_object_deallocate(object);
}

void check()
{
	uint64_t free_after = vm_world_settle();

	if (free_after != free_before)
		explore_fail("%lu pages are free, %lu were", (unsigned long)free_after,
			     (unsigned long)free_before);
}

const struct explore_scenario object_release = {
    .name = "object_release",
    .about = "three references to an object are dropped at once",
    .cpus = CPUS,
    .world = EXPLORE_VM,
    .configure = vm_world_small,
    .create = create,
    .reset = reset,
    .run = run,
    .check = check,
};
EXPLORE_REGISTER(object_release)

} // namespace
} // namespace quire
