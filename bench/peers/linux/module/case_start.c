/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long the other CPUs took to start, as the kernel's log has it: from "Bringing up secondary
 * CPUs" to "Brought up". That happens once and is over, so the sample does nothing.
 */
#include <linux/cpumask.h>
#include <linux/ktime.h>
#include <linux/module.h>

#include "bench/peers/linux/module/harness.h"

/* What init read; -1: it did not find it. */
static long cpu_start_us = -1;
module_param(cpu_start_us, long, 0);

static const char *unavailable(void)
{
	if (num_online_cpus() == 1)
		return "there is no other CPU to start";
	return cpu_start_us < 0 ? "the kernel's log does not tell" : NULL;
}

static int sample(struct bench_cpu *cpu)
{
	return 0;
}

static void notes(struct bench_run *run)
{
	pr_info("bench: note case=%u cpus=%u start_ns=%ld\n", run->what->index, num_online_cpus(),
		cpu_start_us * (long)NSEC_PER_USEC);
}

const struct bench_case start_cases[] = {
    LINUX_CASE(CPU_START, .modes = BENCH_ALONE, .ops = 1, .unavailable = unavailable,
	       .sample = sample, .notes = notes),
    LINUX_CASE_END,
};
