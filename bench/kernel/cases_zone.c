/* SPDX-License-Identifier: BSD-2-Clause */
/* Items of zones, by themselves and in the traces of trace.h. */
#include "bench/kernel/trace.h"
#include "bench/kernel/zones.h"

enum { ZONE_BATCH = 512, ZONE_BATCH_SIZE = 256 };

static bool sample_pair(struct bench_worker *worker)
{
	unsigned ops = worker->run->ops;
	uma_zone_t zone = bench_zone(worker->run->test->size);

	for (unsigned i = 0; i < ops; i++) {
		void *item = uma_zalloc(zone, M_NOWAIT);

		if (unlikely(item == NULL))
			return bench_short(worker->run, "for an item");
		uma_zfree(zone, item);
	}
	return true;
}

/* The slots hold items only while a sample runs. */
static bool sample_batch(struct bench_worker *worker)
{
	uma_zone_t zone = bench_zone(ZONE_BATCH_SIZE);
	struct bench_slot *slots = worker->own;
	unsigned count = 0;

	for (; count < ZONE_BATCH; count++) {
		slots[count].memory = uma_zalloc(zone, M_NOWAIT);
		if (unlikely(slots[count].memory == NULL))
			break;
	}
	for (unsigned i = 0; i < count; i++)
		uma_zfree(zone, slots[i].memory);
	return count == ZONE_BATCH || bench_short(worker->run, "for 512 items");
}

static bool verify(struct bench_worker *worker)
{
	return bench_verify(worker, &bench_zone_memory, worker->run->test->size);
}

/* --- The traces --- */

enum { LARSON_ZONES = 3, XMALLOC_SIZE = 256 };

TRACE_INLINE void *get(uint64_t size)
{
	return uma_zalloc(bench_zone(size), M_NOWAIT);
}

TRACE_INLINE void put(void *memory, uint64_t size)
{
	uma_zfree(bench_zone(size), memory);
}

static bool enter_larson(struct bench_worker *worker)
{
	return bench_slots_fill(worker, &bench_zone_memory, bench_zone_size(0), LARSON_SLOTS);
}

static bool before_larson(struct bench_worker *worker)
{
	for (unsigned i = 0; i < worker->run->ops; i++) {
		uint32_t slot = bench_random_below(&worker->random, LARSON_SLOTS);
		unsigned zone = bench_random_below(&worker->random, LARSON_ZONES);

		worker->plan[i] = slot << 16 | (uint32_t)bench_zone_size(zone);
	}
	return true;
}

static bool before_xmalloc(struct bench_worker *worker)
{
	for (unsigned i = 0; i < worker->run->ops; i++)
		worker->plan[i] = XMALLOC_SIZE;
	return true;
}

TRACE_FUNCTIONS(get, put, bench_zone_memory)

#define ZONE_CASE(id, bytes)                                                                       \
	{                                                                                          \
		.index = (id), .modes = BENCH_BOTH, .ops = 1000, .quick_ops = 200,                 \
		.size = (bytes), .setup = bench_zones_setup, .sample = sample_pair,                \
		.verify = verify, .teardown = bench_zones_teardown,                                \
	}

const struct bench_case bench_cases_zone[] = {
    ZONE_CASE(BENCH_ZONE_64, 64),
    ZONE_CASE(BENCH_ZONE_256, 256),
    ZONE_CASE(BENCH_ZONE_4096, 4096),
    {
	.index = BENCH_ZONE_BATCH,
	.modes = BENCH_BOTH,
	.ops = ZONE_BATCH,
	.slots = ZONE_BATCH,
	.size = ZONE_BATCH_SIZE,
	.setup = bench_zones_setup,
	.sample = sample_batch,
	.verify = verify,
	.teardown = bench_zones_teardown,
    },
    TRACE_LARSON_CASE(BENCH_LARSON_ZONE, bench_zones_setup, bench_zones_teardown),
    TRACE_XMALLOC_CASE(BENCH_XMALLOC_ZONE, bench_zones_setup, bench_zones_teardown),
    TRACE_SCRATCH_CASE(BENCH_SCRATCH_ZONE, bench_zones_setup, bench_zones_teardown),
    {0},
};
