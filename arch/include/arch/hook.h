/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where portable code can be watched, interrupted and made to fail.
 *
 * Every access to shared state passes one of these points. On the machine they compile to
 * nothing; the host machine delivers interrupts, switches CPUs and injects faults at them, which
 * is what lets one source be explored there and shipped here.
 */
#ifndef QUIRE_ARCH_HOOK_H
#define QUIRE_ARCH_HOOK_H

#include "lib/types.h"

enum arch_hook_kind {
	ARCH_HOOK_ATOMIC,
	ARCH_HOOK_LOCK,
	ARCH_HOOK_RELAX,
	ARCH_HOOK_IRQ,
	ARCH_HOOK_IPI,
	ARCH_HOOK_PTE,
	ARCH_HOOK_TLB,
	ARCH_HOOK_RESTART, /* a step of a restartable sequence: only its own CPU's memory */
};

#include "arch/md/hook.h"

/*
 * Supplied by the backend:
 *
 * static inline void arch_hook(enum arch_hook_kind kind, const volatile void *where);
 *	Called before each access to shared state. Any context.
 *
 * static inline bool arch_fault_point(const char *site);
 *	True when the allocation at `site` is to fail now. `site` is a string literal that names
 *	the place; it is never true on the machine.
 */

#endif
