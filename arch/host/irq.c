/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts: bits that others set and the CPU takes, on the stack that it happens to run on,
 * whenever it passes a hook with interrupts enabled.
 */
#include "arch/host/internal.h"

static void (*ipi_handlers[ARCH_IPI_COUNT])(void);
static void (*timer_handler)(void);
static void (*exit_handler)(void);

void host_irq_reset(void)
{
	for (unsigned i = 0; i < ARCH_IPI_COUNT; i++)
		ipi_handlers[i] = NULL;
	timer_handler = NULL;
	exit_handler = NULL;
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

void host_irq_set(struct host_cpu *cpu, uint32_t bits)
{
	__atomic_fetch_or(&cpu->core.pending, bits, __ATOMIC_RELEASE);
	if (host_is_threads() && cpu != host_self())
		host_threads_wake(cpu);
}

static void ipi_run(struct host_cpu *self, unsigned ipi)
{
	CHECK(ipi_handlers[ipi] != NULL);
	host_order_acquire(&self->due_ns[ipi]);
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
	percpu->irq_depth++;
	if (bit != HOST_PENDING_TIMER)
		ipi_run(self, (unsigned)__builtin_ctz(bit));
	else if (timer_handler != NULL)
		timer_handler();
	CHECK(!self->core.irq_enabled);
	percpu->irq_depth--;
	if (percpu->irq_depth == 0 && percpu->preempt_count == 0 && percpu->need_resched != 0 &&
	    exit_handler != NULL)
		exit_handler();
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
