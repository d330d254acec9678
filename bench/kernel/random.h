/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers that look random and are the same in every run: SplitMix64 (Steele, Lea, Flood, "Fast
 * Splittable Pseudorandom Number Generators", 2014). Pure.
 */
#ifndef QUIRE_BENCH_KERNEL_RANDOM_H
#define QUIRE_BENCH_KERNEL_RANDOM_H

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct bench_random {
	uint64_t state;
};

/* Streams of one seed are unrelated: one for each case and CPU. */
void bench_random_seed(struct bench_random *random, uint64_t seed, uint64_t stream);

uint64_t bench_random_next(struct bench_random *random);

/* 0 to limit - 1; limit is not 0 and below 2^32. */
uint32_t bench_random_below(struct bench_random *random, uint32_t limit);

/* low to high, both included; low <= high < 2^32. */
uint32_t bench_random_between(struct bench_random *random, uint32_t low, uint32_t high);

/*
 * Brings `count` things in a random order, every order equally likely. exchange(ctx, i, j) swaps
 * two of them, i > j.
 */
void bench_random_shuffle(struct bench_random *random, uint32_t count,
			  void (*exchange)(void *ctx, uint32_t i, uint32_t j), void *ctx);

#ifdef __cplusplus
}
#endif

#endif
