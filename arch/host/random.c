/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chance, from the seed. Each CPU draws from a stream of its own, so that CPUs which are threads
 * of the host share nothing here. The generator is Steele, Lea and Flood's SplitMix64.
 */
#include "arch/host/internal.h"

#define GOLDEN UINT64_C(0x9e3779b97f4a7c15)

uint64_t host_random_next(uint64_t *state)
{
	uint64_t z = *state += GOLDEN;

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

uint64_t host_random_start(uint64_t seed, unsigned stream)
{
	uint64_t state = seed;

	state = host_random_next(&state) ^ (stream * UINT64_C(0xd1342543de82ef95));
	return host_random_next(&state);
}

bool host_chance(struct host_cpu *self, uint32_t ppm)
{
	if (ppm == 0)
		return false;
	return (host_random_next(&self->random) >> 32) * 1000000 >> 32 < ppm;
}

uint64_t host_random(uint64_t limit)
{
	CHECK_NE(limit, 0);
	return host_random_next(&host_self()->random) % limit;
}
