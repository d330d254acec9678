/* SPDX-License-Identifier: BSD-2-Clause */
/* The director's place, and putting a machine back for the next schedule. */
#include "arch/host/director.h"

#include "arch/host/internal.h"

/* FNV-1a's offset, from which the trace of a rewound machine starts. */
#define TRACE_START UINT64_C(0xcbf29ce484222325)

void host_direct(const struct host_director *director)
{
	CHECK(!host_is_threads());
	host_machine->director = director;
	host_machine->directed = false;
	host_hooks_update();
}

void host_direct_activate(bool on)
{
	CHECK(host_machine->director != NULL);
	host_machine->directed = on;
	host_hooks_update();
}

uint32_t host_runnable(void)
{
	uint32_t mask = 0;

	for (unsigned i = 0; i < host_machine->config.cpus; i++)
		mask |= (uint32_t)host_sched_can_run(&host_machine->cpus[i]) << i;
	return mask;
}

void host_irq_hold(unsigned hooks)
{
	host_self()->irq_hold = hooks;
}

bool host_irq_imminent(void)
{
	const struct host_cpu *self = host_self();

	return self->core.irq_enabled && self->irq_hold == 0 &&
	       (self->core.pending & ~(uint32_t)HOST_PENDING_WAKE) != 0;
}

uint32_t host_irq_waiting(unsigned cpu)
{
	return host_cpu_of(cpu)->core.pending & ~(uint32_t)HOST_PENDING_WAKE;
}

bool host_irq_deliverable(unsigned cpu)
{
	const struct host_cpu *target = host_cpu_of(cpu);

	return (target->core.irq_enabled || target->state == HOST_CPU_IDLE) &&
	       target->core.pending != 0;
}

void host_cpu_wake(unsigned cpu)
{
	host_irq_set(host_cpu_of(cpu), HOST_PENDING_WAKE);
}

vm_paddr_t host_ram_end(void)
{
	return host_machine->ram_end;
}

void host_trace_mix(uint64_t value)
{
	host_machine->trace = (host_machine->trace ^ value) * HOST_TRACE_PRIME;
}

static void cpu_rewind(struct host_cpu *cpu, uint64_t seed, uint64_t now_ns)
{
	host_stores_drain_all(cpu);
	host_tlb_rewind(cpu);
	cpu->random = host_random_start(seed, cpu->id);
	cpu->core.pending = cpu->delayed = cpu->again = 0;
	cpu->irq_hold = 0;
	cpu->nmi = NULL;
	cpu->wake_ns = HOST_NEVER;
	if (cpu->timer_period_ns != 0)
		cpu->timer_next_ns = now_ns + cpu->timer_period_ns;
	for (unsigned i = 0; i < ARCH_IPI_COUNT; i++)
		cpu->delivered[i] = 0;
}

static void recent_forget(struct host_machine *machine)
{
	for (unsigned i = 0; i < HOST_RECENT; i++)
		machine->recent[i] = 0;
	machine->recent_next = 0;
}

void host_rewind(uint64_t seed)
{
	struct host_machine *machine = host_machine;

	CHECK_EQ(host_self()->id, 0);
	if (host_is_threads()) {
		for (unsigned i = 0; i < machine->config.cpus; i++)
			host_tlb_rewind(&machine->cpus[i]);
		return;
	}
	if (machine->rewind_ns == 0)
		machine->rewind_ns = machine->now_ns;
	machine->now_ns = machine->rewind_ns;
	machine->steps = 0;
	machine->trace = TRACE_START;
	machine->lonely_ns = 0;
	machine->quiet_ticks = 0;
	machine->next_event = HOST_NEVER;
	host_ipi_reset();
	recent_forget(machine);
	for (unsigned i = 0; i < machine->config.cpus; i++)
		cpu_rewind(&machine->cpus[i], seed, machine->now_ns);
	host_events_changed();
}
