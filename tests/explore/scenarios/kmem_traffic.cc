// SPDX-License-Identifier: BSD-2-Clause
/*
 * Two CPUs allocate kernel memory and put it down; a third writes through what it finds, frees it,
 * and empties all caches. What nobody fetched its owner frees; whose was fetched, empties them as
 * well. Contents stay what they were, tags say what lies in caches, and every page comes back.
 */
#include "arch/atomic.h"
#include "tests/explore/scenarios/keep.h"
#include "tests/explore/scenarios/vm_world.h"
#include "vm/vm_kern.h"
#include "vm/vm_kern_cache.h"

namespace quire
{
namespace
{

enum : unsigned { OWNERS = 2 };

struct atomic64 slots[OWNERS]; /* addresses, or 0 */
uint64_t free_before;

vm_offset_t allocate()
{
	vm_offset_t va = kmem_malloc(kmem_map, PAGE_SIZE, M_NOWAIT);

	if (va == 0)
		explore_fail("no memory");
	return va;
}

/* Tables, entries, nodes: what is kept once it has been needed is there from the start. */
void create()
{
	vm_offset_t held[2 * OWNERS];

	keep_shootdown_lines();
	vm_world_prepare();
	for (vm_offset_t &va : held)
		va = allocate();
	for (vm_offset_t va : held)
		kmem_free(kmem_map, va, PAGE_SIZE);
}

void reset()
{
	for (struct atomic64 &slot : slots)
		atomic64_store(&slot, 0, MO_RELAXED);
	free_before = vm_world_settle();
}

void free_checked(vm_offset_t va, uint64_t expected)
{
	explore_step();
	if (host_load64(va) != expected)
		explore_fail("%#lx holds %#lx instead of %#lx", (unsigned long)va,
			     (unsigned long)host_load64(va), (unsigned long)expected);
	kmem_free(kmem_map, va, PAGE_SIZE);
}

void complain(const char *line)
{
	explore_fail("%s", line);
}

void run_owner(unsigned cpu)
{
	vm_offset_t va = allocate();

	host_store64(va, va);
	atomic64_store(&slots[cpu], va, MO_RELEASE);
	explore_step();
	va = atomic64_exchange(&slots[cpu], 0, MO_ACQ_REL);
	if (va != 0)
		free_checked(va, va);
	else
		(void)kmem_cache_drain();
}

void run_writer()
{
	for (unsigned i = 0; i < 2 * OWNERS; i++) {
		vm_offset_t va = atomic64_exchange(&slots[i % OWNERS], 0, MO_ACQ_REL);

		if (va == 0)
			continue;
		host_store64(va, ~va);
		free_checked(va, ~va);
	}
	uma_reclaim();
}

void run(unsigned cpu)
{
	if (cpu < OWNERS)
		run_owner(cpu);
	else
		run_writer();
}

void check()
{
	uint64_t free_after;

	(void)kmem_cache_audit(complain);
	free_after = vm_world_settle();
	if (free_after != free_before)
		explore_fail("%lu pages are free, %lu were", (unsigned long)free_after,
			     (unsigned long)free_before);
}

const struct explore_scenario kmem_traffic = {
    .name = "kmem_traffic",
    .about = "two CPUs allocate, a third writes and frees, each through its own TLB",
    .cpus = OWNERS + 1,
    .world = EXPLORE_VM,
    .configure = vm_world_small,
    .create = create,
    .reset = reset,
    .run = run,
    .check = check,
};
EXPLORE_REGISTER(kmem_traffic)

} // namespace
} // namespace quire
