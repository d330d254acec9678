/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine itself needs no hooks and injects no faults. */
#ifndef QUIRE_ARCH_X86_64_MD_HOOK_H
#define QUIRE_ARCH_X86_64_MD_HOOK_H

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

#endif
