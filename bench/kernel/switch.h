/* SPDX-License-Identifier: BSD-2-Clause */
/* Parts of the kernel that a case turns off while it runs: sysctls of type bool. */
#ifndef QUIRE_BENCH_KERNEL_SWITCH_H
#define QUIRE_BENCH_KERNEL_SWITCH_H

#include "bench/kernel/bench.h"

enum bench_switch {
	BENCH_SWITCH_KMEM_CACHE, /* mapped ranges are kept for the next kmem_malloc */
	BENCH_SWITCH_KMEM_DEFER, /* frees leave the flush of other CPUs for later */
	BENCH_SWITCHES,
};

/*
 * Sets it until bench_switch_restore. A kernel without the switch has only one form: that is
 * noted in a line, and fine. One run at a time; teardown restores in any case.
 */
bool bench_switch_set(struct bench_run *run, enum bench_switch which, bool on);
void bench_switch_restore(struct bench_run *run, enum bench_switch which);

#endif
