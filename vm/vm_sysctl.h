/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory system's named values. */
#ifndef QUIRE_VM_VM_SYSCTL_H
#define QUIRE_VM_VM_SYSCTL_H

#ifdef __cplusplus
extern "C" {
#endif

/* Registers them. At the end of vm_init. */
void vm_sysctl_init(void);

/* A part of it: vm.tlb. */
void vm_sysctl_tlb_init(void);

#ifdef __cplusplus
}
#endif

#endif
