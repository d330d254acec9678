/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory contents that tell whose they are: every word depends on its place and on a seed. */
#ifndef QUIRE_KERNEL_PATTERN_H
#define QUIRE_KERNEL_PATTERN_H

#include "lib/types.h"

static inline uint64_t pattern_word(uint64_t index, uint64_t seed)
{
	return (index + 1) * UINT64_C(0x9e3779b97f4a7c15) ^ seed;
}

/* Whole words. */
static inline void pattern_fill(vm_offset_t addr, vm_size_t bytes, uint64_t seed)
{
	volatile uint64_t *words = (volatile uint64_t *)addr;

	for (uint64_t i = 0; i < bytes / sizeof(*words); i++)
		words[i] = pattern_word(i, seed);
}

/* The address of the first word that is wrong, and what it held when it was read; or 0. */
static inline vm_offset_t pattern_find(vm_offset_t addr, vm_size_t bytes, uint64_t seed,
				       uint64_t *found)
{
	const volatile uint64_t *words = (const volatile uint64_t *)addr;

	for (uint64_t i = 0; i < bytes / sizeof(*words); i++) {
		uint64_t word = words[i];

		if (word != pattern_word(i, seed)) {
			*found = word;
			return (vm_offset_t)&words[i];
		}
	}
	return 0;
}

/* The same for those who need not know what it held. */
static inline vm_offset_t pattern_check(vm_offset_t addr, vm_size_t bytes, uint64_t seed)
{
	uint64_t found;

	return pattern_find(addr, bytes, seed, &found);
}

#endif
