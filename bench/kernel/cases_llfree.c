/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page patterns after the benchmarks of LLFree (Wrenger, Rommel, Halbuer, Dietrich, Lohmann,
 * "LLFree: Scalable and Optionally-Persistent Page-Frame Allocation", USENIX ATC 2023): many
 * pages at once, one page over and over, frees in random order over all CPUs, and what random
 * frees leave of large free runs.
 */
#include "bench/kernel/memory.h"
#include "kernel/console.h"
#include "vm/vm_phys.h"

enum {
	LLFREE_HELD = 1024,
	LLFREE_FRAGMENT_SLOTS = 2 * LLFREE_HELD,
	LLFREE_FRAGMENT_OPS = LLFREE_HELD / 10,
};

/* In these cases a slot holds the descriptor of a page. */
static bool slot_take(struct bench_slot *slot)
{
	vm_page_t page = bench_page_alloc();

	slot->memory = page;
	return page != NULL;
}

static void slot_give(struct bench_slot *slot)
{
	vm_page_free(slot->memory);
	slot->memory = NULL;
}

static bool sample_bulk(struct bench_worker *worker)
{
	struct bench_slot *slots = worker->own;

	for (unsigned i = 0; i < LLFREE_HELD; i++)
		if (unlikely(!slot_take(&slots[i])))
			return bench_short(worker->run, "for 1024 pages");
	for (unsigned i = 0; i < LLFREE_HELD; i++)
		slot_give(&slots[i]);
	return true;
}

static bool sample_repeat(struct bench_worker *worker)
{
	unsigned ops = worker->run->ops;

	for (unsigned i = 0; i < ops; i++) {
		vm_page_t page = bench_page_alloc();

		if (unlikely(page == NULL))
			return bench_short(worker->run, "for a page");
		vm_page_free(page);
	}
	return true;
}

/* Frees all slots from 0 to count - 1, and fills them again. */
static bool slots_renew(struct bench_worker *worker, unsigned count)
{
	struct bench_slot *slots = worker->own;

	for (unsigned i = 0; i < count; i++)
		slot_give(&slots[i]);
	for (unsigned i = 0; i < count; i++)
		if (unlikely(!slot_take(&slots[i])))
			return bench_short(worker->run, "for a page");
	return true;
}

static bool before_random(struct bench_worker *worker)
{
	if (worker->index == 0)
		bench_slots_shuffle(worker);
	return true;
}

static bool sample_random(struct bench_worker *worker)
{
	return slots_renew(worker, LLFREE_HELD);
}

/* --- Fragmentation --- */

static uint64_t free_large_runs(void)
{
	uint64_t counts[VM_PHYS_ORDERS], runs = 0;

	for (unsigned domain = 0; domain < vm_phys_domain_count(); domain++) {
		vm_phys_free_blocks(domain, counts);
		for (unsigned order = MMU_INDEX_BITS; order < VM_PHYS_ORDERS; order++)
			runs += counts[order] << (order - MMU_INDEX_BITS);
	}
	return runs;
}

static bool setup_fragment(struct bench_run *run)
{
	run->figures[0] = free_large_runs();
	return true;
}

/* Worker 0 mixes all CPUs' pages, and gives half of each CPU's back. */
static void fragment(struct bench_worker *worker)
{
	struct bench_run *run = worker->run;

	bench_slots_shuffle(worker);
	for (unsigned i = 0; i < run->worker_count; i++)
		for (unsigned slot = LLFREE_HELD; slot < LLFREE_FRAGMENT_SLOTS; slot++)
			slot_give(&run->workers[i].own[slot]);
}

static bool before_fragment(struct bench_worker *worker)
{
	if (worker->round == 0) {
		if (worker->index == 0)
			fragment(worker);
		return true;
	}
	bench_slots_shuffle_own(worker, LLFREE_HELD);
	if (worker->index == 0)
		worker->run->figures[1] = free_large_runs();
	return true;
}

static bool sample_fragment(struct bench_worker *worker)
{
	return slots_renew(worker, LLFREE_FRAGMENT_OPS);
}

static void notes_fragment(struct bench_run *run)
{
	console_printf("bench: note case=%u mode=%s free_2mib_runs_before=%lu "
		       "free_2mib_runs_after=%lu\n",
		       run->test->index, run->mode == BENCH_ALL ? "all" : "alone",
		       (unsigned long)run->figures[0], (unsigned long)run->figures[1]);
}

static bool verify(struct bench_worker *worker)
{
	return bench_verify(worker, &bench_pages, PAGE_SIZE);
}

const struct bench_case bench_cases_llfree[] = {
    {
	.index = BENCH_LLFREE_BULK,
	.modes = BENCH_BOTH,
	.ops = LLFREE_HELD,
	.slots = LLFREE_HELD,
	.sample = sample_bulk,
	.verify = verify,
	.leave = bench_slots_free_pages,
    },
    {
	.index = BENCH_LLFREE_REPEAT,
	.modes = BENCH_BOTH,
	.ops = 1000,
	.quick_ops = 200,
	.slots = LLFREE_HELD,
	.enter = bench_slots_hold_pages,
	.sample = sample_repeat,
	.verify = bench_slots_verify_pages,
	.leave = bench_slots_free_pages,
    },
    {
	.index = BENCH_LLFREE_RANDOM,
	.modes = BENCH_BOTH,
	.ops = LLFREE_HELD,
	.slots = LLFREE_HELD,
	.enter = bench_slots_hold_pages,
	.before = before_random,
	.sample = sample_random,
	.verify = bench_slots_verify_pages,
	.leave = bench_slots_free_pages,
    },
    {
	.index = BENCH_LLFREE_FRAGMENT,
	.modes = BENCH_BOTH,
	.ops = LLFREE_FRAGMENT_OPS,
	.slots = LLFREE_FRAGMENT_SLOTS,
	.setup = setup_fragment,
	.enter = bench_slots_hold_pages,
	.before = before_fragment,
	.sample = sample_fragment,
	.verify = bench_slots_verify_pages,
	.leave = bench_slots_free_pages,
	.notes = notes_fragment,
    },
    {0},
};
