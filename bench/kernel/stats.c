/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench/kernel/stats.h"

/* Shell sort, gaps of Knuth (3h + 1): at most some thousand samples, and no memory for it. */
static void sort(uint64_t *values, size_t count)
{
	size_t gap = 1;

	while (gap < count / 3)
		gap = 3 * gap + 1;
	for (; gap > 0; gap /= 3) {
		for (size_t i = gap; i < count; i++) {
			uint64_t value = values[i];
			size_t at = i;

			for (; at >= gap && values[at - gap] > value; at -= gap)
				values[at] = values[at - gap];
			values[at] = value;
		}
	}
}

struct bench_stats bench_stats(uint64_t *samples, size_t count)
{
	struct bench_stats stats = {0, 0, 0};

	if (count == 0)
		return stats;
	sort(samples, count);
	stats.min = samples[0];
	stats.median = samples[(count - 1) / 2];
	stats.max = samples[count - 1];
	return stats;
}
