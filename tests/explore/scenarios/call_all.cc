// SPDX-License-Identifier: BSD-2-Clause
/*
 * All CPUs call all CPUs at once, twice: each call is run once by each, and has been when its
 * caller goes on.
 */
#include "smp/call.h"

#include "arch/cpu.h"
#include "tests/explore/scenario.h"

namespace quire
{
namespace
{

enum : unsigned { CPUS = 3, ROUNDS = 2 };

/* Written by the CPU that runs the call, read by its caller when the call has ended. */
struct Call {
	unsigned caller, round;
	unsigned runs[CPUS];
};

Call calls[CPUS][ROUNDS];

void reset()
{
	for (unsigned cpu = 0; cpu < CPUS; cpu++)
		for (unsigned round = 0; round < ROUNDS; round++)
			calls[cpu][round] = {cpu, round, {}};
}

void called(void *arg)
{
	explore_step();
	static_cast<Call *>(arg)->runs[arch_cpu_id()]++;
}

void expect_run(const Call &call, const char *when)
{
	for (unsigned cpu = 0; cpu < CPUS; cpu++)
		if (call.runs[cpu] != 1)
			explore_fail("call %u of CPU %u: CPU %u has run it %u times %s", call.round,
				     call.caller, cpu, call.runs[cpu], when);
}

void run(unsigned cpu)
{
	struct cpuset all;

	cpuset_zero(&all);
	for (unsigned i = 0; i < CPUS; i++)
		cpuset_add(&all, i);
	for (unsigned round = 0; round < ROUNDS; round++) {
		smp_call(&all, called, &calls[cpu][round]);
		expect_run(calls[cpu][round], "when the call returns");
	}
}

void check()
{
	for (const auto &of_cpu : calls)
		for (const Call &call : of_cpu)
			expect_run(call, "in the end");
}

const struct explore_scenario call_all = {
    .name = "call_all",
    .about = "all CPUs call all CPUs at once",
    .cpus = CPUS,
    .world = EXPLORE_SMP,
    .reset = reset,
    .run = run,
    .check = check,
};
EXPLORE_REGISTER(call_all)

} // namespace
} // namespace quire
