/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hooks of the host machine. One flag stands between portable code and everything the machine may
 * do at a hook, so that a benchmark on an unarmed machine pays one test and one branch. Built with
 * QUIRE_HOST_NO_HOOKS (--config=bench) even these are gone: interrupts then arrive only where they
 * are enabled, in wait loops and in idle CPUs, and no test of schedules or of failures means much.
 */
#ifndef QUIRE_ARCH_MD_HOOK_H
#define QUIRE_ARCH_MD_HOOK_H

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bits of host_hooks_armed. */
enum {
	HOST_ARMED_HOOKS = 1 << 0,
	HOST_ARMED_SHARED = 1 << 1, /* atomic accesses are the machine's: see arch/md/atomic.h */
};

/* Written by the machine only, while one CPU runs or where a late reader does no harm. */
extern uint32_t host_hooks_armed;
extern uint32_t host_faults_armed;

void host_hook(enum arch_hook_kind kind, const volatile void *where);
bool host_fault_point(const char *site);

#ifdef QUIRE_HOST_NO_HOOKS

static inline void arch_hook(enum arch_hook_kind kind, const volatile void *where)
{
	(void)kind;
	(void)where;
}

static inline bool arch_fault_point(const char *site)
{
	(void)site;
	return false;
}

#else

static inline void arch_hook(enum arch_hook_kind kind, const volatile void *where)
{
	if (unlikely(__atomic_load_n(&host_hooks_armed, __ATOMIC_RELAXED) != 0))
		host_hook(kind, where);
}

static inline bool arch_fault_point(const char *site)
{
	if (likely(__atomic_load_n(&host_faults_armed, __ATOMIC_RELAXED) == 0))
		return false;
	return host_fault_point(site);
}

#endif

#ifdef __cplusplus
}
#endif

#endif
