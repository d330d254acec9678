/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of a CPU other than the first: how it is started, and what it runs. */
#include "arch/host/internal.h"

unsigned arch_cpu_count(void)
{
	CHECK(host_machine != NULL);
	return host_machine->config.cpus;
}

/* As on machines whose second hardware threads are switched off: not the logical number. */
uint32_t arch_cpu_hwid(unsigned cpu)
{
	return host_cpu_of(cpu)->id * 2;
}

unsigned arch_cpu_domain(unsigned cpu)
{
	CHECK_LT(cpu, host_machine->config.cpus);
	CHECK_LT(host_machine->config.cpu_domains[cpu], host_machine->boot->domain_count);
	return host_machine->config.cpu_domains[cpu];
}

void arch_percpu_install(struct arch_percpu *area)
{
	CHECK_EQ(area->cpu, host_self()->id);
	CHECK(area->self == area);
	host_core->percpu = area;
}

/* A CPU that was told to be late sleeps first; no interrupt reaches it meanwhile. */
static void boot_be_late(struct host_cpu *self)
{
	uint64_t end = arch_clock_ns() + self->boot.late_ns;

	while (arch_clock_ns() < end) {
		host_wake_after(self, self->boot.late_ns);
		arch_cpu_idle();
	}
}

static void boot_run(struct host_cpu *self)
{
	struct arch_cpu_boot *slot = self->boot.slot;
	uint32_t expected = ARCH_CPU_UNCLAIMED;

	if (self->boot.late_ns != 0)
		boot_be_late(self);
	if (!atomic32_cas(&slot->claim, &expected, ARCH_CPU_CLAIMED, MO_ACQ_REL))
		arch_cpu_halt();
	arch_percpu_install(slot->percpu);
	host_tlb_flush();
	__atomic_store_n(&self->listening, 1, __ATOMIC_RELAXED);
	self->boot.entry();
	panic("host machine: CPU %u returned from its entry", self->id);
}

static void job_run(struct host_cpu *self)
{
	__atomic_store_n(&self->job.waiting, 0, __ATOMIC_RELAXED);
	arch_irq_enable();
	self->job.fn(self->job.arg);
	arch_irq_disable();
	host_order_release(&self->job);
	__atomic_store_n(&self->job.done, 1, __ATOMIC_RELEASE);
}

static void cpu_main(void *arg)
{
	struct host_cpu *self = arg;

	host_order_acquire(&self->job);
	if (self->boot.slot != NULL)
		boot_run(self);
	for (;;) {
		while (!__atomic_load_n(&self->job.waiting, __ATOMIC_ACQUIRE))
			arch_cpu_idle();
		host_order_acquire(&self->job);
		job_run(self);
	}
}

void host_cpu_start_flow(struct host_cpu *cpu)
{
	cpu->home = host_flow_create(NULL, 0, cpu_main, cpu);
	cpu->flow = cpu->home;
}

static void cpu_start(struct host_cpu *cpu)
{
	cpu->state = HOST_CPU_ACTIVE;
	/* One that the kernel starts says itself from when on interrupts reach it. */
	__atomic_store_n(&cpu->listening, cpu->boot.slot == NULL, __ATOMIC_RELAXED);
	host_order_release(&cpu->job);
	if (host_is_threads())
		host_threads_start(cpu);
	else
		host_cpu_start_flow(cpu);
}

void arch_cpus_start(struct arch_cpu_boot *boots, unsigned count, void (*entry)(void))
{
	CHECK_LE(count, host_machine->config.cpus);
	CHECK_EQ(host_self()->id, 0);
	for (unsigned i = 1; i < count; i++) {
		struct host_cpu *cpu = &host_machine->cpus[i];

		CHECK_EQ(cpu->state, HOST_CPU_OFF);
		cpu->boot.slot = &boots[i];
		cpu->boot.entry = entry;
		if (!cpu->boot.silent)
			cpu_start(cpu);
	}
}

void host_cpu_set_silent(unsigned cpu)
{
	host_cpu_of(cpu)->boot.silent = true;
}

void host_cpu_set_late(unsigned cpu, uint64_t ns)
{
	host_cpu_of(cpu)->boot.late_ns = ns;
}

enum host_cpu_state host_cpu_state(unsigned cpu)
{
	return (enum host_cpu_state)__atomic_load_n(&host_cpu_of(cpu)->state, __ATOMIC_RELAXED);
}

void host_cpu_run(unsigned cpu, void (*fn)(void *arg), void *arg)
{
	struct host_cpu *target = host_cpu_of(cpu);

	CHECK_NE(cpu, 0);
	CHECK(target->boot.slot == NULL);
	CHECK(target->state == HOST_CPU_OFF ||
	      __atomic_load_n(&target->job.done, __ATOMIC_ACQUIRE));
	host_not_quiet();
	target->job.fn = fn;
	target->job.arg = arg;
	target->job.done = 0;
	host_order_release(&target->job);
	__atomic_store_n(&target->job.waiting, 1, __ATOMIC_RELEASE);
	if (target->state == HOST_CPU_OFF)
		cpu_start(target);
	else
		host_irq_set(target, HOST_PENDING_WAKE);
}

void host_cpu_wait(unsigned cpu)
{
	struct host_cpu *target = host_cpu_of(cpu);

	while (!__atomic_load_n(&target->job.done, __ATOMIC_ACQUIRE))
		host_relax();
	host_order_acquire(&target->job);
}

void host_run_all(void (*fn)(void *arg), void *arg)
{
	CHECK_EQ(host_self()->id, 0);
	for (unsigned i = 1; i < host_machine->config.cpus; i++)
		host_cpu_run(i, fn, arg);
	fn(arg);
	for (unsigned i = 1; i < host_machine->config.cpus; i++)
		host_cpu_wait(i);
}

void host_cpu_borrow(unsigned cpu, void (*fn)(void *arg), void *arg)
{
	struct host_cpu *self = host_self(), *target = host_cpu_of(cpu);

	CHECK_EQ(target->state, HOST_CPU_OFF);
	target->flow = self->flow;
	target->state = HOST_CPU_ACTIVE;
	self->state = HOST_CPU_OFF;
	host_core = &target->core;
	fn(arg);
	host_core = &self->core;
	self->state = HOST_CPU_ACTIVE;
	target->state = HOST_CPU_OFF;
	target->core.irq_enabled = 0;
	host_events_changed();
}
