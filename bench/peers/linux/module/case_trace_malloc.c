/* SPDX-License-Identifier: BSD-2-Clause */
/* The traces of trace.h with kmalloc, whose sizes the compiler does not know here. */
#include <linux/slab.h>

#include "bench/peers/linux/module/trace.h"

enum {
	LARSON_MIN = 16,
	LARSON_MAX = 1024,
	XMALLOC_MIN = 64,
	XMALLOC_MAX = 512,
};

static __always_inline void *get(const struct bench_cpu *cpu, uint64_t size)
{
	return kmalloc(size, GFP_KERNEL);
}

static __always_inline void put(const struct bench_cpu *cpu, const struct slot *slot)
{
	kfree(slot->memory);
}

static void drain(struct bench_cpu *cpu)
{
	trace_drain(cpu, put);
}

static int larson_setup(struct bench_cpu *cpu)
{
	return trace_hold(cpu, LARSON_SLOTS, LARSON_MIN, get);
}

static int larson_prepare(struct bench_cpu *cpu)
{
	for (unsigned int i = 0; i < cpu->run->ops; i++) {
		uint32_t slot = bench_random_below(&cpu->random, LARSON_SLOTS);

		slots_of(cpu)->plan[i] =
		    slot << 16 | bench_random_between(&cpu->random, LARSON_MIN, LARSON_MAX);
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
		slots_of(cpu)->plan[i] =
		    bench_random_between(&cpu->random, XMALLOC_MIN, XMALLOC_MAX);
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

const struct bench_case trace_malloc_cases[] = {
    LINUX_CASE(LARSON_MALLOC, .ops = 500, .quick_ops = 200, .setup_cpu = larson_setup,
	       .prepare = larson_prepare, .sample = larson_sample, .drain_cpu = drain),
    LINUX_CASE(XMALLOC_MALLOC, .modes = BENCH_ALL, .ops = XMALLOC_OPS,
	       .setup_cpu = trace_xmalloc_setup, .prepare = xmalloc_prepare,
	       .sample = xmalloc_sample, .drain_cpu = drain),
    LINUX_CASE(SCRATCH_MALLOC, .ops = 500, .quick_ops = 100, .setup_cpu = trace_scratch_setup,
	       .prepare = scratch_prepare, .sample = scratch_sample, .drain_cpu = drain),
    LINUX_CASE_END,
};
