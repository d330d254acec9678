/* SPDX-License-Identifier: BSD-2-Clause */
/* Setting up time, on the boot CPU, interrupts disabled. */
#ifndef QUIRE_ARCH_X86_64_CLOCK_H
#define QUIRE_ARCH_X86_64_CLOCK_H

#include "lib/types.h"

/* Measures the time-stamp counter; arch_clock_*() work from here on. */
void clock_init(void);

/* The same as time. Ticks of this machine since any moment; 0 before clock_init(). */
uint64_t clock_ticks_to_ns(uint64_t ticks);

/* The boot CPU's first act: the first phase of the boot begins (arch/phase.h). */
void phase_begin(void);

/* Measures the APIC's timer against that; the APIC is enabled. */
void timer_init(void);

/*
 * Ticks of the time-stamp counter per second, from the best source that this machine has, whose
 * name is stored; takes up to 60 ms. 0 when there is none. (calibrate.c)
 */
uint64_t calibrate_tsc(const char **source);

#endif
