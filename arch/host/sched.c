/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Turns, in COROUTINES mode. One CPU runs; at hooks it may hand over to another that could run,
 * both drawn from the running CPU's part of the seed. A CPU that idles can run when an interrupt
 * waits for it. When nobody can, time jumps to the next thing that is due; when nothing is, the
 * program under test has a deadlock.
 *
 * Nothing here reads a real clock or compares addresses, so a run depends on the seed alone.
 */
#include "arch/host/internal.h"

/* How far time jumps when one CPU spins alone, and how long it may do that. */
enum { LONELY_STEP_NS = 10000 };
#define LONELY_MAX_NS (UINT64_C(100) * 1000000000)

bool host_sched_can_run(const struct host_cpu *cpu)
{
	return cpu->state == HOST_CPU_ACTIVE ||
	       (cpu->state == HOST_CPU_IDLE && (cpu->core.pending != 0 || cpu->nmi != NULL));
}

static void switch_cpu(struct host_cpu *self, struct host_cpu *to)
{
	host_core = &to->core;
	host_machine->lonely_ns = 0;
	host_flow_switch(self->flow, to->flow, false);
}

bool host_sched_yield(struct host_cpu *self)
{
	struct host_machine *machine = host_machine;
	unsigned others = 0, pick;

	if (machine->frozen)
		return false;
	if (machine->directed)
		return machine->director->yield(self->id);
	for (unsigned i = 0; i < machine->config.cpus; i++)
		others += i != self->id && host_sched_can_run(&machine->cpus[i]);
	if (others == 0)
		return false;
	pick = (unsigned)(host_random_next(&self->random) % others);
	for (unsigned i = 0; i < machine->config.cpus; i++) {
		if (i == self->id || !host_sched_can_run(&machine->cpus[i]))
			continue;
		if (pick-- == 0) {
			switch_cpu(self, &machine->cpus[i]);
			break;
		}
	}
	return true;
}

void host_switch_to(unsigned cpu)
{
	struct host_cpu *self = host_self(), *to = host_cpu_of(cpu);

	CHECK(!host_is_threads());
	if (to != self && host_sched_can_run(to))
		switch_cpu(self, to);
}

/* Only what is due is looked at, so this costs nothing between events. */
static void events_fire_all(struct host_machine *machine)
{
	uint64_t next = HOST_NEVER;

	if (machine->now_ns < machine->next_event)
		return;
	for (unsigned i = 0; i < machine->config.cpus; i++) {
		struct host_cpu *cpu = &machine->cpus[i];

		host_events_fire(cpu, machine->now_ns);
		if (host_events_next(cpu) < next)
			next = host_events_next(cpu);
	}
	machine->next_event = next;
}

void host_events_changed(void)
{
	struct host_machine *machine = host_machine;

	if (host_is_threads())
		return;
	for (unsigned i = 0; i < machine->config.cpus; i++) {
		uint64_t next = host_events_next(&machine->cpus[i]);

		if (next < machine->next_event)
			machine->next_event = next;
	}
	host_hooks_update();
}

void host_sched_step(struct host_cpu *self, enum arch_hook_kind kind)
{
	struct host_machine *machine = host_machine;

	machine->steps++;
	machine->now_ns += machine->config.step_ns;
	machine->trace = (machine->trace ^ (self->id << 4 | kind)) * HOST_TRACE_PRIME;
	if (machine->config.max_steps != 0 && machine->steps > machine->config.max_steps)
		panic("host machine: no end after %lu steps", (unsigned long)machine->steps);
	events_fire_all(machine);
}

void host_sched_hook(struct host_cpu *self, enum arch_hook_kind kind)
{
	host_sched_step(self, kind);
	if (host_chance(self, host_machine->config.speculate_ppm))
		host_mmu_speculate(self);
	if (host_chance(self, host_machine->config.switch_ppm))
		host_sched_yield(self);
}

/* One CPU spins and no other can run: only time can change anything. */
static void spin_alone(struct host_machine *machine)
{
	uint64_t jump = LONELY_STEP_NS;

	if (machine->next_event != HOST_NEVER && machine->next_event - machine->now_ns < jump)
		jump = machine->next_event - machine->now_ns;
	machine->now_ns += jump;
	machine->lonely_ns += jump;
	if (machine->lonely_ns > LONELY_MAX_NS)
		panic("host machine: CPU %u spins, and no other CPU can run", host_self()->id);
	events_fire_all(machine);
}

void host_sched_relax(struct host_cpu *self)
{
	host_sched_step(self, ARCH_HOOK_RELAX);
	if (!host_sched_yield(self))
		spin_alone(host_machine);
}

/* Everybody idles: on to the next timer or late interrupt. */
static void jump_to_next_event(struct host_machine *machine)
{
	if (machine->next_event == HOST_NEVER)
		panic("host machine: deadlock: no CPU can run, and nothing is due");
	if (++machine->quiet_ticks > machine->config.quiet_ticks_max)
		panic("host machine: deadlock: nothing but %u ticks",
		      machine->config.quiet_ticks_max);
	if (machine->now_ns < machine->next_event)
		machine->now_ns = machine->next_event;
	events_fire_all(machine);
}

void host_sched_idle(struct host_cpu *self)
{
	host_sched_step(self, ARCH_HOOK_RELAX);
	for (;;) {
		host_nmi_take(self);
		if (self->core.pending != 0 && self->state != HOST_CPU_HALTED)
			return;
		if (!host_sched_yield(self))
			jump_to_next_event(host_machine);
	}
}

void host_clock_advance(uint64_t ns)
{
	CHECK(!host_is_threads());
	host_machine->now_ns += ns;
	events_fire_all(host_machine);
	host_irq_deliver(host_self());
}
