/* SPDX-License-Identifier: BSD-2-Clause */
/* Physical pages. */
#include "bench/kernel/memory.h"

enum { PAGE_BATCH = 512 };

static bool sample_pair(struct bench_worker *worker)
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

static bool sample_zero_pair(struct bench_worker *worker)
{
	unsigned ops = worker->run->ops;

	for (unsigned i = 0; i < ops; i++) {
		vm_page_t page =
		    vm_page_alloc(NULL, 0, VM_ALLOC_NORMAL | VM_ALLOC_NOOBJ | VM_ALLOC_ZERO);

		if (unlikely(page == NULL))
			return bench_short(worker->run, "for a page");
		if ((page->flags & PG_ZERO) == 0)
			arch_page_zero(VM_PAGE_TO_PHYS(page));
		vm_page_free(page);
	}
	return true;
}

/* The slots hold descriptors here, and only while a sample runs. */
static bool sample_batch(struct bench_worker *worker)
{
	struct bench_slot *slots = worker->own;
	unsigned count = 0;

	for (; count < PAGE_BATCH; count++) {
		slots[count].memory = bench_page_alloc();
		if (unlikely(slots[count].memory == NULL))
			break;
	}
	for (unsigned i = 0; i < count; i++)
		vm_page_free(slots[i].memory);
	return count == PAGE_BATCH || bench_short(worker->run, "for 512 pages");
}

static bool verify(struct bench_worker *worker)
{
	return bench_verify(worker, &bench_pages, PAGE_SIZE);
}

static bool verify_zero(struct bench_worker *worker)
{
	return bench_verify(worker, &bench_zero_pages, PAGE_SIZE);
}

const struct bench_case bench_cases_page[] = {
    {
	.index = BENCH_PAGE_PAIR,
	.modes = BENCH_BOTH,
	.ops = 1000,
	.quick_ops = 200,
	.sample = sample_pair,
	.verify = verify,
    },
    {
	.index = BENCH_PAGE_BATCH,
	.modes = BENCH_BOTH,
	.ops = PAGE_BATCH,
	.slots = PAGE_BATCH,
	.sample = sample_batch,
	.verify = verify,
    },
    {
	.index = BENCH_PAGE_ZERO,
	.modes = BENCH_BOTH,
	.ops = 200,
	.quick_ops = 50,
	.sample = sample_zero_pair,
	.verify = verify_zero,
    },
    {0},
};
