/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The handler of kernel page faults, and a way to try an access that may fault without the
 * machine stopping: for self-tests only.
 */
#ifndef QUIRE_KERNEL_FAULT_PROBE_H
#define QUIRE_KERNEL_FAULT_PROBE_H

#include "lib/types.h"

enum fault_access {
	FAULT_READ,    /* one byte */
	FAULT_WRITE,   /* one byte, with the value that it had before */
	FAULT_EXECUTE, /* calls it: the bytes there must return at once */
};

enum { FAULT_WHY_MAX = 256 };

/* Registers the handler; before it, every fault is a panic. */
void fault_probe_init(void);

/*
 * Tries the access on this CPU with preemption off. True when it went through; false when it
 * faulted, with the diagnosis in `why`. Thread context.
 */
bool fault_probe(vm_offset_t va, enum fault_access access, char why[FAULT_WHY_MAX]);

#endif
