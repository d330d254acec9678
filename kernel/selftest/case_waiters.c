/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A submap that is full: who asks for addresses waits, and is served in turn. A small request does
 * not pass a large one, and none waits for ever.
 *
 * The order is seen at large requests only: each wants the whole map, so it is served when all
 * that came before have given back, and before any that came after. Those between two large ones
 * are served together, in whatever order their CPUs run.
 */
#include "arch/cpu.h"
#include "kernel/pattern.h"
#include "kernel/sched/thread.h"
#include "kernel/selftest/selftest.h"
#include "lib/string.h"
#include "smp/smp.h"
#include "vm/vm_audit.h"
#include "vm/vm_kern.h"
#include "vm/vm_swap.h"

enum { PAGES = 16, SMALL = 3, ROUNDS = 6, LARGE_EVERY = 4, PER_CPU = SELFTEST_CROWD_MAX };

static vm_map_t map; /* made once: submaps stay */

static struct atomic32 turn;                 /* whose turn it is to begin to wait, by index */
static struct atomic32 served;               /* so far */
static struct atomic32 finished;             /* threads */
static unsigned positions[MAXCPU * PER_CPU]; /* when each was served; written by each */
static struct thread *volatile in_turn;      /* who begins to wait */

static void map_make(void)
{
	vm_offset_t min, max;

	if (map != NULL)
		return;
	map = kmem_suballoc(kernel_map, &min, &max, ptoa(PAGES), false);
	map->name = "selftest_waiters_map";
}

static bool is_large(unsigned index)
{
	return index % LARGE_EVERY == 0;
}

static vm_size_t request_size(unsigned index)
{
	return ptoa(is_large(index) ? PAGES : SMALL);
}

/* Takes, uses and gives back; returns how many were served before. */
static unsigned serve(unsigned index, vm_size_t size)
{
	vm_offset_t addr = kmem_alloc_wait(map, size);
	unsigned position = atomic32_add(&served, 1, MO_ACQ_REL);

	if (addr == 0) {
		selftest_fail("a waiter got nothing");
		return position;
	}
	pattern_fill(addr, size, index);
	thread_yield();
	if (pattern_check(addr, size, index) != 0)
		selftest_fail("memory of a waiter is broken");
	kmem_free_wakeup(map, addr, size);
	return position;
}

/* --- In turn --- */

static bool turn_is(unsigned index)
{
	return atomic32_load(&turn, MO_ACQUIRE) > index;
}

static void queue_up(unsigned index, unsigned count)
{
	(void)count;
	while (!turn_is(index) && !selftest_failed())
		thread_sleep_ns(1);
	in_turn = thread_current();
	positions[index] = serve(index, request_size(index));
}

/* The last one that was let begin waits for addresses now. */
static bool in_turn_waits(void)
{
	struct thread *thread = in_turn;
	bool waits;

	if (thread == NULL)
		return false;
	/* Whoever waits there has fallen asleep before it gave up the lock. */
	vm_map_lock(map);
	waits = thread->sleep_channel != NULL && strcmp(thread->sleep_message, "kmaw") == 0;
	vm_map_unlock(map);
	return waits;
}

static bool let_queue_up(unsigned index)
{
	in_turn = NULL;
	atomic32_store(&turn, index + 1, MO_RELEASE);
	return selftest_await(in_turn_waits, "a thread to queue up");
}

/* While the first wants everything, parts that would do for those behind it are no use to them. */
static void free_parts(vm_offset_t addr, unsigned first, unsigned end)
{
	for (unsigned page = first; page < end; page++) {
		kmem_free_wakeup(map, addr + ptoa(page), PAGE_SIZE);
		if (page % 4 == 0)
			thread_sleep_ns(1);
		if (page + 1 < PAGES && atomic32_load(&served, MO_ACQUIRE) != 0)
			selftest_fail("a small request has passed a large one");
	}
}

/* The map is full while all but the last one queue up; that one finds half of it free. */
static void serve_in_turn(vm_offset_t all, unsigned count)
{
	for (unsigned i = 0; i + 1 < count; i++)
		if (!let_queue_up(i))
			break;
	free_parts(all, 0, PAGES / 2);
	if (!selftest_failed())
		(void)let_queue_up(count - 1);
	free_parts(all, PAGES / 2, PAGES);
}

static void order_check(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		unsigned first = i / LARGE_EVERY * LARGE_EVERY;

		if (is_large(i))
			SELFTEST_CHECK(positions[i] == i);
		else
			SELFTEST_CHECK(positions[i] > first && positions[i] < first + LARGE_EVERY);
	}
}

static void counters_clear(void)
{
	atomic32_store(&turn, 0, MO_RELAXED);
	atomic32_store(&served, 0, MO_RELAXED);
	atomic32_store(&finished, 0, MO_RELAXED);
}

static void in_order(void)
{
	vm_size_t reserved = swap_reserved();
	vm_offset_t all;
	unsigned count;

	map_make();
	counters_clear();
	all = kmem_alloc_wait(map, ptoa(PAGES));
	SELFTEST_CHECK(all != 0);
	count = selftest_crowd_start(PER_CPU, queue_up);
	serve_in_turn(all, count);
	selftest_crowd_join();
	if (!selftest_failed())
		order_check(count);
	SELFTEST_CHECK(swap_reserved() == reserved && map->size == 0 && map->needs_wakeup == 0);
	vm_audit(selftest_report);
}

/* --- All at once --- */

static void crowd_on(unsigned index, unsigned count)
{
	(void)count;
	for (unsigned round = 0; round < ROUNDS && !selftest_failed(); round++)
		(void)serve(index, request_size(index + round));
	atomic32_add(&finished, 1, MO_RELEASE);
}

static unsigned crowd_size;

static bool all_finished(void)
{
	return atomic32_load(&finished, MO_ACQUIRE) == crowd_size;
}

static void none_starves(void)
{
	vm_size_t reserved = swap_reserved();

	map_make();
	counters_clear();
	crowd_size = selftest_crowd_start(PER_CPU, crowd_on);
	(void)selftest_await(all_finished, "all waiters to be served");
	selftest_crowd_join();
	SELFTEST_CHECK(atomic32_load(&served, MO_RELAXED) == crowd_size * ROUNDS);
	SELFTEST_CHECK(swap_reserved() == reserved && map->size == 0 && map->needs_wakeup == 0);
	vm_audit(selftest_report);
}

const struct selftest_case selftest_waiters[] = {
    {"waiters.in_order", in_order},
    {"waiters.none_starves", none_starves},
    {NULL, NULL},
};
