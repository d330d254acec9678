// SPDX-License-Identifier: BSD-2-Clause
/*
 * An interrupt ends the wait of an idle CPU, and its handler may touch anything: the entry leaves
 * the lazy state before the handler runs.
 */
#include "arch/cpu.h"
#include "lib/planted.h"
#include "tests/explore/litmus/deferred.h"
#include "tests/explore/scenarios/mapped_page.h"

namespace quire
{
namespace
{

enum : unsigned { IDLER = 1 };

MappedPage page;
Generations generations;

void leave()
{
	if (atomic32_load(&generations.lazy[IDLER], MO_RELAXED) != 0)
		generations.lazy_leave(IDLER);
}

void interrupt()
{
	if (!PLANTED(interrupt_before_leave))
		leave();
	page.use_now();
	leave();
}

void create()
{
	page.create(0);
	generations.create(0);
	arch_ipi_set_handler(ARCH_IPI_RESCHED, interrupt);
}

void reset()
{
	page.map();
}

void run_owner()
{
	arch_ipi_send(IDLER, ARCH_IPI_RESCHED);
	arch_pte_exchange(page.leaf, 0);
	if (generations.has_passed(IDLER, generations.begin()))
		page.reuse();
}

void run_idler()
{
	page.use();
	arch_irq_disable();
	generations.lazy_enter(IDLER);
	arch_irq_enable();
	explore_step();
	arch_irq_disable();
	leave();
	arch_irq_enable();
	page.use();
}

void run(unsigned cpu)
{
	if (cpu == IDLER)
		run_idler();
	else
		run_owner();
}

const struct explore_scenario litmus_lazy_interrupt = {
    .name = "litmus_lazy_interrupt",
    .about = "an interrupt comes to a lazy CPU while a page goes",
    .cpus = 2,
    .world = EXPLORE_BARE,
    .flags = EXPLORE_LITMUS,
    .create = create,
    .reset = reset,
    .run = run,
};
EXPLORE_REGISTER(litmus_lazy_interrupt)

} // namespace
} // namespace quire
