/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts that go wrong on purpose, on the machine; the host machine has its own. */
#include "arch/clock.h"
#include "arch/ipi.h"
#include "lib/check.h"
#include "smp/preempt.h"
#include "smp/shootdown_private.h"

/* So late that the initiator has flushed and waits by then. */
#define LATE_NS UINT64_C(2000000)

void shootdown_inject(enum shootdown_fault fault)
{
	preempt_disable();
	shootdown_lines[arch_cpu_id()].fault = fault;
	preempt_enable();
}

void shootdown_send_faulty(struct shootdown_line *own, const struct cpuset *targets)
{
	enum shootdown_fault fault = own->fault;

	own->fault = SHOOTDOWN_SENT;
	switch (fault) {
	case SHOOTDOWN_LOST:
		own->impatient = true;
		return;
	case SHOOTDOWN_LATE:
		arch_clock_delay_ns(LATE_NS);
		break;
	case SHOOTDOWN_TWICE:
		arch_ipi_send_set(targets, ARCH_IPI_SHOOTDOWN);
		break;
	case SHOOTDOWN_SENT:
		break;
	}
	arch_ipi_send_set(targets, ARCH_IPI_SHOOTDOWN);
}
