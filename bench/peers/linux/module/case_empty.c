/* SPDX-License-Identifier: BSD-2-Clause */
/* What it costs to take a sample; the figures of the other cases hold it once. */
#include "bench/peers/linux/module/harness.h"

static int empty_sample(struct bench_cpu *cpu)
{
	return 0;
}

const struct bench_case empty_cases[] = {
    {.index = BENCH_INDEX_EMPTY, .ops = 1, .sample = empty_sample},
    LINUX_CASE_END,
};
