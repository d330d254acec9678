/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions of Linux that its modules are not offered, found by name: a kprobe that is registered
 * disabled has the address looked up and changes nothing.
 */
#ifndef QUIRE_BENCH_PEERS_LINUX_MODULE_SYMBOLS_H
#define QUIRE_BENCH_PEERS_LINUX_MODULE_SYMBOLS_H

#include <linux/types.h>

/* Linux, mm/vmalloc.c: any context that may sleep. NULL when memory is short. */
extern void *(*linux_vmalloc_node)(unsigned long size, unsigned long align, gfp_t gfp, int node,
				   const void *caller);

/* Linux, arch/x86/mm/tlb.c: every CPU forgets [start, end). Interrupts enabled. */
extern void (*linux_flush_tlb_kernel_range)(unsigned long start, unsigned long end);

/* False, after a `bench: error` line, if this kernel lacks one of them. */
bool symbols_find(void);

#endif
