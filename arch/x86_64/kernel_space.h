/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel's half of the address space holds from the start: direct map, image, devices. */
#ifndef QUIRE_ARCH_X86_64_KERNEL_SPACE_H
#define QUIRE_ARCH_X86_64_KERNEL_SPACE_H

#include "arch/bootinfo.h"
#include "arch/mmu.h"

/*
 * Builds the tables and goes over to them; the boot code's tables are not needed afterwards, and
 * nothing below the kernel half is mapped any more. `ram` is all of it, kept or not.
 */
void kernel_space_init(const struct boot_info *ram);

/* Makes device memory accessible through arch_physmap(). False if it cannot be. */
bool kernel_space_map_device(vm_paddr_t pa, vm_size_t size, vm_memattr_t attr);

/*
 * A stack of `size` bytes with an unmapped page below it, behind the image; returns its end.
 */
vm_offset_t kernel_space_create_stack(vm_size_t size);

#endif
