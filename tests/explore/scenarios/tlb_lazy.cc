// SPDX-License-Identifier: BSD-2-Clause
/*
 * CPUs idle while a page goes: nobody waits for them or asks them, and an interrupt, which may use
 * anything, comes when it likes. What they remember meanwhile the oracle excuses; it looks again
 * when they are back, and at everything that they touch before.
 */
#include "arch/cpu.h"
#include "arch/ipi.h"
#include "lib/planted.h"
#include "smp/tlb.h"
#include "tests/explore/scenarios/keep.h"
#include "tests/explore/scenarios/mapped_page.h"

namespace quire
{
namespace
{

MappedPage page;
bool woken[EXPLORE_CPUS_MAX]; /* by its CPU only */

/* A handler like any other: it comes after the CPU has left. */
void interrupt()
{
	woken[arch_cpu_id()] = true;
	page.use_now();
}

/* One that comes while the CPU is lazy keeps to what never changes. */
void nmi()
{
	if (!arch_lazy() || PLANTED(nmi_uses_kernel_map))
		page.use_now();
}

void create()
{
	keep_shootdown_lines();
	page.create(0);
	explore_keep(woken, sizeof(woken));
	arch_ipi_set_handler(ARCH_IPI_RESCHED, interrupt);
}

void reset()
{
	page.map();
}

void complain(const char *line)
{
	explore_fail("%s", line);
}

void check()
{
	(void)shootdown_audit(complain);
}

/* As the idle loop does it; the interrupt is on its way, or will be, or has been. */
void idle()
{
	arch_irq_disable();
	tlb_lazy_enter();
	if (!woken[arch_cpu_id()] && explore_choose(4) != 0)
		arch_cpu_idle();
	tlb_lazy_leave();
	arch_irq_enable();
}

void run_idler()
{
	page.use();
	idle();
	page.use();
}

void wake(unsigned cpus)
{
	for (unsigned cpu = 1; cpu < cpus; cpu++)
		arch_ipi_send(cpu, ARCH_IPI_RESCHED);
}

void free_deferred()
{
	tlb_generation_t generation;

	arch_pte_write(page.leaf, 0);
	generation = tlb_generation_begin();
	tlb_catch_up();
	if (!tlb_generation_passed(generation))
		tlb_generation_force(generation, SHOOTDOWN_FORCED);
	page.give_away();
}

void run_deferred(unsigned cpu, unsigned cpus)
{
	bool before;

	if (cpu != 0)
		return run_idler();
	before = explore_choose(2) == 0;
	if (before)
		wake(cpus);
	free_deferred();
	if (!before)
		wake(cpus);
}

void run_lazy(unsigned cpu)
{
	run_deferred(cpu, 2);
}

const struct explore_scenario tlb_lazy = {
    .name = "tlb_lazy",
    .about = "a page waits for its generation while a CPU idles and comes back",
    .cpus = 2,
    .world = EXPLORE_SMP,
    .create = create,
    .reset = reset,
    .run = run_lazy,
    .check = check,
    .nmi = nmi,
};
EXPLORE_REGISTER(tlb_lazy)

void run_lazy_eight(unsigned cpu)
{
	run_deferred(cpu, 8);
}

const struct explore_scenario tlb_lazy_eight = {
    .name = "tlb_lazy_eight",
    .about = "a page waits for its generation while seven CPUs idle and come back",
    .cpus = 8,
    .world = EXPLORE_SMP,
    .create = create,
    .reset = reset,
    .run = run_lazy_eight,
    .check = check,
    .nmi = nmi,
};
EXPLORE_REGISTER(tlb_lazy_eight)

/* A shootdown begins no generation: it marks whom it leaves out. */
void run_left_out(unsigned cpu)
{
	bool before;

	if (cpu != 0)
		return run_idler();
	before = explore_choose(2) == 0;
	if (before)
		wake(3);
	page.unmap_and_give_away();
	if (!before)
		wake(3);
}

const struct explore_scenario tlb_left_out = {
    .name = "tlb_left_out",
    .about = "a shootdown leaves out two CPUs that idle, and they come back",
    .cpus = 3,
    .world = EXPLORE_SMP,
    .create = create,
    .reset = reset,
    .run = run_left_out,
    .check = check,
    .nmi = nmi,
};
EXPLORE_REGISTER(tlb_left_out)

} // namespace
} // namespace quire
