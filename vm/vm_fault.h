/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page faults in kernel addresses.
 */
#ifndef QUIRE_VM_VM_FAULT_H
#define QUIRE_VM_VM_FAULT_H

#include "arch/fault.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * An arch_fault_handler. All kernel memory is wired, so a fault in it is a bug: returns false,
 * with what the address is and what was wrong with the access in `why`.
 */
bool vm_fault_kernel(const struct arch_fault *fault, char *why, size_t why_size);

#ifdef __cplusplus
}
#endif

#endif
