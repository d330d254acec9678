/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench/kernel/random.h"

#include "lib/check.h"

static uint64_t mix(uint64_t z)
{
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

void bench_random_seed(struct bench_random *random, uint64_t seed, uint64_t stream)
{
	random->state = mix(seed) ^ mix(~stream);
}

uint64_t bench_random_next(struct bench_random *random)
{
	random->state += UINT64_C(0x9e3779b97f4a7c15);
	return mix(random->state);
}

uint32_t bench_random_below(struct bench_random *random, uint32_t limit)
{
	CHECK_LT(0, limit);
	/* The high half of a product: the bias is below limit / 2^32. */
	return (uint32_t)((bench_random_next(random) >> 32) * limit >> 32);
}

uint32_t bench_random_between(struct bench_random *random, uint32_t low, uint32_t high)
{
	return low + bench_random_below(random, high - low + 1);
}

void bench_random_shuffle(struct bench_random *random, uint32_t count,
			  void (*exchange)(void *ctx, uint32_t i, uint32_t j), void *ctx)
{
	for (uint32_t i = count; i > 1; i--) {
		uint32_t j = bench_random_below(random, i);

		if (j != i - 1)
			exchange(ctx, i - 1, j);
	}
}
