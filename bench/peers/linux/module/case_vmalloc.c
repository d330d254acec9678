/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linux's own patterns of test_vmalloc (lib/test_vmalloc.c, Uladzislau Rezki, 2018), with the
 * numbers that bench/kernel has. A range of Linux ends with a page that is never mapped, so a hole
 * that one page fits into is two pages.
 */
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include "bench/peers/linux/module/harness.h"
#include "bench/peers/linux/module/slots.h"
#include "bench/peers/linux/module/symbols.h"

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
#define FIX_ALIGN (32UL << 10)

static __always_inline int use(char *memory)
{
	if (unlikely(memory == NULL))
		return -ENOMEM;
	WRITE_ONCE(*memory, 1);
	vfree(memory);
	return 0;
}

static __always_inline int aligned_pair(unsigned long size, unsigned long align)
{
	return use(
	    linux_vmalloc_node(size, align, GFP_KERNEL, NUMA_NO_NODE, __builtin_return_address(0)));
}

/* Pairs of what->size pages. */
static int plain_sample(struct bench_cpu *cpu)
{
	unsigned int ops = cpu->run->ops;
	unsigned long size = cpu->run->what->size * PAGE_SIZE;
	int error = 0;

	for (unsigned int i = 0; error == 0 && i < ops; i++)
		error = use(vmalloc(size));
	return error;
}

static int fix_align_sample(struct bench_cpu *cpu)
{
	unsigned int ops = cpu->run->ops;
	int error = 0;

	for (unsigned int i = 0; error == 0 && i < ops; i++)
		error = aligned_pair(FIX_ALIGN_PAGES * PAGE_SIZE, FIX_ALIGN);
	return error;
}

/* --- Sizes and alignments drawn before; a plan holds pages << 8 | shift --- */

static int plan_setup(struct bench_cpu *cpu)
{
	return slots_new(cpu, 0);
}

static int random_size_prepare(struct bench_cpu *cpu)
{
	for (unsigned int i = 0; i < cpu->run->ops; i++)
		slots_of(cpu)->plan[i] = bench_random_between(&cpu->random, 1, RANDOM_PAGES_MAX)
					 << 8;
	return 0;
}

static int random_align_prepare(struct bench_cpu *cpu)
{
	for (unsigned int i = 0; i < cpu->run->ops; i++) {
		uint32_t pages = bench_random_between(&cpu->random, 1, RANDOM_ALIGN_PAGES_MAX);

		slots_of(cpu)->plan[i] =
		    pages << 8 | bench_random_below(&cpu->random, ALIGN_SHIFTS);
	}
	return 0;
}

static int align_shift_prepare(struct bench_cpu *cpu)
{
	for (unsigned int i = 0; i < cpu->run->ops; i++)
		slots_of(cpu)->plan[i] = 1 << 8 | i % ALIGN_SHIFTS;
	return 0;
}

static int plan_sample(struct bench_cpu *cpu)
{
	unsigned int ops = cpu->run->ops;
	const uint32_t *plan = slots_of(cpu)->plan;
	int error = 0;

	for (unsigned int i = 0; error == 0 && i < ops; i++)
		error = aligned_pair((plan[i] >> 8) * PAGE_SIZE, 1UL << (plan[i] & 0xff));
	return error;
}

/* --- Crowded address spaces; slots hold ranges of one page --- */

static int crowd(struct bench_cpu *cpu, unsigned int count)
{
	int error = slots_new(cpu, count);

	for (unsigned int i = 0; error == 0 && i < count; i++) {
		slots_of(cpu)->slot[i].memory = vmalloc(PAGE_SIZE);
		if (slots_of(cpu)->slot[i].memory == NULL)
			error = -ENOMEM;
	}
	return error;
}

static void range_put(void *memory)
{
	vfree(memory);
}

static void crowd_drain(struct bench_cpu *cpu)
{
	slots_empty(cpu, range_put);
	slots_delete(cpu);
}

/* Ranges side by side, and every other one freed again, for good: not left for later. */
static int full_fit_setup(struct bench_cpu *cpu)
{
	int error;

	if (cpu->number != 0)
		return 0;
	error = crowd(cpu, 2 * FULL_FIT_HOLES);
	for (unsigned int i = 1; error == 0 && i < 2 * FULL_FIT_HOLES; i += 2) {
		vfree(slots_of(cpu)->slot[i].memory);
		slots_of(cpu)->slot[i].memory = NULL;
	}
	vm_unmap_aliases();
	return error;
}

/* This worker's part of all ranges. */
static int long_busy_setup(struct bench_cpu *cpu)
{
	unsigned int workers = cpu->run->workers;

	return crowd(cpu, LONG_BUSY_RANGES / workers +
			      (cpu->number < LONG_BUSY_RANGES % workers ? 1 : 0));
}

static int long_busy_sample(struct bench_cpu *cpu)
{
	unsigned int ops = cpu->run->ops;

	for (unsigned int i = 0; i < ops; i++) {
		char *large = vmalloc(LONG_BUSY_PAGES * PAGE_SIZE);
		char *small = large != NULL ? vmalloc(PAGE_SIZE) : NULL;

		if (unlikely(small == NULL)) {
			vfree(large);
			return -ENOMEM;
		}
		WRITE_ONCE(*large, 1);
		WRITE_ONCE(*small, 1);
		vfree(large);
		vfree(small);
	}
	return 0;
}

const struct bench_case vmalloc_cases[] = {
    LINUX_CASE(VMALLOC_FIX_SIZE, .ops = 100, .quick_ops = 20, .ops_divided = true,
	       .size = FIX_PAGES, .sample = plain_sample),
    LINUX_CASE(VMALLOC_FULL_FIT, .ops = 100, .quick_ops = 20, .ops_divided = true, .size = 1,
	       .setup_cpu = full_fit_setup, .sample = plain_sample, .drain_cpu = crowd_drain),
    LINUX_CASE(VMALLOC_LONG_BUSY, .ops = 20, .quick_ops = 5, .ops_divided = true,
	       .setup_cpu = long_busy_setup, .sample = long_busy_sample, .drain_cpu = crowd_drain),
    LINUX_CASE(VMALLOC_RANDOM_SIZE, .ops = 50, .quick_ops = 10, .ops_divided = true,
	       .setup_cpu = plan_setup, .prepare = random_size_prepare, .sample = plan_sample,
	       .drain_cpu = slots_delete),
    LINUX_CASE(VMALLOC_FIX_ALIGN, .ops = 100, .quick_ops = 20, .ops_divided = true,
	       .sample = fix_align_sample),
    LINUX_CASE(VMALLOC_RANDOM_ALIGN, .ops = 100, .quick_ops = 20, .ops_divided = true,
	       .setup_cpu = plan_setup, .prepare = random_align_prepare, .sample = plan_sample,
	       .drain_cpu = slots_delete),
    LINUX_CASE(VMALLOC_ALIGN_SHIFT, .ops = 4 * ALIGN_SHIFTS, .quick_ops = ALIGN_SHIFTS,
	       .ops_divided = true, .setup_cpu = plan_setup, .prepare = align_shift_prepare,
	       .sample = plan_sample, .drain_cpu = slots_delete),
    LINUX_CASE_END,
};
