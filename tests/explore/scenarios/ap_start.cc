// SPDX-License-Identifier: BSD-2-Clause
/*
 * A CPU gets ready just when its starter loses patience: it is online and the starter says so, or
 * it parks and the starter says that; and one of them happens. The claim of its stack before that
 * is litmus_claim.
 */
#include "arch/clock.h"
#include "arch/cpu.h"
#include "smp/smp.h"
#include "smp/smp_private.h"
#include "tests/explore/scenarios/keep.h"

namespace quire
{
namespace
{

enum : unsigned { LATE = 1 };

struct atomic32 joined, waited_for;

void create()
{
	keep_shootdown_lines();
	explore_name(smp_online, sizeof(smp_online[0]), "online set");
	explore_name(&percpu_of(LATE)->join, sizeof(percpu_of(LATE)->join), "join");
}

void reset()
{
	atomic32_store(&joined, 0, MO_RELAXED);
	atomic32_store(&waited_for, 0, MO_RELAXED);
	smp_join_begin(LATE);
	atomic64_and(&smp_online[0], ~(UINT64_C(1) << LATE), MO_SEQ_CST);
}

void run_late()
{
	for (unsigned steps = explore_choose(20); steps > 0; steps--)
		explore_step();
	arch_irq_disable();
	if (smp_join_claim()) {
		smp_join();
		atomic32_store(&joined, 1, MO_RELAXED);
	}
	arch_irq_enable();
}

void run(unsigned cpu)
{
	uint64_t patience_ns;

	if (cpu == LATE)
		return run_late();
	patience_ns = host_machine_config()->step_ns * explore_choose(40);
	atomic32_store(&waited_for, smp_join_await(LATE, arch_clock_ns(), patience_ns), MO_RELAXED);
}

void check()
{
	if (joined.value != waited_for.value)
		explore_fail(joined.value != 0 ? "the CPU has joined and counts as refused"
					       : "the CPU is parked and counts as online");
	if (smp_cpu_online(LATE) != (joined.value != 0))
		explore_fail("the online set says something else");
}

/* For schedules that follow, and for the engine: both CPUs are there. */
void check_and_restore()
{
	check();
	atomic64_or(&smp_online[0], UINT64_C(1) << LATE, MO_SEQ_CST);
}

const struct explore_scenario ap_start = {
    .name = "ap_start",
    .about = "a CPU gets ready while its starter loses patience",
    .cpus = 2,
    .world = EXPLORE_SMP,
    .create = create,
    .reset = reset,
    .run = run,
    .check = check_and_restore,
};
EXPLORE_REGISTER(ap_start)

} // namespace
} // namespace quire
