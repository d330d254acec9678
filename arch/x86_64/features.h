/* SPDX-License-Identifier: BSD-2-Clause */
/* What this model of CPU can do, read once on the boot CPU; the others are taken to be equal. */
#ifndef QUIRE_ARCH_X86_64_FEATURES_H
#define QUIRE_ARCH_X86_64_FEATURES_H

#include "lib/types.h"

struct cpu_features {
	uint32_t max_leaf;
	bool x2apic;
	bool pages_1g;
	bool levels_5; /* of page tables; not used */
	bool invariant_tsc;
	unsigned paddr_bits;
	unsigned clflush_bytes; /* of a cache line; 0: no CLFLUSH */
	uint64_t cr4;           /* what every CPU loads: the protections that this model has */
	char description[80];
};

extern struct cpu_features cpu_features; /* constant after features_init() */

void features_init(void);

/* The APIC id of the CPU that runs this, all 32 bits of it where the CPU tells them. */
uint32_t cpu_apic_id(void);

/*
 * Control registers as they stay. Page tables with global entries may be in use from here on.
 */
void features_enable(void);

#endif
