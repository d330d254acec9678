/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts from one CPU to others.
 *
 * One pending interrupt may stand for several sends, so a handler takes everything that is
 * waiting for it. Sending is a release: what the sender wrote before is visible to the handler.
 */
#ifndef QUIRE_ARCH_IPI_H
#define QUIRE_ARCH_IPI_H

#include "lib/cpuset.h"
#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum arch_ipi {
	ARCH_IPI_SHOOTDOWN, /* TLB requests wait */
	ARCH_IPI_CALL,      /* cross-CPU calls wait */
	ARCH_IPI_RESCHED,   /* look at the run queue */
	ARCH_IPI_COUNT,
};

/* Set once, before the CPUs start. The handler runs in interrupt context. */
void arch_ipi_set_handler(enum arch_ipi ipi, void (*handler)(void));

/* Any context. The target may be the sender. */
void arch_ipi_send(unsigned cpu, enum arch_ipi ipi);

/* The same to every member of the set except the sender; one command where hardware allows. */
void arch_ipi_send_set(const struct cpuset *targets, enum arch_ipi ipi);

/* Interrupt commands given so far, all CPUs: a send to a set may be one. */
uint64_t arch_ipi_commands(void);

/*
 * Stops every other CPU where it stands, even with interrupts disabled, and waits a bounded
 * time until they have recorded where that was. For panic only.
 */
void arch_cpus_stop_others(void);

/* After that: where `cpu` was stopped. False for a CPU that did not answer or does not run. */
bool arch_cpu_stopped_pc(unsigned cpu, uintptr_t *pc);

#ifdef __cplusplus
}
#endif

#endif
