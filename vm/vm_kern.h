/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel memory: what the rest of the kernel calls.
 *
 * The interface is the classic one of Mach and BSD (Rashid et al., "Machine-Independent Virtual
 * Memory Management", 1987; vm_kern in 4.4BSD and FreeBSD up to 9): names, arguments and returns
 * are the contract. All sizes are bytes and are rounded up to whole pages; a size of 0, or one
 * that wraps when rounded, returns 0 or does nothing.
 */
#ifndef QUIRE_VM_VM_KERN_H
#define QUIRE_VM_VM_KERN_H

#include "vm/vm_map.h"
#include "vm/vm_param.h"

#ifdef __cplusplus
extern "C" {
#endif

/* All kernel addresses from VM_MIN_KERNEL_ADDRESS. */
extern vm_map_t kernel_map;

/*
 * Creates kernel_map over [VM_MIN_KERNEL_ADDRESS, end), and takes [KERNBASE, start) in it for the
 * image and what the boot put behind it. Panics when that fails.
 */
void kmem_init(vm_offset_t start, vm_offset_t end);

/* An address range with no object and no pages; map pages with pmap_qenter. A fault inside
 * panics. 0 without space. Thread context or interrupt on a system map. */
vm_offset_t kmem_alloc_nofault(vm_map_t map, vm_size_t size);
/* The same with a VMFS_* placement. */
vm_offset_t kmem_alloc_nofault_space(vm_map_t map, vm_size_t size, int find_space);

/*
 * Wired, zero-filled memory of kernel_object in map or a submap. 0, with everything undone, when
 * there is no address space or not enough memory. Thread context.
 */
vm_offset_t kmem_alloc(vm_map_t map, vm_size_t size);

/*
 * Gives [trunc(addr), round(addr + size)) back: unwired, unmapped, forgotten by every CPU's TLB,
 * and only then free. Never sleeps for memory. Thread context. An address that was not allocated
 * is diagnosed: panic in a debug build, else one line in the log and nothing changes.
 */
void kmem_free(vm_map_t map, vm_offset_t addr, vm_size_t size);

#ifdef __cplusplus
}
#endif

#endif
