/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accounting of pageable memory: what was promised must fit.
 *
 * There is no device to swap to; the limit says how much pageable memory may exist in all. The
 * sum of all charges always equals the total of charged ranges, and the audit checks it.
 */
#ifndef QUIRE_VM_VM_SWAP_H
#define QUIRE_VM_VM_SWAP_H

#include "vm/vm_param.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Nothing reserved, and this limit in bytes. Once, at start. */
void swap_init(vm_size_t limit);

/* Takes `size` bytes (whole pages) from the limit; false, and nothing taken, if it is reached. */
bool swap_reserve(vm_size_t size) QUIRE_MUST_CHECK;

/* Gives bytes back; panics when they were not taken. */
void swap_release(vm_size_t size);

vm_size_t swap_reserved(void);
vm_size_t swap_limit(void);

/* The new limit holds for reservations from now on; what is taken stays. */
void swap_set_limit(vm_size_t size);

#ifdef __cplusplus
}
#endif

#endif
