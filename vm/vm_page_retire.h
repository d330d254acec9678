/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages whose memory is bad, taken out of use for good: the machine check handler names them.
 */
#ifndef QUIRE_VM_VM_PAGE_RETIRE_H
#define QUIRE_VM_VM_PAGE_RETIRE_H

#include "vm/vm_page.h"

#ifdef __cplusplus
extern "C" {
#endif

enum vm_page_retirement {
	VM_PAGE_RETIRE_DONE,  /* nobody will get it any more; also when it had left before */
	VM_PAGE_RETIRE_LATER, /* it is in use, and leaves when it is freed */
	VM_PAGE_RETIRE_KEPT,  /* it holds page tables or what the boot took: it is never freed */
	VM_PAGE_RETIRE_NONE,  /* no usable RAM is at that address */
	VM_PAGE_RETIRE_FULL,  /* VM_PAGE_RETIRE_MAX pages in use wait to leave already */
};

enum { VM_PAGE_RETIRE_MAX = 64 };

/*
 * Takes the page that `pa` lies in out of use: now if it is free, else when its owner frees it.
 * Never reads or writes it. One caller at a time. Any context, though only a thread with
 * interrupts on and no spinlock held gets at pages that other CPUs have cached.
 */
enum vm_page_retirement vm_page_retire(vm_paddr_t pa);

/*
 * Tries again with those that wait, and returns how many still do. An owner that changed a page's
 * flags at the moment at which it was marked has lost the mark, so whoever retires pages calls
 * this from time to time as long as it is not 0. Context as vm_page_retire.
 */
unsigned vm_page_retire_again(void);

/* Pages out of use, and pages in use that wait to leave. Any context. */
uint64_t vm_page_retired_count(void);
unsigned vm_page_retire_waiting(void);

/* "it is out of use", ... for messages. */
const char *vm_page_retirement_text(enum vm_page_retirement how);

/* For vm_phys_init: no page is retired. */
void vm_page_retire_init(void);

/* For vm_page.c: takes over a page with the mark PG_RETIRE in place of an allocator. */
void vm_page_retire_freed(vm_page_t m);

/* Does the number of pages in that state equal the count? Returns how many rules are broken. */
unsigned vm_page_retire_audit(uint64_t in_state, void (*report)(const char *line));

#ifdef __cplusplus
}
#endif

#endif
