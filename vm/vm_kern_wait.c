/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pageable memory from submaps that are allowed to be full.
 *
 * Who finds no space queues up and sleeps. The queue is served in order: a request that would fit
 * does not pass one that came before and does not, so that a large one is not starved by small
 * ones that come and go. Only the first of the queue looks for space.
 */
#include "kernel/sched/sleepq.h"
#include "lib/bits.h"
#include "lib/check.h"
#include "lib/planted.h"
#include "vm/vm_kern_private.h"
#include "vm/vm_map_private.h"
#include "vm/vm_pageout.h"
#include "vm/vm_swap.h"

static bool is_first(vm_map_t map, const struct vm_map_waiter *waiter)
{
	return TAILQ_FIRST(&map->waiters) == waiter;
}

/* Sleeps until it is the waiter's turn and something was freed. Map locked. */
static void wait_turn(vm_map_t map, struct vm_map_waiter *waiter)
{
	if (map->system_map)
		sleep_on_spin(waiter, &map->spin, "kmaw", SLEEP_FOREVER);
	else
		sleep_on_mutex(waiter, &map->mutex, "kmaw", SLEEP_FOREVER);
	vm_map_timestamp_bump(map);
}

static void wake_first(vm_map_t map)
{
	struct vm_map_waiter *first = TAILQ_FIRST(&map->waiters);

	map->needs_wakeup = first != NULL;
	if (first != NULL)
		wakeup(first);
}

/*
 * Takes `size` bytes when it is its turn. It keeps its turn while it waits for memory for the map's
 * own structures, should they be short. Map locked.
 */
static vm_offset_t insert_in_turn(vm_map_t map, vm_size_t size)
{
	struct vm_map_waiter self = {.size = size};
	vm_offset_t addr;
	int rv;

	TAILQ_INSERT_TAIL(&map->waiters, &self, link);
	map->needs_wakeup = 1;
	for (;;) {
		while (!is_first(map, &self) ||
		       vm_map_findspace(map, map->min_offset, size, &addr) != 0)
			wait_turn(map, &self);
		rv = vm_map_insert(map, NULL, 0, addr, addr + size, VM_PROT_RW, VM_PROT_ALL,
				   MAP_ACC_CHARGED);
		if (rv == KERN_SUCCESS)
			break;
		CHECK_EQ(rv, KERN_RESOURCE_SHORTAGE);
		vm_map_unlock(map);
		vm_wait(VM_ALLOC_SYSTEM);
		vm_map_lock(map);
	}
	TAILQ_REMOVE(&map->waiters, &self, link);
	/* Whoever is first now may fit as well. */
	if (!PLANTED(map_turn_kept))
		wake_first(map);
	return addr;
}

vm_offset_t kmem_alloc_wait(vm_map_t map, vm_size_t size)
{
	vm_offset_t addr;

	if (size == 0 || !round_page_checked(size, &size))
		return 0;
	if (size > map->max_offset - map->min_offset || !swap_reserve(size))
		return 0;
	vm_map_lock(map);
	addr = insert_in_turn(map, size);
	vm_map_unlock(map);
	return addr;
}

void kmem_free_wakeup(vm_map_t map, vm_offset_t addr, vm_size_t size)
{
	kmem_free_then(map, addr, size, wake_first, __builtin_return_address(0));
}
