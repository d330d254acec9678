/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Free physical memory: a binary buddy system for each domain, one lock for each domain.
 *
 * Blocks of 2^order pages, aligned to their size, inside one segment (a run of usable RAM in one
 * domain). Everybody who calls often exchanges batches.
 */
#ifndef QUIRE_VM_VM_PHYS_H
#define QUIRE_VM_VM_PHYS_H

#include "vm/vm_page.h"

#ifdef __cplusplus
extern "C" {
#endif

/* 2^18 pages = 1 GiB: the largest page that hardware maps. */
enum { VM_PHYS_ORDERS = 19, VM_PHYS_SEGMENTS_MAX = 256 };

struct vm_phys_segment {
	vm_paddr_t start, end;
	unsigned domain;
	vm_page_t first; /* descriptor of the page at start; the rest follow */
};

/*
 * Builds the descriptors for all ranges of arch_boot_info() (memory from vm_boot_alloc), then
 * takes over every page that the boot allocator did not hand out. Boot CPU, once.
 */
void vm_phys_init(void);

/* A free block of 2^order pages of the domain, marked ALLOCATED; NULL if none. Any context. */
vm_page_t vm_phys_alloc(unsigned domain, unsigned order);

/* Up to n single pages of the domain in pages[]; returns how many. One lock acquisition. */
unsigned vm_phys_alloc_batch(unsigned domain, vm_page_t *pages, unsigned n);

/* A run as vm_page_alloc_contig wants it, from any domain, lowest address first; NULL if none. */
vm_page_t vm_phys_alloc_contig(unsigned long npages, vm_paddr_t low, vm_paddr_t high,
			       vm_size_t alignment, vm_size_t boundary);

/* Give back. The pages are the caller's, in no object, unwired. Each goes to its own domain. */
void vm_phys_free(vm_page_t m, unsigned order);
void vm_phys_free_batch(vm_page_t *pages, unsigned n);
void vm_phys_free_contig(vm_page_t m, unsigned long npages);

unsigned vm_phys_domain_count(void);
uint64_t vm_phys_free_pages(unsigned domain);  /* now; exact only at rest */
uint64_t vm_phys_total_pages(unsigned domain); /* all descriptors of the domain */

/* Free blocks of each order, for people: counts[VM_PHYS_ORDERS]. */
void vm_phys_free_blocks(unsigned domain, uint64_t *counts);

unsigned vm_phys_segment_count(void);
const struct vm_phys_segment *vm_phys_segment(unsigned index);

/*
 * Checks lists, orders, buddies, counts and states of one domain; each broken rule is reported
 * in a line. Returns how many. Holds the domain's lock.
 */
unsigned vm_phys_audit(unsigned domain, void (*report)(const char *line));

#ifdef __cplusplus
}
#endif

#endif
