/* SPDX-License-Identifier: BSD-2-Clause */
/* Stacks of threads and CPUs, each with an unmapped page below it: an overflow is a fault. */
#ifndef QUIRE_KERNEL_STACK_H
#define QUIRE_KERNEL_STACK_H

#include "lib/types.h"

/*
 * The lowest byte of a new stack and its size in bytes; NULL when memory is short. Thread
 * context, or the boot before there are threads.
 */
void *kstack_alloc(size_t *size);

/* Thread context; nobody runs on the stack any more. */
void kstack_free(void *base, size_t size);

#endif
