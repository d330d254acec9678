/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time and the tick.
 */
#ifndef QUIRE_ARCH_CLOCK_H
#define QUIRE_ARCH_CLOCK_H

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Nanoseconds since boot; never goes back on one CPU, and differs between CPUs by less than a
 * tick. Any context.
 */
uint64_t arch_clock_ns(void);

/* Spins for at least `ns`. For hardware that needs it; nothing waits for another CPU by time. */
void arch_clock_delay_ns(uint64_t ns);

/* Set once, before any timer starts. Runs in interrupt context on the CPU whose tick it is. */
void arch_timer_set_handler(void (*handler)(void));

/* Starts this CPU's periodic tick. */
void arch_timer_start(unsigned hz);

#ifdef __cplusplus
}
#endif

#endif
