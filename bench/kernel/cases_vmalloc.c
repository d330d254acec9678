/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Patterns of mapped memory after Linux's lib/test_vmalloc.c (Uladzislau Rezki, 2018): sizes and
 * alignments, fixed and random, and maps that are full or crowded.
 */
#include "bench/kernel/memory.h"
#include "lib/bits.h"
#include "vm/vm_kern.h"

enum {
	FIX_PAGES = 16,
	FULL_FIT_HOLES = 1000,
	LONG_BUSY_RANGES = 1500,
	LONG_BUSY_PAGES = 100,
	RANDOM_PAGES_MAX = 100,
	FIX_ALIGN_PAGES = 5,
	RANDOM_ALIGN_PAGES_MAX = 10,
	ALIGN_SHIFTS = 23, /* 1 byte to 4 MiB */
};
#define FIX_ALIGN ((vm_size_t)32 << 10)

static vm_offset_t range_get(vm_size_t size)
{
	return kmem_malloc(kmem_map, size, M_NOWAIT);
}

static void range_put(vm_offset_t addr, vm_size_t size)
{
	kmem_free(kmem_map, addr, size);
}

/* The first place at a multiple of `align`; map locked. Each turn leaves a hole behind. */
static bool find_aligned_locked(vm_size_t size, vm_size_t align, vm_offset_t *addr)
{
	vm_offset_t start = align_up(kmem_map->min_offset, align);

	for (;;) {
		if (vm_map_findspace(kmem_map, start, size, addr) != 0)
			return false;
		start = align_up(*addr, align);
		if (start == *addr)
			return true;
	}
}

/* kmem_malloc at a multiple of a power of two, out of the same primitives. */
static vm_offset_t range_get_aligned(vm_size_t size, vm_size_t align)
{
	vm_offset_t addr = 0;

	if (align <= PAGE_SIZE)
		return range_get(size);
	vm_map_lock(kmem_map);
	if (!find_aligned_locked(size, align, &addr) ||
	    kmem_back(kmem_map, addr, size, M_NOWAIT) != KERN_SUCCESS)
		addr = 0;
	vm_map_unlock(kmem_map);
	return addr;
}

static void touch(vm_offset_t addr)
{
	*(volatile uint8_t *)addr = 1;
}

static bool pair(struct bench_worker *worker, vm_size_t size, vm_size_t align)
{
	vm_offset_t addr = range_get_aligned(size, align);

	if (unlikely(addr == 0))
		return bench_short(worker->run, "for a range");
	touch(addr);
	range_put(addr, size);
	return true;
}

/* --- Sizes and alignments; plan holds pages, or pages << 8 | shift --- */

static bool sample_fix_size(struct bench_worker *worker)
{
	unsigned ops = worker->run->ops;

	for (unsigned i = 0; i < ops; i++)
		if (!pair(worker, FIX_PAGES * PAGE_SIZE, 1))
			return false;
	return true;
}

static bool before_random_size(struct bench_worker *worker)
{
	for (unsigned i = 0; i < worker->run->ops; i++)
		worker->plan[i] = bench_random_between(&worker->random, 1, RANDOM_PAGES_MAX) << 8;
	return true;
}

static bool before_random_align(struct bench_worker *worker)
{
	for (unsigned i = 0; i < worker->run->ops; i++) {
		unsigned pages = bench_random_between(&worker->random, 1, RANDOM_ALIGN_PAGES_MAX);

		worker->plan[i] = pages << 8 | bench_random_below(&worker->random, ALIGN_SHIFTS);
	}
	return true;
}

static bool before_align_shift(struct bench_worker *worker)
{
	for (unsigned i = 0; i < worker->run->ops; i++)
		worker->plan[i] = 1 << 8 | i % ALIGN_SHIFTS;
	return true;
}

static bool sample_plan(struct bench_worker *worker)
{
	unsigned ops = worker->run->ops;

	for (unsigned i = 0; i < ops; i++) {
		uint32_t plan = worker->plan[i];

		if (!pair(worker, (plan >> 8) * PAGE_SIZE, (vm_size_t)1 << (plan & 0xff)))
			return false;
	}
	return true;
}

static bool sample_fix_align(struct bench_worker *worker)
{
	unsigned ops = worker->run->ops;

	for (unsigned i = 0; i < ops; i++)
		if (!pair(worker, FIX_ALIGN_PAGES * PAGE_SIZE, FIX_ALIGN))
			return false;
	return true;
}

/* --- Crowded maps: worker 0 makes the crowd, each worker's slots hold its share --- */

static bool slot_get(struct bench_worker *worker, struct bench_slot *slot)
{
	slot->size = PAGE_SIZE;
	slot->memory = (void *)range_get(PAGE_SIZE);
	return slot->memory != NULL || bench_short(worker->run, "for the ranges of the crowd");
}

static void slot_put(struct bench_slot *slot)
{
	if (slot->memory != NULL)
		range_put((vm_offset_t)slot->memory, slot->size);
	slot->memory = NULL;
}

static void leave(struct bench_worker *worker)
{
	for (unsigned i = 0; i < worker->run->test->slots; i++)
		slot_put(&worker->own[i]);
}

