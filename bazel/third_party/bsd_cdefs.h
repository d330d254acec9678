/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stands in for <bsd/sys/cdefs.h>, which leans on the C library: only what <bsd/sys/queue.h> and
 * <bsd/sys/tree.h> use, for the kernel and for host programs in C and C++.
 */
#ifndef QUIRE_BSD_CDEFS_H
#define QUIRE_BSD_CDEFS_H

#include <stddef.h>
#include <stdint.h>

#ifndef __containerof
#define __containerof(ptr, type, member)                                                           \
	((type *)((uintptr_t)(const volatile void *)(ptr) - __builtin_offsetof(type, member)))
#endif

#endif
