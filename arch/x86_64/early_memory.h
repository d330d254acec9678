/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory for what the backend needs before there is an allocator, and keeps for good: page
 * tables, and the other CPUs' descriptor tables and exception stacks. Taken from the end of one
 * usable range; boot_info leaves it out.
 */
#ifndef QUIRE_ARCH_X86_64_EARLY_MEMORY_H
#define QUIRE_ARCH_X86_64_EARLY_MEMORY_H

#include "arch/bootinfo.h"
#include "arch/x86_64/firmware/memmap.h"

/*
 * Takes from the largest of the ranges below `limit`, which the direct map in use now covers.
 * Panics when there is none.
 */
void early_memory_init(const struct boot_info *info, vm_paddr_t limit);

/* Physically contiguous whole pages, filled with zeroes; panics when they run out. */
vm_paddr_t early_alloc(vm_size_t bytes);

/* How much can still be had. */
vm_size_t early_memory_left(void);

/* Everything taken so far, for the memory map to keep; nothing can be taken afterwards. */
struct keep_range early_memory_finish(void);

#endif
