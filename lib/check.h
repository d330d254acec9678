/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Broken invariants stop the machine. CHECK is for what can never be the caller's fault and is
 * always on; the comparing forms print both values. ASSERT is the same for checks that cost too
 * much outside a debug build.
 */
#ifndef QUIRE_LIB_CHECK_H
#define QUIRE_LIB_CHECK_H

#include "lib/panic.h"

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (unlikely(!(cond)))                                                             \
			panic("%s:%d: check failed: %s", __FILE__, __LINE__, #cond);               \
	} while (0)

#define CHECK_OP(a, op, b)                                                                         \
	do {                                                                                       \
		unsigned long check_a = (unsigned long)(a), check_b = (unsigned long)(b);          \
		if (unlikely(!(check_a op check_b)))                                               \
			panic("%s:%d: check failed: %s %s %s (%#lx, %#lx)", __FILE__, __LINE__,    \
			      #a, #op, #b, check_a, check_b);                                      \
	} while (0)

#define CHECK_EQ(a, b) CHECK_OP(a, ==, b)
#define CHECK_NE(a, b) CHECK_OP(a, !=, b)
#define CHECK_LT(a, b) CHECK_OP(a, <, b)
#define CHECK_LE(a, b) CHECK_OP(a, <=, b)

#ifdef QUIRE_DEBUG
#define ASSERT(cond) CHECK(cond)
#else
#define ASSERT(cond) ((void)sizeof(cond))
#endif

#endif
