/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shapes of well-known allocator benchmarks, larson, xmalloc and cache-scratch, step for step
 * as bench/kernel/trace.h has them and explains them. get and put are inlined into them.
 */
#ifndef QUIRE_BENCH_PEERS_LINUX_MODULE_TRACE_H
#define QUIRE_BENCH_PEERS_LINUX_MODULE_TRACE_H

#include "bench/peers/linux/module/harness.h"
#include "bench/peers/linux/module/slots.h"

/* NULL when there is none. */
typedef void *trace_get(const struct bench_cpu *cpu, uint64_t size);
typedef void trace_put(const struct bench_cpu *cpu, const struct slot *slot);

enum {
	LARSON_SLOTS = 256,
	XMALLOC_OPS = 128,
	XMALLOC_SLOTS = 4 * XMALLOC_OPS, /* two halves: one is filled while the other is emptied */
	SCRATCH_SIZE = 64,
	SCRATCH_WRITES = 8,
};

static __always_inline int trace_fill_slot(const struct bench_cpu *cpu, struct slot *slot,
					   uint64_t size, trace_get *get)
{
	slot->memory = get(cpu, size);
	slot->size = size;
	return likely(slot->memory != NULL) ? 0 : -ENOMEM;
}

/* plan: slot << 16 | bytes. */
static __always_inline int trace_larson(struct bench_cpu *cpu, trace_get *get, trace_put *put)
{
	unsigned int ops = cpu->run->ops;
	const uint32_t *plan = slots_of(cpu)->plan;
	struct slots *slots = slots_rotating(cpu);
	int error = 0;

	for (unsigned int i = 0; error == 0 && i < ops; i++) {
		struct slot *slot = &slots->slot[plan[i] >> 16];

		put(cpu, slot);
		error = trace_fill_slot(cpu, slot, plan[i] & 0xffff, get);
	}
	return error;
}

static __always_inline void trace_empty(const struct bench_cpu *cpu, struct slot *slots,
					unsigned int count, trace_put *put)
{
	for (unsigned int i = 0; i < count; i++) {
		if (slots[i].memory != NULL)
			put(cpu, &slots[i]);
		slots[i].memory = NULL;
	}
}

/* plan: bytes, used over again when count is larger than ops. */
static __always_inline int trace_fill(struct bench_cpu *cpu, struct slot *slots, unsigned int count,
				      trace_get *get)
{
	const uint32_t *plan = slots_of(cpu)->plan;
	unsigned int ops = cpu->run->ops;
	int error = 0;

	for (unsigned int i = 0; error == 0 && i < count; i++)
		error = trace_fill_slot(cpu, &slots[i], plan[i < ops ? i : i - ops], get);
	return error;
}

/*
 * Workers 0 and 1 are partners, 2 and 3, and so on: the first allocates twice run->ops pieces, the
 * second frees as many, those of the round before. The last of an odd number does half of each.
 */
static __always_inline int trace_xmalloc(struct bench_cpu *cpu, trace_get *get, trace_put *put)
{
	struct bench_run *run = cpu->run;
	unsigned int half = cpu->round % 2 * (XMALLOC_SLOTS / 2);
	unsigned int other = XMALLOC_SLOTS / 2 - half;

	if (cpu->number % 2 == 1) {
		trace_empty(cpu, &slots_of(cpu - 1)->slot[other], 2 * run->ops, put);
		return 0;
	}
	if (cpu->number + 1 < run->workers)
		return trace_fill(cpu, &slots_of(cpu)->slot[half], 2 * run->ops, get);
	trace_empty(cpu, &slots_of(cpu)->slot[other], run->ops, put);
	return trace_fill(cpu, &slots_of(cpu)->slot[half], run->ops, get);
}

static __always_inline void trace_scribble(void *memory)
{
	for (unsigned int i = 0; i < SCRATCH_WRITES; i++)
		WRITE_ONCE(((uint64_t *)memory)[i], i);
}

static __always_inline int trace_scratch(struct bench_cpu *cpu, trace_get *get, trace_put *put)
{
	struct slot slot = slots_of(cpu)->slot[0];
	unsigned int ops = cpu->run->ops;

	slots_of(cpu)->slot[0].memory = NULL;
	for (unsigned int i = 0;; i++) {
		trace_scribble(slot.memory);
		put(cpu, &slot);
		if (i + 1 == ops)
			return 0;
		if (trace_fill_slot(cpu, &slot, SCRATCH_SIZE, get) != 0)
			return -ENOMEM;
	}
}

/* --- Outside of samples --- */

/* For scratch's prepare: worker 0 allocates a piece for everybody. */
static __always_inline int trace_scratch_deal(struct bench_cpu *cpu, trace_get *get)
{
	struct bench_run *run = cpu->run;
	int error = 0;

	for (unsigned int i = 0; cpu->number == 0 && error == 0 && i < run->workers; i++)
		error = trace_fill_slot(cpu, &slots_of(&run->cpus[i])->slot[0], SCRATCH_SIZE, get);
	return error;
}

/* For setup_cpu: `count` slots, each with `size` bytes. */
static __always_inline int trace_hold(struct bench_cpu *cpu, unsigned int count, uint64_t size,
				      trace_get *get)
{
	int error = slots_new(cpu, count);

	for (unsigned int i = 0; error == 0 && i < count; i++)
		error = trace_fill_slot(cpu, &slots_of(cpu)->slot[i], size, get);
	return error;
}

static __always_inline void trace_drain(struct bench_cpu *cpu, trace_put *put)
{
	if (cpu->state != NULL)
		trace_empty(cpu, slots_of(cpu)->slot, slots_of(cpu)->count, put);
	slots_delete(cpu);
}

/* setup_cpu of the others. */
static inline int trace_xmalloc_setup(struct bench_cpu *cpu)
{
	return slots_new(cpu, XMALLOC_SLOTS);
}

static inline int trace_scratch_setup(struct bench_cpu *cpu)
{
	return slots_new(cpu, 1);
}

#endif