/* Ranges of one page side by side, and every other one freed again. */
static bool enter_full_fit(struct bench_worker *worker)
{
	if (worker->index != 0)
		return true;
	for (unsigned i = 0; i < worker->run->test->slots; i++)
		if (!slot_get(worker, &worker->own[i]))
			return false;
	for (unsigned i = 1; i < worker->run->test->slots; i += 2)
		slot_put(&worker->own[i]);
	return true;
}

static bool sample_full_fit(struct bench_worker *worker)
{
	unsigned ops = worker->run->ops;

	for (unsigned i = 0; i < ops; i++)
		if (!pair(worker, PAGE_SIZE, 1))
			return false;
	return true;
}

static bool enter_long_busy(struct bench_worker *worker)
{
	unsigned count = bench_share(worker, worker->run->test->slots);

	for (unsigned i = 0; i < count; i++)
		if (!slot_get(worker, &worker->own[i]))
			return false;
	return true;
}

static bool sample_long_busy(struct bench_worker *worker)
{
	unsigned ops = worker->run->ops;

	for (unsigned i = 0; i < ops; i++) {
		vm_offset_t large = range_get(LONG_BUSY_PAGES * PAGE_SIZE);
		vm_offset_t small = large != 0 ? range_get(PAGE_SIZE) : 0;

		if (small != 0) {
			touch(large);
			touch(small);
		}
		if (large != 0)
			range_put(large, LONG_BUSY_PAGES * PAGE_SIZE);
		if (unlikely(small == 0))
			return bench_short(worker->run, "for a range of 100 pages and one of 1");
		range_put(small, PAGE_SIZE);
	}
	return true;
}

/* --- Contents --- */

static void *plain_get(uint64_t size)
{
	return (void *)range_get(size);
}

static void *aligned_get(uint64_t size)
{
	return (void *)range_get_aligned(size, FIX_ALIGN);
}

static void plain_put(void *memory, uint64_t size)
{
	range_put((vm_offset_t)memory, size);
}

static const struct bench_memory plain_memory = {plain_get, plain_put, false};
static const struct bench_memory aligned_memory = {aligned_get, plain_put, false};

static bool verify_plain(struct bench_worker *worker)
{
	return bench_verify(worker, &plain_memory, FIX_PAGES * PAGE_SIZE);
}

static bool verify_aligned(struct bench_worker *worker)
{
	vm_offset_t addr = range_get_aligned(PAGE_SIZE, FIX_ALIGN);

	if (addr % FIX_ALIGN != 0)
		bench_fail(worker->run, "%#lx is not aligned", (unsigned long)addr);
	if (addr != 0)
		range_put(addr, PAGE_SIZE);
	return bench_verify(worker, &aligned_memory, FIX_ALIGN_PAGES * PAGE_SIZE);
}

const struct bench_case bench_cases_vmalloc[] = {
    {
	.index = BENCH_VMALLOC_FIX_SIZE,
	.modes = BENCH_BOTH,
	.ops = 100,
	.quick_ops = 20,
	.ops_divided = true,
	.sample = sample_fix_size,
	.verify = verify_plain,
    },
    {
	.index = BENCH_VMALLOC_FULL_FIT,
	.modes = BENCH_BOTH,
	.ops = 100,
	.quick_ops = 20,
	.ops_divided = true,
	.slots = 2 * FULL_FIT_HOLES,
	.enter = enter_full_fit,
	.sample = sample_full_fit,
	.verify = verify_plain,
	.leave = leave,
    },
    {
	.index = BENCH_VMALLOC_LONG_BUSY,
	.modes = BENCH_BOTH,
	.ops = 20,
	.quick_ops = 5,
	.ops_divided = true,
	.slots = LONG_BUSY_RANGES,
	.enter = enter_long_busy,
	.sample = sample_long_busy,
	.verify = verify_plain,
	.leave = leave,
    },
    {
	.index = BENCH_VMALLOC_RANDOM_SIZE,
	.modes = BENCH_BOTH,
	.ops = 50,
	.quick_ops = 10,
	.ops_divided = true,
	.before = before_random_size,
	.sample = sample_plan,
	.verify = verify_plain,
    },
    {
	.index = BENCH_VMALLOC_FIX_ALIGN,
	.modes = BENCH_BOTH,
	.ops = 100,
	.quick_ops = 20,
	.ops_divided = true,
	.sample = sample_fix_align,
	.verify = verify_aligned,
    },
    {
	.index = BENCH_VMALLOC_RANDOM_ALIGN,
	.modes = BENCH_BOTH,
	.ops = 100,
	.quick_ops = 20,
	.ops_divided = true,
	.before = before_random_align,
	.sample = sample_plan,
	.verify = verify_aligned,
    },
    {
	.index = BENCH_VMALLOC_ALIGN_SHIFT,
	.modes = BENCH_BOTH,
	.ops = 4 * ALIGN_SHIFTS,
	.quick_ops = ALIGN_SHIFTS,
	.ops_divided = true,
	.before = before_align_shift,
	.sample = sample_plan,
	.verify = verify_aligned,
    },
    {0},
};
