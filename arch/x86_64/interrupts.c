/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/cpu.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu_local.h"
#include "arch/x86_64/incident.h"
#include "arch/x86_64/restart.h"
#include "arch/x86_64/traps.h"
#include "lib/panic.h"

static void (*handlers[VECTOR_COUNT])(void); /* set before interrupts are enabled */
static void (*exit_handler)(void);
static void (*lazy_handler)(void);

void interrupt_set_handler(unsigned vector, void (*handler)(void))
{
	handlers[vector] = handler;
}

void arch_irq_set_exit_handler(void (*handler)(void))
{
	exit_handler = handler;
}

void arch_lazy_set_handler(void (*handler)(void))
{
	lazy_handler = handler;
}

/*
 * The spurious vector takes no EOI (Intel SDM vol. 3A 11.9), and neither does what came through
 * an 8259; the APIC knows what it is serving itself.
 */
static __attribute__((noinline)) void unexpected(unsigned vector)
{
	unexpected_note(vector);
	if (apic_in_service(vector))
		apic_eoi();
}

static void serve(unsigned vector)
{
	if (unlikely(handlers[vector] == NULL)) {
		unexpected(vector);
		return;
	}
	handlers[vector]();
	apic_eoi();
}

static void interrupt_handle(struct trap_frame *frame)
{
	struct arch_percpu *self = arch_percpu();
	struct cpu_local *local = (struct cpu_local *)self->backend[0];
	struct trap_frame *outer = local->trap;

	self->irq_depth++;
	/* What came before touches the image, this CPU's area, and the stack of its idle thread. */
	if (unlikely(self->lazy != 0))
		lazy_handler();
	local->trap = frame;
	serve((unsigned)frame->vector);
	local->trap = outer;
	self->irq_depth--;
	/* May switch to another thread, and come back here when this one runs again. */
	if (unlikely(self->need_resched) && self->irq_depth == 0 && self->preempt_count == 0 &&
	    exit_handler != NULL)
		exit_handler();
}

void trap_dispatch(struct trap_frame *frame)
{
	restart_check(frame);
	if (unlikely(frame->vector < TRAP_EXCEPTIONS))
		exception_handle(frame);
	else
		interrupt_handle(frame);
}
