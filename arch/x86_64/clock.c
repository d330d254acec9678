/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time is the time-stamp counter. That of every CPU starts at reset and runs at one rate where
 * CPUID says that it is invariant (Intel SDM vol. 3B 18.17.1), so one scale serves all CPUs.
 */
#include "arch/clock.h"

#include "arch/cpu.h"
#include "arch/x86_64/clock.h"
#include "arch/x86_64/features.h"
#include "lib/panic.h"

#define NS_PER_S UINT64_C(1000000000)

/* When nothing tells the rate, time is wrong but goes on. */
#define TSC_GUESS_HZ UINT64_C(1000000000)

static uint64_t start_tsc;
static uint64_t ns_per_tick; /* times 2^32 */

void clock_init(void)
{
	const char *source;
	uint64_t hz;

	start_tsc = arch_cycles();
	hz = calibrate_tsc(&source);
	if (hz == 0) {
		kprintf("clock: nothing to measure time against: taking the TSC for 1 GHz\n");
		hz = TSC_GUESS_HZ;
	} else {
		kprintf("clock: TSC at %lu.%03lu MHz (%s)%s\n", hz / 1000000, hz / 1000 % 1000,
			source, cpu_features.invariant_tsc ? "" : ", not said to be invariant");
	}
	/* Below 2^64: 10^9 is below 2^30. */
	ns_per_tick = (NS_PER_S << 32) / hz;
}

/* A product of 128 bits: 64 would overflow within seconds. */
uint64_t clock_ticks_to_ns(uint64_t ticks)
{
	return (uint64_t)((unsigned __int128)ticks * ns_per_tick >> 32);
}

uint64_t arch_clock_ns(void)
{
	uint64_t ticks = arch_cycles() - start_tsc;

	/* A CPU whose counter is a little behind the boot CPU's, right at the start. */
	if ((int64_t)ticks < 0)
		return 0;
	return clock_ticks_to_ns(ticks);
}

void arch_clock_delay_ns(uint64_t ns)
{
	uint64_t start = arch_clock_ns();

	while (arch_clock_ns() - start < ns)
		arch_cpu_relax();
}
