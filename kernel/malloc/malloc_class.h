/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Size classes: 16, 32, 48, 64; 80, 96, 112, 128; 160, 192, 224, 256; and so on to 4096. Pure.
 *
 * The class of a size s follows from its highest bits: with n such that 2^n <= s - 1 < 2^(n+1), the
 * two bits below the highest say which quarter of the doubling it is in.
 */
#ifndef QUIRE_KERNEL_MALLOC_MALLOC_CLASS_H
#define QUIRE_KERNEL_MALLOC_MALLOC_CLASS_H

#include "lib/bits.h"
#include "lib/types.h"

enum {
	MALLOC_CLASS_MAX = 4096, /* bytes of the largest */
	MALLOC_CLASSES = 28,     /* 4 up to 64, and 4 for each of the 6 doublings above */
};

/* `size` is at most MALLOC_CLASS_MAX; 0 counts as 1. */
static inline __attribute__((always_inline)) unsigned malloc_class_of(size_t size)
{
	size_t last = size - (size != 0);
	/* | 64: the four classes up to 64 are of one width. */
	unsigned shift = ilog2(last | 64) - 2;

	return (shift - 4) * 4 + (unsigned)(last >> shift);
}

/* Bytes of a class. */
static inline size_t malloc_class_size(unsigned size_class)
{
	unsigned doubling = size_class / 4;

	if (doubling == 0)
		return ((size_t)size_class + 1) * 16;
	return ((size_t)size_class % 4 + 5) << (doubling + 3);
}

#endif
