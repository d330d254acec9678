/* SPDX-License-Identifier: BSD-2-Clause */
/* The traces of trace.h with items of object caches. */
#include "bench/peers/linux/module/item.h"
#include "bench/peers/linux/module/trace.h"

enum { CACHES = 3, XMALLOC_SIZE = 256 };

static const unsigned int sizes[CACHES] = {64, 256, 1024};
static const char *const names[CACHES] = {"quire_bench_64", "quire_bench_256", "quire_bench_1024"};
static struct kmem_cache *caches[CACHES];

static __always_inline struct kmem_cache *cache_of(uint64_t size)
{
	for (unsigned int i = 0; i < CACHES - 1; i++)
		if (sizes[i] == size)
			return caches[i];
	return caches[CACHES - 1];
}

static __always_inline void *get(const struct bench_cpu *cpu, uint64_t size)
{
	return kmem_cache_alloc(cache_of(size), GFP_KERNEL);
}

static __always_inline void put(const struct bench_cpu *cpu, const struct slot *slot)
{
	kmem_cache_free(cache_of(slot->size), slot->memory);
}

static int setup(struct bench_run *run)
{
	for (unsigned int i = 0; i < CACHES; i++) {
		caches[i] = item_cache_new(names[i], sizes[i]);
		if (caches[i] == NULL)
			return -ENOMEM;
	}
	return 0;
}

static void teardown(struct bench_run *run)
{
	for (unsigned int i = 0; i < CACHES; i++) {
		kmem_cache_destroy(caches[i]);
		caches[i] = NULL;
	}
}

static void drain(struct bench_cpu *cpu)
{
	trace_drain(cpu, put);
}

static int larson_setup(struct bench_cpu *cpu)
{
	return trace_hold(cpu, LARSON_SLOTS, sizes[0], get);
}

static int larson_prepare(struct bench_cpu *cpu)
{
	for (unsigned int i = 0; i < cpu->run->ops; i++) {
		uint32_t slot = bench_random_below(&cpu->random, LARSON_SLOTS);
		unsigned int size = sizes[bench_random_below(&cpu->random, CACHES)];

		slots_of(cpu)->plan[i] = slot << 16 | size;
	}
	return 0;
}

static int larson_sample(struct bench_cpu *cpu)
{
	return trace_larson(cpu, get, put);
}

static int xmalloc_prepare(struct bench_cpu *cpu)
{
	unsigned int ops = cpu->run->ops;

	for (unsigned int i = 0; i < ops; i++)
		slots_of(cpu)->plan[i] = XMALLOC_SIZE;
	return 0;
}

static int xmalloc_sample(struct bench_cpu *cpu)
{
	return trace_xmalloc(cpu, get, put);
}

static int scratch_prepare(struct bench_cpu *cpu)
{
	return trace_scratch_deal(cpu, get);
}

static int scratch_sample(struct bench_cpu *cpu)
{
	return trace_scratch(cpu, get, put);
}

const struct bench_case trace_zone_cases[] = {
    LINUX_CASE(LARSON_ZONE, .ops = 500, .quick_ops = 200, .setup = setup, .setup_cpu = larson_setup,
	       .prepare = larson_prepare, .sample = larson_sample, .drain_cpu = drain,
	       .teardown = teardown),
    LINUX_CASE(XMALLOC_ZONE, .modes = BENCH_ALL, .ops = XMALLOC_OPS, .setup = setup,
	       .setup_cpu = trace_xmalloc_setup, .prepare = xmalloc_prepare,
	       .sample = xmalloc_sample, .drain_cpu = drain, .teardown = teardown),
    LINUX_CASE(SCRATCH_ZONE, .ops = 500, .quick_ops = 100, .setup = setup,
	       .setup_cpu = trace_scratch_setup, .prepare = scratch_prepare,
	       .sample = scratch_sample, .drain_cpu = drain, .teardown = teardown),
    LINUX_CASE_END,
};
