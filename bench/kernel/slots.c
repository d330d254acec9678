/* SPDX-License-Identifier: BSD-2-Clause */
/* Who works on which slots. */
#include "bench/kernel/bench.h"

struct bench_slot *bench_slots_rotating(struct bench_worker *worker)
{
	struct bench_run *run = worker->run;

	return run->workers[(worker->index + worker->round) % run->worker_count].own;
}

static void slots_exchange(struct bench_slot *a, struct bench_slot *b)
{
	struct bench_slot held = *a;

	*a = *b;
	*b = held;
}

static struct bench_slot *slot_of(const struct bench_run *run, uint32_t number)
{
	unsigned slots = run->test->slots;

	return &run->workers[number / slots].own[number % slots];
}

static void exchange_any(void *ctx, uint32_t i, uint32_t j)
{
	const struct bench_run *run = ctx;

	slots_exchange(slot_of(run, i), slot_of(run, j));
}

void bench_slots_shuffle(struct bench_worker *worker)
{
	struct bench_run *run = worker->run;

	bench_random_shuffle(&worker->random, run->worker_count * run->test->slots, exchange_any,
			     run);
}

static void exchange_own(void *ctx, uint32_t i, uint32_t j)
{
	struct bench_worker *worker = ctx;

	slots_exchange(&worker->own[i], &worker->own[j]);
}

void bench_slots_shuffle_own(struct bench_worker *worker, unsigned count)
{
	bench_random_shuffle(&worker->random, count, exchange_own, worker);
}

unsigned bench_share(const struct bench_worker *worker, unsigned total)
{
	unsigned workers = worker->run->worker_count;

	return total / workers + (worker->index < total % workers ? 1 : 0);
}
