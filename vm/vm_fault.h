/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page faults in kernel addresses.
 *
 * Nearly all kernel memory is wired, and a fault in it is a bug. Pageable memory (a range without
 * an object, or with an anonymous one) gets its pages here, when it is touched: zeroes the first
 * time, and what was there before otherwise.
 */
#ifndef QUIRE_VM_VM_FAULT_H
#define QUIRE_VM_VM_FAULT_H

#include "arch/fault.h"
#include "vm/vm_param.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Brings the page at va into pageable memory of the map or of a submap, so that `access`
 * (VM_PROT_*) can be made. KERN_SUCCESS: it can be tried again; another thread may have removed or
 * protected the range since. KERN_INVALID_ADDRESS: va is free, or in a range that is not pageable.
 * KERN_PROTECTION_FAILURE: the range does not allow the access.
 *
 * Waits for those who work on the range and, when pages are short, for pages, as long as it takes.
 * So it needs a thread that may sleep and holds no lock of the memory system; elsewhere it returns
 * KERN_RESOURCE_SHORTAGE at once, even where no waiting would be needed: whether it would is a
 * matter of luck, and a bug that always shows is better than one that shows when memory is short.
 */
int vm_fault(vm_map_t map, vm_offset_t va, vm_prot_t access);

/*
 * An arch_fault_handler for kernel_map. True when the access may be tried again: the page table
 * permits it by now, or vm_fault has resolved it. Otherwise false, and `why` says what was tried,
 * what is wrong with it, and what is at the address. Any context; takes locks only where vm_fault
 * may.
 */
bool vm_fault_kernel(const struct arch_fault *fault, char *why, size_t why_size);

#ifdef __cplusplus
}
#endif

#endif
