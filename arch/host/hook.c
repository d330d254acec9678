/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where portable code lets the machine act: hooks, wait loops, idling. The two modes answer in
 * sched.c and threads.c.
 */
#include "arch/host/internal.h"

/* The director stands where chance, time and tests otherwise do. */
static void directed_hook(struct host_cpu *self, enum arch_hook_kind kind,
			  const volatile void *where)
{
	host_sched_step(self, kind);
	if (unlikely(self->nmi != NULL))
		host_nmi_take(self);
	host_machine->director->hook(self->id, kind, where);
	if (self->irq_hold != 0)
		self->irq_hold--;
	else
		host_irq_deliver(self);
}

void host_hook(enum arch_hook_kind kind, const volatile void *where)
{
	struct host_cpu *self = host_self();

	if (self == NULL)
		return;
	self->last_kind = kind;
	self->last_where = where;
	if (host_machine->directed) {
		directed_hook(self, kind, where);
		return;
	}
	if (host_machine->watch != NULL && !self->watching) {
		self->watching = true;
		host_machine->watch(kind, where, host_machine->watch_ctx);
		self->watching = false;
	}
	if (host_is_threads())
		host_threads_hook(self);
	else
		host_sched_hook(self, kind);
	host_irq_deliver(self);
}

void host_relax(void)
{
	struct host_cpu *self = host_self();

	self->last_kind = ARCH_HOOK_RELAX;
	self->irq_hold = 0;
	if (host_is_threads())
		host_threads_relax(self);
	else
		host_sched_relax(self);
	host_irq_deliver(self);
}

void host_irq_poll(void)
{
	if (host_self()->irq_hold == 0)
		host_irq_deliver(host_self());
}

static void cpu_set_state(struct host_cpu *self, enum host_cpu_state state)
{
	__atomic_store_n(&self->state, state, __ATOMIC_RELAXED);
}

void arch_cpu_idle(void)
{
	struct host_cpu *self = host_self();

	CHECK(!self->core.irq_enabled);
	CHECK_EQ(self->core.percpu->irq_depth, 0);
	self->irq_hold = 0;
	cpu_set_state(self, HOST_CPU_IDLE);
	if (host_is_threads())
		host_threads_idle(self);
	else
		host_sched_idle(self);
	cpu_set_state(self, HOST_CPU_ACTIVE);
	self->core.irq_enabled = 1;
	host_irq_deliver(self);
	self->core.irq_enabled = 0;
}

void arch_cpu_halt(void)
{
	struct host_cpu *self = host_self();

	self->core.irq_enabled = 0;
	__atomic_store_n(&self->listening, 0, __ATOMIC_RELAXED);
	cpu_set_state(self, HOST_CPU_HALTED);
	for (;;) {
		if (host_is_threads())
			host_threads_idle(self);
		else
			host_sched_idle(self);
	}
}
