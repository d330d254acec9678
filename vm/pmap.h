/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's page table: which page is where, and what may be done with it.
 *
 * There is one pmap. Whoever owns a range of addresses (a locked or in-transition map entry, or a
 * no-fault range's user) is the only one that changes its leaf entries, so leaves need no lock;
 * the lock guards the shape: adding tables, splitting and merging large pages. Kernel page-table
 * pages are never freed: another CPU's walk may remember them (Intel SDM vol. 3A 4.10.3).
 *
 * W^X: no leaf is both writable and executable, and asking for that is refused.
 */
#ifndef QUIRE_VM_PMAP_H
#define QUIRE_VM_PMAP_H

#include "arch/mmu.h"
#include "smp/spinlock.h"
#include "vm/vm_param.h"

#ifdef __cplusplus
extern "C" {
#endif

/* (l) lock  (c) constant after init */
struct pmap {
	struct spinlock lock;   /* rank LOCK_RANK_PMAP */
	vm_paddr_t root;        /* (c) level-4 table */
	uint64_t table_pages;   /* (l) allocated by us */
	uint64_t large_mapped;  /* (l) level-2 leaves in the kernel_map range */
	uint64_t demotions;     /* (l) */
	uint64_t direct_tables; /* (l) of table_pages, those in the direct map */
};

extern struct pmap kernel_pmap_store;
#define kernel_pmap (&kernel_pmap_store)

void pmap_init(void);

/*
 * Makes sure that every page of [start, end) has a leaf table, so that mapping in it needs no
 * memory. KERN_RESOURCE_SHORTAGE when tables cannot be had; those that were added stay. Any
 * context in which spinlocks may be taken.
 */
int pmap_growkernel(vm_offset_t start, vm_offset_t end);

/*
 * Maps one page at va, where nothing is mapped, or the same page. `access` is the access that
 * caused it, and is part of prot. KERN_SUCCESS; KERN_PROTECTION_FAILURE for writable together with
 * executable; KERN_RESOURCE_SHORTAGE when a table is missing and cannot be had. Replacing another
 * page's mapping is the caller's error and panics.
 */
int pmap_enter(pmap_t pmap, vm_offset_t va, vm_prot_t access, vm_page_t m, vm_prot_t prot,
	       bool wired);

/* Maps one aligned 2 MiB run of pages with a single large leaf; same errors. */
int pmap_enter_large(pmap_t pmap, vm_offset_t va, vm_page_t first, vm_prot_t prot, bool wired);

/*
 * Maps n pages, wired, from va on, in a range of the kernel that was grown (every kernel_map range
 * is) and where nothing is mapped; both are checked. They have the default memory type, as fresh
 * ones do, and prot is one that pmap_enter takes. Cannot fail. Any context.
 */
void pmap_enter_run(pmap_t pmap, vm_offset_t va, vm_page_t const *pages, unsigned n,
		    vm_prot_t prot);

/* Is nothing mapped in [start, end)? Any context; the caller keeps the range still. */
bool pmap_is_empty(pmap_t pmap, vm_offset_t start, vm_offset_t end);

/*
 * Maps count pages, read-write, wired, in a range that was grown (every kernel_map range is);
 * what is there is replaced without a shootdown, as the range's owner vouches for.
 */
void pmap_qenter(vm_offset_t va, vm_page_t *pages, unsigned count);

/* Unmaps them and returns when no CPU can reach the pages by these addresses. Thread context. */
void pmap_qremove(vm_offset_t va, unsigned count);

/*
 * Unmaps [start, end), splitting large leaves that stick out, and returns when no CPU holds a
 * translation of it. Thread context, interrupts on, no spinlock held. Splitting may need one
 * table: KERN_RESOURCE_SHORTAGE with nothing changed if it cannot be had.
 */
int pmap_remove(pmap_t pmap, vm_offset_t start, vm_offset_t end);

/*
 * Empties the entries of [start, end) if all of it is mapped by small wired leaves of write-back
 * memory, which the range owns: what pmap_qenter enters is not. False, with nothing changed, if
 * not. No CPU is asked: the caller keeps addresses and pages back until all have forgotten. Any
 * context.
 */
bool pmap_clear_wired(pmap_t pmap, vm_offset_t start, vm_offset_t end);

/* Changes the protection of what is mapped in [start, end); otherwise as pmap_remove. */
int pmap_protect(pmap_t pmap, vm_offset_t start, vm_offset_t end, vm_prot_t prot);

/* The physical address that va maps to, or 0 where nothing is. Any context. */
vm_paddr_t pmap_extract(pmap_t pmap, vm_offset_t va);
#define pmap_kextract(va) pmap_extract(kernel_pmap, (va))

/* The leaf entry of va and its level, or 0: for audits and people. */
pte_t pmap_leaf(pmap_t pmap, vm_offset_t va, unsigned *level);

void pmap_zero_page(vm_page_t m);

/*
 * Memory types. m->memattr is a page's, and at rest every mapping of the page agrees with it: the
 * direct map, and those that pmap_enter made, which must come after the change and go before the
 * next one. All these functions: thread context, interrupts on, no spinlock held; the pages are
 * allocated, the caller's own, and mapped nowhere but in the direct map. Their contents stay, but
 * nobody may touch them meanwhile, by any address: for a moment the direct map leaves them out.
 *
 * KERN_INVALID_ARGUMENT for a number that is no attribute; KERN_RESOURCE_SHORTAGE when a table of
 * the direct map cannot be had: no page's attribute has changed then. A page of an OBJT_PHYS object
 * that is found mapped is the caller's error and panics.
 */
int pmap_page_set_memattr(vm_page_t m, vm_memattr_t attr);

/* The same for npages > 0 physically consecutive pages, all or none. */
int pmap_pages_set_memattr(vm_page_t first, unsigned long npages, vm_memattr_t attr);

/*
 * Gives back the default attribute to those of the pages that have another. Needs no memory and
 * cannot fail. After the mappings are gone and before the pages are freed.
 */
void pmap_pages_restore_memattr(vm_page_t first, unsigned long npages);

/*
 * The same for the pages of an unlocked object with index in [start, end), which the caller keeps
 * from changing: between pmap_remove of a range and vm_object_page_remove.
 */
void pmap_object_restore_memattr(vm_object_t object, vm_pindex_t start, vm_pindex_t end);

/*
 * Calls visit(va, size, leaf) for every leaf in [start, end), ascending; stops when it returns
 * false. Takes no lock: the caller keeps the range still.
 */
void pmap_walk(pmap_t pmap, vm_offset_t start, vm_offset_t end,
	       bool (*visit)(void *ctx, vm_offset_t va, vm_size_t size, pte_t leaf), void *ctx);

/*
 * The direct map: linear, never executable, and every leaf of it and of the kernel_map range has
 * the memory type of its page. At rest.
 */
unsigned pmap_attr_audit(pmap_t pmap, void (*report)(const char *line));

/* Shape of all tables in the kernel_map range: reserved bits, alignment, W^X, table states. */
unsigned pmap_audit(pmap_t pmap, void (*report)(const char *line));

#ifdef __cplusplus
}
#endif

#endif
