/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page patterns after the benchmarks of LLFree (USENIX ATC 2023), as bench/kernel has them. A slot
 * holds a struct page. Free runs of 2 MiB are counted in the buddy lists, not in the CPUs' own.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/mmzone.h>

#include "bench/peers/linux/module/harness.h"
#include "bench/peers/linux/module/slots.h"

enum {
	LLFREE_HELD = 1024,
	LLFREE_FRAGMENT_SLOTS = 2 * LLFREE_HELD,
	LLFREE_FRAGMENT_OPS = LLFREE_HELD / 10,
	LARGE_ORDER = PMD_SHIFT - PAGE_SHIFT, /* of a run of 2 MiB */
};

static void *page_get(void)
{
	return alloc_page(GFP_KERNEL);
}

static void page_put(void *page)
{
	__free_page(page);
}

static int bulk_setup(struct bench_cpu *cpu)
{
	return slots_new(cpu, LLFREE_HELD);
}

static int hold(struct bench_cpu *cpu, unsigned int count)
{
	int error = slots_new(cpu, count);

	return error != 0 ? error : slots_fill(cpu, page_get);
}

static int held_setup(struct bench_cpu *cpu)
{
	return hold(cpu, LLFREE_HELD);
}

static int fragment_setup_cpu(struct bench_cpu *cpu)
{
	return hold(cpu, LLFREE_FRAGMENT_SLOTS);
}

static void drain(struct bench_cpu *cpu)
{
	slots_empty(cpu, page_put);
	slots_delete(cpu);
}

static __always_inline int take(struct slots *slots, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		slots->slot[i].memory = alloc_page(GFP_KERNEL);
		if (unlikely(slots->slot[i].memory == NULL))
			return -ENOMEM;
	}
	return 0;
}

static __always_inline void give(struct slots *slots, unsigned int first, unsigned int end)
{
	for (unsigned int i = first; i < end; i++) {
		__free_page(slots->slot[i].memory);
		slots->slot[i].memory = NULL;
	}
}

static int bulk_sample(struct bench_cpu *cpu)
{
	int error = take(slots_of(cpu), LLFREE_HELD);

	if (error == 0)
		give(slots_of(cpu), 0, LLFREE_HELD);
	return error;
}

static int repeat_sample(struct bench_cpu *cpu)
{
	unsigned int ops = cpu->run->ops;

	for (unsigned int i = 0; i < ops; i++) {
		struct page *page = alloc_page(GFP_KERNEL);

		if (unlikely(page == NULL))
			return -ENOMEM;
		__free_page(page);
	}
	return 0;
}

static int random_prepare(struct bench_cpu *cpu)
{
	if (cpu->number == 0)
		slots_shuffle(cpu);
	return 0;
}

static int random_sample(struct bench_cpu *cpu)
{
	give(slots_of(cpu), 0, LLFREE_HELD);
	return take(slots_of(cpu), LLFREE_HELD);
}

static u64 free_large_runs(void)
{
	u64 runs = 0;
	int node;

	for_each_online_node(node) for (int i = 0; i < MAX_NR_ZONES;
					i++) for (int order = LARGE_ORDER; order < MAX_ORDER;
						  order++) runs +=
	    NODE_DATA(node)->node_zones[i].free_area[order].nr_free << (order - LARGE_ORDER);
	return runs;
}

static int fragment_setup(struct bench_run *run)
{
	run->figures[0] = free_large_runs();
	return 0;
}

/* Worker 0 mixes all CPUs' pages, and gives half of each CPU's back. */
static void fragment(struct bench_cpu *cpu)
{
	struct bench_run *run = cpu->run;

	slots_shuffle(cpu);
	for (unsigned int i = 0; i < run->workers; i++)
		give(slots_of(&run->cpus[i]), LLFREE_HELD, LLFREE_FRAGMENT_SLOTS);
}

static int fragment_prepare(struct bench_cpu *cpu)
{
	if (cpu->round == 0) {
		if (cpu->number == 0)
			fragment(cpu);
		return 0;
	}
	slots_shuffle_own(cpu, LLFREE_HELD);
	if (cpu->number == 0)
		cpu->run->figures[1] = free_large_runs();
	return 0;
}

static int fragment_sample(struct bench_cpu *cpu)
{
	give(slots_of(cpu), 0, LLFREE_FRAGMENT_OPS);
	return take(slots_of(cpu), LLFREE_FRAGMENT_OPS);
}

static void fragment_notes(struct bench_run *run)
{
	pr_info(
	    "bench: note case=%u mode=%s free_2mib_runs_before=%llu free_2mib_runs_after=%llu\n",
	    run->what->index, bench_mode_name(run->mode), run->figures[0], run->figures[1]);
}

const struct bench_case llfree_cases[] = {
    LINUX_CASE(LLFREE_BULK, .ops = LLFREE_HELD, .setup_cpu = bulk_setup, .sample = bulk_sample,
	       .drain_cpu = drain),
    LINUX_CASE(LLFREE_REPEAT, .ops = 1000, .quick_ops = 200, .setup_cpu = held_setup,
	       .sample = repeat_sample, .drain_cpu = drain),
    LINUX_CASE(LLFREE_RANDOM, .ops = LLFREE_HELD, .setup_cpu = held_setup,
	       .prepare = random_prepare, .sample = random_sample, .drain_cpu = drain),
    LINUX_CASE(LLFREE_FRAGMENT, .ops = LLFREE_FRAGMENT_OPS, .setup = fragment_setup,
	       .setup_cpu = fragment_setup_cpu, .prepare = fragment_prepare,
	       .sample = fragment_sample, .notes = fragment_notes, .drain_cpu = drain),
    LINUX_CASE_END,
};
