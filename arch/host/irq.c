/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts: bits that others set and the CPU takes, on the stack that it happens to run on,
 * whenever it passes a hook with interrupts enabled.
 */
#include "arch/host/internal.h"

static void (*ipi_handlers[ARCH_IPI_COUNT])(void);
static void (*timer_handler)(void);
static void (*exit_handler)(void);
static void (*lazy_handler)(void);

void host_irq_reset(void)
{
	for (unsigned i = 0; i < ARCH_IPI_COUNT; i++)
		ipi_handlers[i] = NULL;
	timer_handler = NULL;
	exit_handler = NULL;
	lazy_handler = NULL;
}

void arch_ipi_set_handler(enum arch_ipi ipi, void (*handler)(void))
{
	CHECK_LT(ipi, ARCH_IPI_COUNT);
	ipi_handlers[ipi] = handler;
}

void arch_timer_set_handler(void (*handler)(void))
{
	timer_handler = handler;
}

void arch_irq_set_exit_handler(void (*handler)(void))
{
	exit_handler = handler;
}

void arch_lazy_set_handler(void (*handler)(void))
{
	lazy_handler = handler;
}

void host_irq_set(struct host_cpu *cpu, uint32_t bits)
{
	__atomic_fetch_or(&cpu->core.pending, bits, __ATOMIC_RELEASE);
	if (host_is_threads() && cpu != host_self())
		host_threads_wake(cpu);
}

static void tell_director(const struct host_cpu *self, unsigned ipi)
{
	if (host_machine->directed && host_machine->director->interrupt != NULL)
		host_machine->director->interrupt(self->id, ipi);
}

static void ipi_run(struct host_cpu *self, unsigned ipi)
{
	CHECK(ipi_handlers[ipi] != NULL);
	host_order_acquire(&self->due_ns[ipi]);
	tell_director(self, ipi);
	self->delivered[ipi]++;
	ipi_handlers[ipi]();
	if (__atomic_fetch_and(&self->again, ~(1u << ipi), __ATOMIC_RELAXED) & (1u << ipi))
		host_irq_set(self, 1u << ipi);
}

/* The interrupted code had interrupts enabled. */
static void interrupt_run(struct host_cpu *self, uint32_t bit)
{
	struct arch_percpu *percpu = self->core.percpu;

	self->core.irq_enabled = 0;
	self->core.interrupts++;
	percpu->irq_depth++;
	if (arch_lazy())
		lazy_handler();
	if (bit != HOST_PENDING_TIMER) {
		ipi_run(self, (unsigned)__builtin_ctz(bit));
	} else if (timer_handler != NULL) {
		tell_director(self, ARCH_IPI_COUNT);
		timer_handler();
	}
	CHECK(!self->core.irq_enabled);
	percpu->irq_depth--;
	if (percpu->irq_depth == 0 && percpu->preempt_count == 0 && percpu->need_resched != 0 &&
	    exit_handler != NULL)
		exit_handler();
	host_stores_fence(self); /* the return from an interrupt is serialising */
	self->core.irq_enabled = 1;
}

void host_irq_deliver(struct host_cpu *self)
{
	while (self->core.irq_enabled) {
		uint32_t pending = __atomic_load_n(&self->core.pending, __ATOMIC_ACQUIRE);
		uint32_t bit = pending & -pending;

		if (bit == 0)
			return;
		__atomic_fetch_and(&self->core.pending, ~bit, __ATOMIC_ACQUIRE);
		if (bit != HOST_PENDING_WAKE)
			interrupt_run(self, bit);
	}
}

bool host_nmi(unsigned cpu, void (*fn)(void))
{
	struct host_cpu *target = host_cpu_of(cpu);

	if (target->in_nmi || target->nmi != NULL ||
	    (target->state != HOST_CPU_ACTIVE && target->state != HOST_CPU_IDLE))
		return false;
	target->nmi = fn;
	return true;
}

/* Whatever the CPU did is as it was when this returns, idling included. */
void host_nmi_take(struct host_cpu *self)
{
	void (*fn)(void) = self->nmi;
	uint32_t irq_enabled = self->core.irq_enabled, state = self->state;

	if (fn == NULL || self->in_nmi)
		return;
	self->nmi = NULL;
	self->in_nmi = true;
	self->core.irq_enabled = 0;
	self->state = HOST_CPU_ACTIVE;
	fn();
	CHECK(!self->core.irq_enabled);
	host_stores_fence(self);
	self->state = state;
	self->core.irq_enabled = irq_enabled;
	self->in_nmi = false;
}
