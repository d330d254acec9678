/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Atomic words. One-field structures over the compiler's builtins, so that C17 and C++17 both
 * compile them and an unguarded access does not compile by accident.
 *
 * The order argument is a constant MO_*; a fence alone is never used, because the thread
 * sanitizer cannot see it: where one is needed, a sequentially consistent exchange stands.
 */
#ifndef QUIRE_ARCH_ATOMIC_H
#define QUIRE_ARCH_ATOMIC_H

#include "arch/hook.h"
#include "lib/types.h"

#include "arch/md/atomic.h"

/*
 * Supplied by the backend, as macros over the type of the word:
 *
 * arch_shared_load(type, where, mo)           the value
 * arch_shared_store(type, where, value, mo)
 * arch_shared_update(type, operation)         a locked operation; the value from before, or for a
 *					       compare-and-swap whether it succeeded
 * arch_shared_seen(value)		       what that compare-and-swap found
 */

#define MO_RELAXED __ATOMIC_RELAXED
#define MO_ACQUIRE __ATOMIC_ACQUIRE
#define MO_RELEASE __ATOMIC_RELEASE
#define MO_ACQ_REL __ATOMIC_ACQ_REL
#define MO_SEQ_CST __ATOMIC_SEQ_CST

/* The order of a failed compare-and-swap: the success order without its release half. */
#define MO_ON_FAILURE(mo)                                                                          \
	((mo) == MO_SEQ_CST                         ? MO_SEQ_CST                                   \
	 : (mo) == MO_ACQ_REL || (mo) == MO_ACQUIRE ? MO_ACQUIRE                                   \
						    : MO_RELAXED)

#define ATOMIC_INLINE static inline __attribute__((always_inline))

#define ATOMIC_DEFINE(name, type)                                                                  \
	struct name {                                                                              \
		type value;                                                                        \
	};                                                                                         \
	ATOMIC_INLINE type name##_load(const struct name *a, int mo)                               \
	{                                                                                          \
		arch_hook(ARCH_HOOK_ATOMIC, a);                                                    \
		return arch_shared_load(type, &a->value, mo);                                      \
	}                                                                                          \
	ATOMIC_INLINE void name##_store(struct name *a, type value, int mo)                        \
	{                                                                                          \
		arch_hook(ARCH_HOOK_ATOMIC, a);                                                    \
		arch_shared_store(type, &a->value, value, mo);                                     \
	}                                                                                          \
	ATOMIC_INLINE type name##_exchange(struct name *a, type value, int mo)                     \
	{                                                                                          \
		arch_hook(ARCH_HOOK_ATOMIC, a);                                                    \
		return arch_shared_update(type, __atomic_exchange_n(&a->value, value, mo));        \
	}                                                                                          \
	ATOMIC_INLINE bool name##_cas(struct name *a, type *expected, type desired, int mo)        \
	{                                                                                          \
		bool done;                                                                         \
                                                                                                   \
		arch_hook(ARCH_HOOK_ATOMIC, a);                                                    \
		done = arch_shared_update(bool, __atomic_compare_exchange_n(&a->value, expected,   \
									    desired, false, mo,    \
									    MO_ON_FAILURE(mo)));   \
		arch_shared_seen(*expected);                                                       \
		return done;                                                                       \
	}

#define ATOMIC_DEFINE_ARITHMETIC(name, type)                                                       \
	/* These return the value from before. */                                                  \
	ATOMIC_INLINE type name##_add(struct name *a, type value, int mo)                          \
	{                                                                                          \
		arch_hook(ARCH_HOOK_ATOMIC, a);                                                    \
		return arch_shared_update(type, __atomic_fetch_add(&a->value, value, mo));         \
	}                                                                                          \
	ATOMIC_INLINE type name##_sub(struct name *a, type value, int mo)                          \
	{                                                                                          \
		arch_hook(ARCH_HOOK_ATOMIC, a);                                                    \
		return arch_shared_update(type, __atomic_fetch_sub(&a->value, value, mo));         \
	}                                                                                          \
	ATOMIC_INLINE type name##_or(struct name *a, type value, int mo)                           \
	{                                                                                          \
		arch_hook(ARCH_HOOK_ATOMIC, a);                                                    \
		return arch_shared_update(type, __atomic_fetch_or(&a->value, value, mo));          \
	}                                                                                          \
	ATOMIC_INLINE type name##_and(struct name *a, type value, int mo)                          \
	{                                                                                          \
		arch_hook(ARCH_HOOK_ATOMIC, a);                                                    \
		return arch_shared_update(type, __atomic_fetch_and(&a->value, value, mo));         \
	}

ATOMIC_DEFINE(atomic32, uint32_t)
ATOMIC_DEFINE_ARITHMETIC(atomic32, uint32_t)
ATOMIC_DEFINE(atomic64, uint64_t)
ATOMIC_DEFINE_ARITHMETIC(atomic64, uint64_t)
ATOMIC_DEFINE(atomic_ptr, void *)

#endif
