// SPDX-License-Identifier: BSD-2-Clause
/*
 * A CPU catches up from its tick, and an interrupt that makes it catch up may come in the middle:
 * with interrupts on between reading and publishing, the outer one would publish an older
 * generation over a newer one, and what had passed would not have passed any more.
 */
#include "arch/cpu.h"
#include "lib/planted.h"
#include "tests/explore/litmus/deferred.h"

namespace quire
{
namespace
{

enum : unsigned { TARGET = 1 };

Generations generations;
struct atomic32 known; /* the newest generation that was published */

void publish(uint32_t reached)
{
	if (atomic32_exchange(&known, reached, MO_RELAXED) > reached)
		explore_fail("the CPU falls back to generation %u", reached);
	generations.publish(TARGET, reached);
}

void catch_up()
{
	uint32_t reached = generations.read();

	if (reached == atomic32_load(&generations.seen[TARGET], MO_RELAXED))
		return;
	arch_tlb_flush();
	publish(reached);
}

void create()
{
	generations.create(0);
	explore_watch(&known, sizeof(known), "known");
	arch_ipi_set_handler(ARCH_IPI_SHOOTDOWN, catch_up);
}

void run_owner()
{
	generations.begin();
	arch_ipi_send(TARGET, ARCH_IPI_SHOOTDOWN);
	generations.begin();
}

void run_target()
{
	if (!PLANTED(catch_up_interrupted))
		arch_irq_disable();
	catch_up();
	arch_irq_enable();
}

void run(unsigned cpu)
{
	if (cpu == TARGET)
		run_target();
	else
		run_owner();
}

const struct explore_scenario litmus_catch_up_nested = {
    .name = "litmus_catch_up_nested",
    .about = "an interrupt catches up while the CPU does",
    .cpus = 2,
    .world = EXPLORE_BARE,
    .flags = EXPLORE_LITMUS,
    .create = create,
    .run = run,
};
EXPLORE_REGISTER(litmus_catch_up_nested)

} // namespace
} // namespace quire
