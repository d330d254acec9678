/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making every CPU forget a page at once, as it happens when rights are taken away. Where one CPU
 * does it while the others are busy, what the meter counts of all CPUs together has their spinning
 * in it; what it counts of the one has not.
 */
#include "bench/kernel/bench.h"
#include "smp/shootdown.h"
#include "vm/vm_kern.h"

/* Each worker has a page of its own: two shootdowns of the same range may not overlap. */
static bool enter(struct bench_worker *worker)
{
	vm_offset_t page = kmem_alloc(kernel_map, PAGE_SIZE);

	worker->own[0].memory = (void *)page;
	return page != 0 || bench_short(worker->run, "for a page to forget");
}

static bool sample(struct bench_worker *worker)
{
	unsigned ops = worker->run->ops;
	vm_offset_t page = (vm_offset_t)worker->own[0].memory;

	for (unsigned i = 0; i < ops; i++)
		shootdown_range(page, page + PAGE_SIZE, SHOOTDOWN_PROTECT);
	return true;
}

static void leave(struct bench_worker *worker)
{
	if (worker->own[0].memory != NULL)
		kmem_free(kernel_map, (vm_offset_t)worker->own[0].memory, PAGE_SIZE);
}

static bool setup_busy(struct bench_run *run)
{
	return run->mode == BENCH_ALL || bench_spinners_start(run);
}

static void teardown_busy(struct bench_run *run)
{
	(void)run;
	bench_spinners_stop();
}

const struct bench_case bench_cases_shootdown[] = {
    {
	.index = BENCH_SHOOTDOWN_IDLE,
	.modes = BENCH_ALONE,
	.ops = 100,
	.quick_ops = 20,
	.ops_divided = true,
	.slots = 1,
	.report_ipis = true,
	.enter = enter,
	.sample = sample,
	.leave = leave,
    },
    {
	.index = BENCH_SHOOTDOWN_BUSY,
	.modes = BENCH_BOTH,
	/* Few: on a machine with fewer processors than CPUs the busy ones keep it from the others.
	 */
	.ops = 16,
	.quick_ops = 4,
	.ops_divided = true,
	.slots = 1,
	.report_ipis = true,
	.setup = setup_busy,
	.enter = enter,
	.sample = sample,
	.leave = leave,
	.teardown = teardown_busy,
    },
    {0},
};
