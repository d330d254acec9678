// SPDX-License-Identifier: BSD-2-Clause
/* One CPU calls while another shoots down: both wait, and both answer while they wait. */
#include "smp/call.h"
#include "tests/explore/scenarios/keep.h"
#include "tests/explore/scenarios/mapped_page.h"

namespace quire
{
namespace
{

MappedPage page;
unsigned runs[3]; /* each written by its CPU only, while the caller waits */

void create()
{
	keep_shootdown_lines();
	page.create(0);
}

void reset()
{
	page.map();
	for (unsigned &n : runs)
		n = 0;
}

void called(void *)
{
	runs[arch_cpu_id()]++;
	page.use();
}

void run_caller()
{
	struct cpuset all;

	cpuset_zero(&all);
	for (unsigned cpu = 0; cpu < 3; cpu++)
		cpuset_add(&all, cpu);
	smp_call(&all, called, nullptr);
	for (unsigned cpu = 0; cpu < 3; cpu++)
		if (runs[cpu] != 1)
			explore_fail("CPU %u has run the call %u times", cpu, runs[cpu]);
}

void run(unsigned cpu)
{
	if (cpu == 0)
		page.unmap_and_give_away();
	else if (cpu == 1)
		run_caller();
	else
		page.use();
}

const struct explore_scenario call_and_shootdown = {
    .name = "call_and_shootdown",
    .about = "a call to all CPUs, whose function uses the page that another CPU takes away",
    .cpus = 3,
    .world = EXPLORE_SMP,
    .create = create,
    .reset = reset,
    .run = run,
};
EXPLORE_REGISTER(call_and_shootdown)

} // namespace
} // namespace quire
