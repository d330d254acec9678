/* SPDX-License-Identifier: BSD-2-Clause */
/* The benchmark's zones: made when a run needs them, gone when it ends. */
#ifndef QUIRE_BENCH_KERNEL_ZONES_H
#define QUIRE_BENCH_KERNEL_ZONES_H

#include "bench/kernel/memory.h"
#include "vm/uma.h"

/* Items of 64, 256, 1024 and 4096 bytes: 2^(6 + 2i). */
enum { BENCH_ZONES = 4 };

static inline uint64_t bench_zone_size(unsigned index)
{
	return (uint64_t)64 << 2 * index;
}

/* Between setup and teardown. */
extern uma_zone_t bench_zones[BENCH_ZONES];

/* The zone of one of these sizes. */
static inline uma_zone_t bench_zone(uint64_t size)
{
	return bench_zones[(__builtin_ctzll(size) - 6) / 2];
}

/* Make and destroy all of them: for setup and teardown of cases. */
bool bench_zones_setup(struct bench_run *run);
void bench_zones_teardown(struct bench_run *run);

extern const struct bench_memory bench_zone_memory;

#endif
