/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel memory system as a whole: its start, and what everybody who uses it includes.
 */
#ifndef QUIRE_VM_VM_H
#define QUIRE_VM_VM_H

#include "vm/vm_param.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Takes over memory from the boot: pages, page tables, kernel_object, kernel_map. After it,
 * every function of vm/ works. Called once, on the boot CPU, before the other CPUs start;
 * interrupts may be off. Panics with what is missing when the machine is too small.
 */
void vm_init(void);

/*
 * A piece of what an idle CPU can do: zeroes a page, or pages of a range, for later. False when
 * there is nothing to do. For sched_set_idle_work.
 */
bool vm_idle(void);

#ifdef __cplusplus
}
#endif

#endif
