/* SPDX-License-Identifier: BSD-2-Clause */
/* From what the loader left to struct boot_info. */
#ifndef QUIRE_ARCH_X86_64_BOOT_COLLECT_H
#define QUIRE_ARCH_X86_64_BOOT_COLLECT_H

#include "arch/bootinfo.h"
#include "arch/x86_64/firmware/memmap.h"

/* What the boot code's tables map, at its own address and in the direct map. */
#define BOOT_MAPPED_END (UINT64_C(1) << 32)

/*
 * Reads everything from memory that the loader or firmware wrote: entry is ENTRY_*, `info` what
 * came with it. Fills arch_boot_info() but for its ranges, and struct platform. Panics when there
 * is no memory map. Uses the boot code's tables.
 */
void boot_collect(uint32_t entry, vm_paddr_t info);

/* All RAM, kept or not: what the direct map is to cover. */
const struct boot_info *boot_collect_ram(void);

/*
 * The ranges of arch_boot_info(), without `taken` as well. Called once more when it is known what
 * was taken for good.
 */
void boot_collect_ranges(struct keep_range taken);

/* A page below 1 MiB where CPUs can start; 0 when there is none. */
vm_paddr_t boot_collect_low_page(void);

/* The loader's framebuffer could not be mapped. */
void boot_collect_drop_framebuffer(void);

#endif
