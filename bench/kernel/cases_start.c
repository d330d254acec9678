/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long the other CPUs took to start, from the first command to the last one online. That
 * happens once a boot: there is nothing to run, and nothing between markers.
 */
#include "bench/kernel/bench.h"
#include "smp/smp.h"

static const char *unavailable(void)
{
	return smp_online_count() > 1 ? NULL : "there is no other CPU to start";
}

static uint64_t past(void)
{
	struct smp_start_cost cost;

	smp_start_cost(&cost);
	return cost.cycles;
}

const struct bench_case bench_cases_start[] = {
    {
	.index = BENCH_CPU_START,
	.modes = BENCH_ALONE,
	.unavailable = unavailable,
	.past = past,
    },
    {0},
};
