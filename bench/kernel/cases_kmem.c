/* SPDX-License-Identifier: BSD-2-Clause */
/* Mapped memory of kmem_map and kernel_map. */
#include "bench/kernel/memory.h"
#include "bench/kernel/switch.h"
#include "vm/vm_kern.h"

/* Where a case allocates is part of the case; the sizes are its `size`, in bytes. */
static void *kmem_get(uint64_t size)
{
	return (void *)kmem_malloc(kmem_map, size, M_NOWAIT);
}

static void kmem_put(void *memory, uint64_t size)
{
	kmem_free(kmem_map, (vm_offset_t)memory, size);
}

static void *kernel_get(uint64_t size)
{
	return (void *)kmem_alloc(kernel_map, size);
}

static void kernel_put(void *memory, uint64_t size)
{
	kmem_free(kernel_map, (vm_offset_t)memory, size);
}

static const struct bench_memory kmem_memory = {kmem_get, kmem_put, false};
static const struct bench_memory kernel_memory = {kernel_get, kernel_put, true};

static bool sample_kmem(struct bench_worker *worker)
{
	unsigned ops = worker->run->ops;
	vm_size_t size = worker->run->test->size;

	for (unsigned i = 0; i < ops; i++) {
		vm_offset_t addr = kmem_malloc(kmem_map, size, M_NOWAIT);

		if (unlikely(addr == 0))
			return bench_short(worker->run, "for kmem_malloc");
		kmem_free(kmem_map, addr, size);
	}
	return true;
}

static bool sample_kmem_touched(struct bench_worker *worker)
{
	unsigned ops = worker->run->ops;
	vm_size_t size = worker->run->test->size;

	for (unsigned i = 0; i < ops; i++) {
		vm_offset_t addr = kmem_malloc(kmem_map, size, M_NOWAIT);

		if (unlikely(addr == 0))
			return bench_short(worker->run, "for kmem_malloc");
		*(volatile uint64_t *)addr = addr;
		kmem_free(kmem_map, addr, size);
	}
	return true;
}

static bool sample_kernel(struct bench_worker *worker)
{
	unsigned ops = worker->run->ops;
	vm_size_t size = worker->run->test->size;

	for (unsigned i = 0; i < ops; i++) {
		vm_offset_t addr = kmem_alloc(kernel_map, size);

		if (unlikely(addr == 0))
			return bench_short(worker->run, "for kmem_alloc");
		kmem_free(kernel_map, addr, size);
	}
	return true;
}

static bool verify_kmem(struct bench_worker *worker)
{
	return bench_verify(worker, &kmem_memory, worker->run->test->size);
}

static bool verify_kernel(struct bench_worker *worker)
{
	return bench_verify(worker, &kernel_memory, worker->run->test->size);
}

/* --- Without the caches of mapped ranges, or with every free strict --- */

static bool setup_uncached(struct bench_run *run)
{
	return bench_switch_set(run, BENCH_SWITCH_KMEM_CACHE, false);
}

static void teardown_uncached(struct bench_run *run)
{
	bench_switch_restore(run, BENCH_SWITCH_KMEM_CACHE);
}

static bool setup_strict(struct bench_run *run)
{
	return setup_uncached(run) && bench_switch_set(run, BENCH_SWITCH_KMEM_DEFER, false);
}

static void teardown_strict(struct bench_run *run)
{
	bench_switch_restore(run, BENCH_SWITCH_KMEM_DEFER);
	teardown_uncached(run);
}

/* Both ways; what differs follows. */
#define PAGES_CASE(id, pages, count, quick, ...)                                                   \
	{                                                                                          \
		.index = (id), .modes = BENCH_BOTH, .ops = (count), .quick_ops = (quick),          \
		.size = (pages)*PAGE_SIZE, __VA_ARGS__                                             \
	}

/* Each CPU does its share of the operations. */
#define SHARED_CASE(id, pages, count, quick, ...)                                                  \
	PAGES_CASE(id, pages, count, quick, .ops_divided = true, __VA_ARGS__)

#define KMEM_CASE(id, pages, count, quick)                                                         \
	SHARED_CASE(id, pages, count, quick, .sample = sample_kmem, .verify = verify_kmem)

/*
 * What is freed waits, and the CPU gives it back some hundred pages at a time: each CPU does as
 * many operations as make that happen some times in a sample.
 */
#define WAITING_CASE(id, pages, count, quick)                                                      \
	PAGES_CASE(id, pages, count, quick, .sample = sample_kmem, .verify = verify_kmem)

#define KERNEL_CASE(id, pages, count, quick)                                                       \
	SHARED_CASE(id, pages, count, quick, .sample = sample_kernel, .verify = verify_kernel)

#define SWITCHED_CASE(id, pages, count, quick, function, switches)                                 \
	PAGES_CASE(id, pages, count, quick, .setup = setup_##switches, .sample = (function),       \
		   .verify = verify_kmem, .teardown = teardown_##switches)

const struct bench_case bench_cases_kmem[] = {
    KMEM_CASE(BENCH_KMEM_1, 1, 200, 50),
    KMEM_CASE(BENCH_KMEM_4, 4, 200, 50),
    KMEM_CASE(BENCH_KMEM_16, 16, 100, 20),
    SWITCHED_CASE(BENCH_KMEM_UNCACHED_1, 1, 1024, 512, sample_kmem, uncached),
    SWITCHED_CASE(BENCH_KMEM_UNCACHED_4, 4, 256, 128, sample_kmem, uncached),
    SWITCHED_CASE(BENCH_KMEM_UNCACHED_16, 16, 64, 32, sample_kmem, uncached),
    WAITING_CASE(BENCH_KMEM_64, 64, 32, 16),
    WAITING_CASE(BENCH_KMEM_256, 256, 16, 8),
    KERNEL_CASE(BENCH_KMEM_ALLOC_1, 1, 100, 20),
    KERNEL_CASE(BENCH_KMEM_ALLOC_16, 16, 50, 10),
    SWITCHED_CASE(BENCH_KMEM_DEFERRED, 1, 1024, 512, sample_kmem_touched, uncached),
    SHARED_CASE(BENCH_KMEM_STRICT, 1, 200, 50, .setup = setup_strict, .sample = sample_kmem_touched,
		.verify = verify_kmem, .teardown = teardown_strict),
    SHARED_CASE(BENCH_KMEM_1000, 1, 1000, 100, .report_ipis = true, .sample = sample_kmem_touched,
		.verify = verify_kmem),
    {0},
};
