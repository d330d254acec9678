/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The audit: every rule that must hold, checked on the live system.
 */
#ifndef QUIRE_VM_VM_AUDIT_H
#define QUIRE_VM_VM_AUDIT_H

#include "vm/vm_param.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Checks everything, reports each broken rule in a line, and returns how many there are. Exact
 * when no other thread is in vm/; takes the locks that it needs, one at a time. Thread context.
 */
unsigned vm_audit(void (*report)(const char *line));

/* Where all RAM is, in pages; the parts sum to total. */
struct vm_accounting {
	uint64_t total;       /* descriptors: all usable RAM */
	uint64_t boot;        /* boot allocator: descriptors, per-CPU areas */
	uint64_t free;        /* vm_phys */
	uint64_t magazines;   /* per-CPU caches and depot */
	uint64_t kmem_caches; /* ranges that kmem_free left mapped */
	uint64_t quarantine;  /* freed, and perhaps remembered by some CPU */
	uint64_t tables;      /* page tables */
	uint64_t meta;        /* pools */
	uint64_t zones;       /* slabs of zones in the direct map */
	uint64_t retired;     /* bad memory, out of use */
	uint64_t allocated;   /* everything that was asked for */
};
void vm_accounting(struct vm_accounting *acc);

/* All parts of it together. */
static inline uint64_t vm_accounting_sum(const struct vm_accounting *acc)
{
	return acc->boot + acc->free + acc->magazines + acc->kmem_caches + acc->quarantine +
	       acc->tables + acc->meta + acc->zones + acc->retired + acc->allocated;
}

#ifdef __cplusplus
}
#endif

#endif
