/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Building the kernel's page tables, before anybody else may change them. Tables come from
 * early_alloc(); all mappings are permanent, global, and have their accessed and dirty bits set,
 * so that no CPU ever writes to these entries.
 */
#ifndef QUIRE_ARCH_X86_64_PAGING_H
#define QUIRE_ARCH_X86_64_PAGING_H

#include "arch/mmu.h"

extern vm_paddr_t kernel_root; /* what CR3 holds; below 4 GiB */

void paging_create_root(void);

enum {
	MAP_READ = 0,
	MAP_WRITE = 1,
	MAP_EXECUTE = 2, /* never together with MAP_WRITE */
};

/*
 * Maps whole pages, as large ones where alignment allows. False when something else is mapped
 * there already; what came before that stays.
 */
bool paging_map(vm_offset_t va, vm_paddr_t pa, vm_size_t size, unsigned rights, vm_memattr_t attr);

/* Pages that it has mapped in tables of that level: 1 of 4 KiB, 2 of 2 MiB, 3 of 1 GiB. */
unsigned long paging_mapped(unsigned level);

/* The leaf that translates va in the kernel's tables, and its level; 0 when none does. */
pte_t paging_lookup(vm_offset_t va, unsigned *level);

/*
 * A root for CPUs that are starting: the kernel image, and one page at its physical address,
 * executable and read-only. The kernel's own tables never map anything below the kernel half.
 */
vm_paddr_t paging_create_start_root(vm_paddr_t page);

#endif
