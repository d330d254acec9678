/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shapes of well-known allocator benchmarks, for any allocator: the functions are inlined with
 * get and put in them, so that no call through a pointer counts.
 *
 * larson: a server whose requests begin on one CPU and end on another. Random slots of an array are
 * freed and filled, and the arrays go round (Larson and Krishnan, "Memory Allocation for
 * Long-Running Server Applications", ISMM 1998).
 *
 * xmalloc: producers and consumers. What one CPU allocates another one frees (after the benchmark
 * of Lever and Boreham, "malloc() Performance in a Multithreaded Linux Environment", 2000).
 *
 * scratch: passive false sharing. One CPU allocates a small object for each CPU, side by side; each
 * frees its own and goes on to allocate, write and free (Berger et al., "Hoard", ASPLOS 2000).
 */
#ifndef QUIRE_BENCH_KERNEL_TRACE_H
#define QUIRE_BENCH_KERNEL_TRACE_H

#include "bench/kernel/memory.h"

typedef void *trace_get(uint64_t size); /* NULL: there is none now */
typedef void trace_put(void *memory, uint64_t size);

#define TRACE_INLINE static inline __attribute__((always_inline))

enum {
	LARSON_SLOTS = 256,
	XMALLOC_OPS = 128,
	XMALLOC_SLOTS = 4 * XMALLOC_OPS, /* two halves: one is filled while the other is emptied */
	SCRATCH_SIZE = 64,
	SCRATCH_WRITES = 8,
};

/* plan: slot << 16 | bytes. */
TRACE_INLINE bool trace_larson(struct bench_worker *worker, trace_get *get, trace_put *put)
{
	struct bench_slot *slots = bench_slots_rotating(worker);
	unsigned ops = worker->run->ops;

	for (unsigned i = 0; i < ops; i++) {
		struct bench_slot *slot = &slots[worker->plan[i] >> 16];

		put(slot->memory, slot->size);
		slot->size = worker->plan[i] & 0xffff;
		slot->memory = get(slot->size);
		if (unlikely(slot->memory == NULL))
			return bench_short(worker->run, "for a slot");
	}
	return true;
}

TRACE_INLINE void trace_empty(struct bench_slot *slots, unsigned count, trace_put *put)
{
	for (unsigned i = 0; i < count; i++) {
		if (slots[i].memory != NULL)
			put(slots[i].memory, slots[i].size);
		slots[i].memory = NULL;
	}
}

/* plan: bytes. */
TRACE_INLINE bool trace_fill(struct bench_worker *worker, struct bench_slot *slots, unsigned count,
			     trace_get *get)
{
	unsigned ops = worker->run->ops;

	for (unsigned i = 0; i < count; i++) {
		uint64_t size = worker->plan[i < ops ? i : i - ops];

		slots[i].memory = get(size);
		slots[i].size = size;
		if (unlikely(slots[i].memory == NULL))
			return bench_short(worker->run, "for a slot");
	}
	return true;
}

/*
 * Workers 0 and 1 are partners, 2 and 3, and so on: the first allocates twice run->ops pieces, the
 * second frees as many, those of the round before. The last of an odd number does a half of each.
 */
TRACE_INLINE bool trace_xmalloc(struct bench_worker *worker, trace_get *get, trace_put *put)
{
	struct bench_run *run = worker->run;
	unsigned half = worker->round % 2 * (XMALLOC_SLOTS / 2);
	unsigned other = XMALLOC_SLOTS / 2 - half;

	if (worker->index % 2 == 1) {
		trace_empty(run->workers[worker->index - 1].own + other, 2 * run->ops, put);
		return true;
	}
	if (worker->index + 1 < run->worker_count)
		return trace_fill(worker, worker->own + half, 2 * run->ops, get);
	trace_empty(worker->own + other, run->ops, put);
	return trace_fill(worker, worker->own + half, run->ops, get);
}

TRACE_INLINE void trace_scribble(void *memory)
{
	for (unsigned i = 0; i < SCRATCH_WRITES; i++)
		((volatile uint64_t *)memory)[i] = i;
}

TRACE_INLINE bool trace_scratch(struct bench_worker *worker, trace_get *get, trace_put *put)
{
	void *memory = worker->own[0].memory;
	unsigned ops = worker->run->ops;

	worker->own[0].memory = NULL;
	for (unsigned i = 0;; i++) {
		trace_scribble(memory);
		put(memory, SCRATCH_SIZE);
		if (i + 1 == ops)
			return true;
		memory = get(SCRATCH_SIZE);
		if (unlikely(memory == NULL))
			return bench_short(worker->run, "for a piece of 64 bytes");
	}
}

/* --- Outside of samples --- */

/* For scratch's before: worker 0 allocates a piece for everybody. */
TRACE_INLINE bool trace_scratch_deal(struct bench_worker *worker, trace_get *get)
{
	struct bench_run *run = worker->run;

	for (unsigned i = 0; worker->index == 0 && i < run->worker_count; i++) {
		struct bench_slot *slot = &run->workers[i].own[0];

		slot->size = SCRATCH_SIZE;
		slot->memory = get(SCRATCH_SIZE);
		if (slot->memory == NULL)
			return bench_short(run, "for a piece of 64 bytes");
	}
	return true;
}

/* --- The traces as cases of an allocator --- */

/*
 * Defines the functions of TRACE_*_CASE that are the same for all allocators, with this one's get
 * and put in them; `memory` is its struct bench_memory.
 */
#define TRACE_FUNCTIONS(get, put, memory)                                                          \
	static bool sample_larson(struct bench_worker *worker)                                     \
	{                                                                                          \
		return trace_larson(worker, get, put);                                             \
	}                                                                                          \
	static bool sample_xmalloc(struct bench_worker *worker)                                    \
	{                                                                                          \
		return trace_xmalloc(worker, get, put);                                            \
	}                                                                                          \
	static bool before_scratch(struct bench_worker *worker)                                    \
	{                                                                                          \
		return trace_scratch_deal(worker, get);                                            \
	}                                                                                          \
	static bool sample_scratch(struct bench_worker *worker)                                    \
	{                                                                                          \
		return trace_scratch(worker, get, put);                                            \
	}                                                                                          \
	static bool verify_scratch(struct bench_worker *worker)                                    \
	{                                                                                          \
		return bench_verify(worker, &(memory), SCRATCH_SIZE);                              \
	}                                                                                          \
	static void leave_trace(struct bench_worker *worker)                                       \
	{                                                                                          \
		bench_slots_empty(worker, &(memory));                                              \
	}

/*
 * The cases. The allocator's own file has enter_larson, before_larson and before_xmalloc; `begin`
 * and `end` are its setup and teardown, or NULL.
 */
#define TRACE_LARSON_CASE(id, begin, end)                                                          \
	{                                                                                          \
		.index = (id), .modes = BENCH_BOTH, .ops = 500, .quick_ops = 200,                  \
		.slots = LARSON_SLOTS, .enter = enter_larson, .before = before_larson,             \
		.sample = sample_larson, .verify = bench_slots_verify, .leave = leave_trace,       \
		.setup = (begin), .teardown = (end)                                                \
	}

#define TRACE_XMALLOC_CASE(id, begin, end)                                                         \
	{                                                                                          \
		.index = (id), .modes = BENCH_ALL, .ops = XMALLOC_OPS, .slots = XMALLOC_SLOTS,     \
		.before = before_xmalloc, .sample = sample_xmalloc, .verify = bench_slots_verify,  \
		.leave = leave_trace, .setup = (begin), .teardown = (end)                          \
	}

#define TRACE_SCRATCH_CASE(id, begin, end)                                                         \
	{                                                                                          \
		.index = (id), .modes = BENCH_BOTH, .ops = 500, .quick_ops = 100, .slots = 1,      \
		.before = before_scratch, .sample = sample_scratch, .verify = verify_scratch,      \
		.leave = leave_trace, .setup = (begin), .teardown = (end)                          \
	}

#endif
