/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Atomic accesses of the host machine. Armed, they go through the CPU's simulated store buffer and
 * whoever watches values; otherwise they are the compiler's, in view of the thread sanitizer.
 */
#ifndef QUIRE_ARCH_MD_ATOMIC_H
#define QUIRE_ARCH_MD_ATOMIC_H

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

uint64_t host_shared_load(const volatile void *where, unsigned size);
void host_shared_store(volatile void *where, uint64_t value, unsigned size, int mo);

/* Further values that an access found. */
void host_shared_seen(uint64_t value);

/* Around a locked read-modify-write, which found `before`. */
void host_shared_update_begin(void);
void host_shared_update_end(uint64_t before);

static inline bool host_shared_armed(void)
{
#ifdef QUIRE_HOST_NO_HOOKS
	return false;
#else
	return unlikely(
	    (__atomic_load_n(&host_hooks_armed, __ATOMIC_RELAXED) & HOST_ARMED_SHARED) != 0);
#endif
}

#define arch_shared_load(type, where, mo)                                                          \
	(host_shared_armed() ? (type)(uintptr_t)host_shared_load(where, sizeof(type))              \
			     : __atomic_load_n(where, mo))

#define arch_shared_store(type, where, value, mo)                                                  \
	do {                                                                                       \
		if (host_shared_armed())                                                           \
			host_shared_store(where, (uint64_t)(uintptr_t)(value), sizeof(type), mo);  \
		else                                                                               \
			__atomic_store_n(where, value, mo);                                        \
	} while (0)

#define arch_shared_update(type, operation)                                                        \
	({                                                                                         \
		type update_before;                                                                \
		if (host_shared_armed())                                                           \
			host_shared_update_begin();                                                \
		update_before = (operation);                                                       \
		if (host_shared_armed())                                                           \
			host_shared_update_end((uint64_t)(uintptr_t)update_before);                \
		update_before;                                                                     \
	})

#define arch_shared_seen(value)                                                                    \
	do {                                                                                       \
		if (host_shared_armed())                                                           \
			host_shared_seen((uint64_t)(uintptr_t)(value));                            \
	} while (0)

#ifdef __cplusplus
}
#endif

#endif
