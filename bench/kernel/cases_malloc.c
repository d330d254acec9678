/* SPDX-License-Identifier: BSD-2-Clause */
/* malloc(9), by itself and in the traces of trace.h. */
#include "kernel/malloc/malloc.h"

#include "bench/kernel/memory.h"
#include "bench/kernel/trace.h"

enum {
	LARSON_MIN = 16,
	LARSON_MAX = 1024,
	XMALLOC_MIN = 64,
	XMALLOC_MAX = 512,
};

static MALLOC_DEFINE(M_BENCH, "bench", "memory of the benchmark");

/* A size that the compiler knows, as nearly all callers of malloc have. */
TRACE_INLINE bool pairs(struct bench_worker *worker, size_t size)
{
	unsigned ops = worker->run->ops;

	for (unsigned i = 0; i < ops; i++) {
		void *piece = malloc(size, M_BENCH, M_NOWAIT);

		if (unlikely(piece == NULL))
			return bench_short(worker->run, "for malloc");
		free(piece, M_BENCH);
	}
	return true;
}

static bool sample_64(struct bench_worker *worker)
{
	return pairs(worker, 64);
}

static bool sample_256(struct bench_worker *worker)
{
	return pairs(worker, 256);
}

static bool sample_4096(struct bench_worker *worker)
{
	return pairs(worker, 4096);
}

/* For the traces, whose sizes are drawn. */
TRACE_INLINE void *get(uint64_t size)
{
	return malloc(size, M_BENCH, M_NOWAIT);
}

TRACE_INLINE void put(void *memory, uint64_t size)
{
	(void)size;
	free(memory, M_BENCH);
}

static void *memory_get(uint64_t size)
{
	return get(size);
}

static void memory_put(void *memory, uint64_t size)
{
	put(memory, size);
}

static const struct bench_memory malloc_memory = {memory_get, memory_put, false};

static bool verify(struct bench_worker *worker)
{
	return bench_verify(worker, &malloc_memory, worker->run->test->size);
}

static bool enter_larson(struct bench_worker *worker)
{
	return bench_slots_fill(worker, &malloc_memory, LARSON_MIN, LARSON_SLOTS);
}

static bool before_larson(struct bench_worker *worker)
{
	for (unsigned i = 0; i < worker->run->ops; i++) {
		uint32_t slot = bench_random_below(&worker->random, LARSON_SLOTS);

		worker->plan[i] =
		    slot << 16 | bench_random_between(&worker->random, LARSON_MIN, LARSON_MAX);
	}
	return true;
}

static bool before_xmalloc(struct bench_worker *worker)
{
	for (unsigned i = 0; i < worker->run->ops; i++)
		worker->plan[i] = bench_random_between(&worker->random, XMALLOC_MIN, XMALLOC_MAX);
	return true;
}

TRACE_FUNCTIONS(get, put, malloc_memory)

#define MALLOC_CASE(id, bytes, function)                                                           \
	{                                                                                          \
		.index = (id), .modes = BENCH_BOTH, .ops = 1000, .quick_ops = 200,                 \
		.size = (bytes), .sample = (function), .verify = verify,                           \
	}

const struct bench_case bench_cases_malloc[] = {
    MALLOC_CASE(BENCH_MALLOC_64, 64, sample_64),
    MALLOC_CASE(BENCH_MALLOC_256, 256, sample_256),
    MALLOC_CASE(BENCH_MALLOC_4096, 4096, sample_4096),
    TRACE_LARSON_CASE(BENCH_LARSON_MALLOC, NULL, NULL),
    TRACE_XMALLOC_CASE(BENCH_XMALLOC_MALLOC, NULL, NULL),
    TRACE_SCRATCH_CASE(BENCH_SCRATCH_MALLOC, NULL, NULL),
    {0},
};
