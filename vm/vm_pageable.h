/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking pages of pageable memory back.
 */
#ifndef QUIRE_VM_VM_PAGEABLE_H
#define QUIRE_VM_VM_PAGEABLE_H

#include "vm/vm_param.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The hand at the start, and all counts 0. Before the first scan. */
void vm_pageable_init(void);

/*
 * Looks for pages of kernel_map's and its submaps' pageable memory that nobody needs: not wired,
 * not touched since it last came by, and never written, so that they still hold the zeroes which
 * the next touch would bring anyway. Frees about `wanted` of them and returns how many. Goes on
 * where the last call stopped, and round at most twice: what is in use in the first round and not
 * in the second is taken then.
 *
 * There is no device to write pages to, so a page that was written stays. A page that was wired
 * counts as written: devices and the direct map write without the page table's knowledge.
 *
 * Thread context, nothing locked; any number of threads at once. Ranges that somebody is at work
 * on are passed over, the caller's own included.
 */
uint64_t vm_pageable_scan(uint64_t wanted);

/* Pages, since boot. Approximate. */
struct vm_pageable_stats {
	uint64_t looked;   /* at */
	uint64_t idle;     /* of them: not touched, or given a second chance now */
	uint64_t taken;    /* freed */
	uint64_t put_back; /* written at the last moment: mapped again */
};
void vm_pageable_stats(struct vm_pageable_stats *stats);

/*
 * Charges and pages of pageable memory in kernel_map and its submaps: the charged ranges sum to
 * what is reserved, and each page of anonymous memory is where its object says and mapped there
 * or nowhere. At rest. Returns broken rules, reported.
 */
unsigned vm_pageable_audit(void (*report)(const char *line));

#ifdef __cplusplus
}
#endif

#endif
