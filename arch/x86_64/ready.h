/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUs whose tables and interrupt controller are in place: they can be sent interrupts and NMIs.
 * A CPU that is ready stays ready.
 */
#ifndef QUIRE_ARCH_X86_64_READY_H
#define QUIRE_ARCH_X86_64_READY_H

#include "lib/cpuset.h"

/* The CPU that runs this is ready. */
void ready_add(unsigned cpu);

bool ready_has(unsigned cpu);

/* Does `set`, without `self`, name at least two CPUs and every CPU but `self` that is ready? */
bool ready_is_all_others(const struct cpuset *set, unsigned self);

#endif
