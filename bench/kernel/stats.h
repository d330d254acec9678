/* SPDX-License-Identifier: BSD-2-Clause */
/* What many samples come to. Pure. */
#ifndef QUIRE_BENCH_KERNEL_STATS_H
#define QUIRE_BENCH_KERNEL_STATS_H

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct bench_stats {
	uint64_t min, median, max;
};

/* Sorts the samples. The median of an even number is the lower one of the middle two, so that it
 * is a sample. All 0 without samples. */
struct bench_stats bench_stats(uint64_t *samples, size_t count);

#ifdef __cplusplus
}
#endif

#endif
