/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The direct map: every byte of RAM at a fixed place, writable, never executable. Its page frames
 * and rights never change; only the memory type of a page may, by the page's owner (vm/pmap_attr.c)
 * and with a shootdown.
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

/*
 * Writes back what the caches of all CPUs hold of [pa, pa + size), whole pages of RAM, and drops
 * it. False, with nothing done, when this model of CPU cannot flush by address: then
 * arch_cache_flush_all() has to run on every CPU. Any context; the time is proportional to size.
 */
QUIRE_MUST_CHECK bool arch_cache_flush(vm_paddr_t pa, vm_size_t size);

/* Writes back and empties the caches of the CPU that runs it. Any context; takes milliseconds. */
void arch_cache_flush_all(void);

#ifdef __cplusplus
}
#endif

#endif
