/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUs watch each other: one whose tick stops is named.
 */
#ifndef QUIRE_KERNEL_WATCHDOG_H
#define QUIRE_KERNEL_WATCHDOG_H

#include "lib/types.h"

/* Makes the seconds that a CPU may be without a tick a value that can be set. */
void watchdog_init(void);

/* Once a second on each CPU, in its tick. */
void watchdog_look(void);

/* CPUs that were found stopped since boot. Any context. */
uint64_t watchdog_count(void);

#endif
