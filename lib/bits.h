/* SPDX-License-Identifier: BSD-2-Clause */
/* Powers of two and alignment. The checked forms refuse what would wrap and leave *out alone. */
#ifndef QUIRE_LIB_BITS_H
#define QUIRE_LIB_BITS_H

#include "lib/types.h"

static inline bool is_pow2(uint64_t x)
{
	return x != 0 && (x & (x - 1)) == 0;
}

/* The number of the highest bit that is set: floor(log2(x)). `x` is not 0. */
static inline unsigned ilog2(uint64_t x)
{
	return 63 - (unsigned)__builtin_clzll(x);
}

/* ceil(log2(x)): the smallest n with 2^n >= x, so 64 above 2^63. `x` is not 0. */
static inline unsigned ilog2_up(uint64_t x)
{
	return x == 1 ? 0 : ilog2(x - 1) + 1;
}

/* The smallest power of two that is not below `x` (1 for 0), or 0 above 2^63. */
static inline uint64_t roundup_pow2(uint64_t x)
{
	unsigned n = x == 0 ? 0 : ilog2_up(x);

	return n == 64 ? 0 : (uint64_t)1 << n;
}

/* `align` is a power of two in all that follows. */
static inline uint64_t align_down(uint64_t x, uint64_t align)
{
	return x & ~(align - 1);
}

/* Wraps to 0 at the top of the address space; align_up_checked() says so instead. */
static inline uint64_t align_up(uint64_t x, uint64_t align)
{
	return (x + (align - 1)) & ~(align - 1);
}

static inline bool is_aligned(uint64_t x, uint64_t align)
{
	return (x & (align - 1)) == 0;
}

QUIRE_MUST_CHECK static inline bool align_up_checked(uint64_t x, uint64_t align, uint64_t *out)
{
	uint64_t sum;

	if (__builtin_add_overflow(x, align - 1, &sum))
		return false;
	*out = sum & ~(align - 1);
	return true;
}

/* Bytes rounded up to whole pages; false when that does not fit. */
QUIRE_MUST_CHECK static inline bool round_page_checked(vm_size_t size, vm_size_t *out)
{
	return align_up_checked(size, PAGE_SIZE, out);
}

/* Bits set. Not the compiler's builtin: without POPCNT that is a call into its own library. */
static inline unsigned bit_count(uint64_t word)
{
	unsigned n = 0;

	for (; word != 0; word &= word - 1)
		n++;
	return n;
}

#endif
