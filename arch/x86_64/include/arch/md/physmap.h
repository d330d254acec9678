/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef QUIRE_ARCH_X86_64_MD_PHYSMAP_H
#define QUIRE_ARCH_X86_64_MD_PHYSMAP_H

#include "arch/mmu.h"

static inline void *arch_physmap(vm_paddr_t pa)
{
	return (void *)(PHYSMAP_BASE + pa);
}

static inline vm_paddr_t arch_physmap_paddr(const void *ptr)
{
	return (vm_paddr_t)ptr - PHYSMAP_BASE;
}

#endif
