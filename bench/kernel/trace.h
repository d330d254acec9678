/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shapes of well-known allocator benchmarks, for any allocator: the functions are inlined with
 * get and put in them, so that no call through a pointer counts.
 *
 * larson   a server whose requests begin on one CPU and end on another: random slots of an array
 *          are freed and filled, and the arrays go round (Larson and Krishnan, "Memory Allocation
 *          for Long-Running Server Applications", ISMM 1998).
 * xmalloc  producers and consumers: what one CPU allocates another one frees (after the benchmark
 *          of Lever and Boreham, "malloc() Performance in a Multithreaded Linux Environment",
 * 2000). scratch  passive false sharing: one CPU allocates a small object for each CPU, side by
 * side; each frees its own and goes on to allocate, write and free (Berger et al., "Hoard", ASPLOS
 * 2000).
 */
#ifndef QUIRE_BENCH_KERNEL_TRACE_H
#define QUIRE_BENCH_KERNEL_TRACE_H

#include "bench/kernel/bench.h"

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

#endif
