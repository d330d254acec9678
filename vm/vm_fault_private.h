/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of page faults share. */
#ifndef QUIRE_VM_VM_FAULT_PRIVATE_H
#define QUIRE_VM_VM_FAULT_PRIVATE_H

#include "arch/fault.h"
#include "vm/vm_map.h"

#ifdef __cplusplus
extern "C" {
#endif

/* No object yet or an anonymous one, and faults are allowed. Map locked. */
bool vm_fault_entry_is_pageable(vm_map_entry_t entry);

/* The map of `map` and its submaps that says what va is; locked. */
vm_map_t vm_fault_lock_map(vm_map_t map, vm_offset_t va);

/* May a map be locked and waited for here? */
bool vm_fault_may_lock(void);

/* vm_fault_explain.c: a fault that was not resolved, in words. kernel_map exists. */
void vm_fault_explain(const struct arch_fault *fault, char *why, size_t why_size);

#ifdef __cplusplus
}
#endif

#endif
