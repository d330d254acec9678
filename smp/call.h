/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Running a function on other CPUs.
 */
#ifndef QUIRE_SMP_CALL_H
#define QUIRE_SMP_CALL_H

#include "lib/cpuset.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Runs fn(arg) on every online CPU of the set, and returns when all have finished. Members that
 * are not online are passed over. Other CPUs run it in an interrupt handler, the caller's CPU, if
 * it is in the set, with interrupts disabled; so fn may take spinlocks, and may neither sleep nor
 * call other CPUs itself. What the caller wrote before is visible to fn, and what fn wrote to the
 * caller afterwards.
 *
 * Interrupts on, no spinlock held, not in an interrupt: the caller serves others' requests while
 * it waits. A CPU that does not answer in bounded time is named and asked again, and in the end
 * stops the machine.
 */
void smp_call(const struct cpuset *set, void (*fn)(void *arg), void *arg);

/* The same on one CPU. */
void smp_call_one(unsigned cpu, void (*fn)(void *arg), void *arg);

/* For smp_init: registers the interrupt handler. */
void smp_call_init(void);

#ifdef __cplusplus
}
#endif

#endif
