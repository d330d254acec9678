/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long each part of the boot took. Boot CPU only.
 */
#ifndef QUIRE_ARCH_PHASE_H
#define QUIRE_ARCH_PHASE_H

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { ARCH_PHASES_MAX = 16 };

struct arch_phase {
	const char *name;
	uint64_t ns;
};

/* The time since the last call, or since the kernel's first instruction, was spent on `name`, a
 * literal. Beyond ARCH_PHASES_MAX it is not noted. */
void arch_phase_end(const char *name);

/* The phases in order, in phases[ARCH_PHASES_MAX]; returns how many. */
unsigned arch_phases(struct arch_phase *phases);

/* From the machine's reset to the kernel's first instruction, if the counter began at 0 then. */
uint64_t arch_phase_before_ns(void);

#ifdef __cplusplus
}
#endif

#endif
