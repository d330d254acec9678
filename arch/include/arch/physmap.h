/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The direct map: every byte of RAM at a fixed place, permanently mapped, writable, never
 * executable. No translation of it is ever taken away, so it needs no shootdown.
 */
#ifndef QUIRE_ARCH_PHYSMAP_H
#define QUIRE_ARCH_PHYSMAP_H

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#include "arch/md/physmap.h"

/*
 * static inline void *arch_physmap(vm_paddr_t pa);
 * static inline vm_paddr_t arch_physmap_paddr(const void *ptr);   the inverse
 */

/* Fills one page, given by its physical address, with zeroes. */
void arch_page_zero(vm_paddr_t pa);

#ifdef __cplusplus
}
#endif

#endif
