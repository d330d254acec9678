/* SPDX-License-Identifier: BSD-2-Clause */
/* Borders of the kernel image, from quire.ld. */
#ifndef QUIRE_ARCH_X86_64_IMAGE_H
#define QUIRE_ARCH_X86_64_IMAGE_H

#include "arch/mmu.h"

extern char image_phys_start[]; /* physical */
extern char image_text_start[], image_rodata_start[], image_data_start[], image_end[];
extern char boot_stack_guard[];

static inline vm_paddr_t image_paddr(const char *border)
{
	return (vm_paddr_t)border - KERNBASE;
}

#endif
