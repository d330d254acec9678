/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory before there is an allocator: a bump allocator over the ranges of arch_boot_info().
 *
 * What it hands out is never freed and counts as metadata. Everything else passes to vm_phys,
 * once, with nothing lost: bytes handed out + bytes passed on = bytes of the ranges.
 */
#ifndef QUIRE_VM_VM_BOOT_H
#define QUIRE_VM_VM_BOOT_H

#include "vm/vm_param.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Starts from arch_boot_info(). Boot CPU only, like everything here. */
void vm_boot_init(void);

/*
 * Zeroed memory in the direct map; `align` is a power of two >= 1. Never fails: panics naming
 * what was asked for when the machine has too little memory.
 */
void *vm_boot_alloc(size_t bytes, size_t align, const char *what);

/* Calls give(start, end, domain) for each whole-page rest, ascending; no allocation after it. */
void vm_boot_hand_over(void (*give)(vm_paddr_t start, vm_paddr_t end, unsigned domain));

/* Bytes taken so far, rounded up to the pages they lie in. */
uint64_t vm_boot_taken_bytes(void);

#ifdef __cplusplus
}
#endif

#endif
