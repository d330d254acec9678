/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page faults of kernel code.
 */
#ifndef QUIRE_ARCH_FAULT_H
#define QUIRE_ARCH_FAULT_H

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct arch_fault {
	vm_offset_t va;
	vm_offset_t pc;
	bool present; /* a translation was there, but does not permit the access */
	bool write;
	bool execute;
	bool reserved;    /* a reserved bit was set in a table */
	bool irq_enabled; /* in the interrupted code */
};

/*
 * The handler returns true when the access may be tried again. False makes the backend panic,
 * with the text that the handler wrote into `why`. Runs on the faulting thread's stack with
 * interrupts as they were.
 */
typedef bool arch_fault_handler(const struct arch_fault *fault, char *why, size_t why_size);

void arch_fault_set_handler(arch_fault_handler *handler);

#ifdef __cplusplus
}
#endif

#endif
