/* SPDX-License-Identifier: BSD-2-Clause */
/* The direct map of the host machine: simulated RAM stands in one reservation of addresses. */
#ifndef QUIRE_ARCH_MD_PHYSMAP_H
#define QUIRE_ARCH_MD_PHYSMAP_H

#include "lib/types.h"

extern unsigned char *host_physmap_base; /* constant while the machine exists */

static inline void *arch_physmap(vm_paddr_t pa)
{
	return host_physmap_base + pa;
}

static inline vm_paddr_t arch_physmap_paddr(const void *ptr)
{
	return (vm_paddr_t)((const unsigned char *)ptr - host_physmap_base);
}

#endif
