/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/cpu.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu_local.h"
#include "arch/x86_64/restart.h"
#include "arch/x86_64/traps.h"
#include "lib/panic.h"

static void (*handlers[VECTOR_COUNT])(void); /* set before interrupts are enabled */
static void (*exit_handler)(void);

void interrupt_set_handler(unsigned vector, void (*handler)(void))
{
	handlers[vector] = handler;
}

void arch_irq_set_exit_handler(void (*handler)(void))
{
	exit_handler = handler;
}

/*
 * The spurious vector takes no EOI (Intel SDM vol. 3A 11.9), and neither does what came through
 * an 8259; the APIC knows what it is serving itself.
 */
static void unexpected(unsigned vector)
{
	static bool told; /* races cost one more line at the most */

	if (!told && vector >= VECTOR_8259 + 16 && vector != VECTOR_SPURIOUS)
		kprintf("interrupt: nobody handles vector %u\n", vector);
	told = told || vector != VECTOR_SPURIOUS;
	if (apic_in_service(vector))
		apic_eoi();
}

static void serve(unsigned vector)
{
	if (handlers[vector] == NULL) {
		unexpected(vector);
		return;
	}
	handlers[vector]();
	apic_eoi();
}

void interrupt_handle(struct trap_frame *frame)
{
	struct arch_percpu *self = arch_percpu();
	struct cpu_local *local = cpu_local();
	struct trap_frame *outer = local->trap;

	self->irq_depth++;
	local->trap = frame;
	serve((unsigned)frame->vector);
	local->trap = outer;
	self->irq_depth--;
	/* May switch to another thread, and come back here when this one runs again. */
	if (self->irq_depth == 0 && self->preempt_count == 0 && self->need_resched &&
	    exit_handler != NULL)
		exit_handler();
}

void trap_dispatch(struct trap_frame *frame)
{
	restart_check(frame);
	if (frame->vector < TRAP_EXCEPTIONS)
		exception_handle(frame);
	else
		interrupt_handle(frame);
}
