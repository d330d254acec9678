/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the pmap share: steps through the tables, new tables, and large leaves.
 */
#ifndef QUIRE_VM_PMAP_PRIVATE_H
#define QUIRE_VM_PMAP_PRIVATE_H

#include "arch/physmap.h"
#include "vm/pmap.h"
#include "vm/vm_page.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An entry that leads to a table. What may be done with a page is said by its leaf alone. */
#define PTE_TABLE_BITS (PTE_PRESENT | PTE_WRITE | PTE_ACCESSED)

/*
 * Bits of every leaf of wired memory. Accessed and dirty are set from the start: nobody asks for
 * them, and so the CPU has no reason to write to our tables by itself (Intel SDM vol. 3A 4.8).
 * Memory that can be taken back is entered by vm/pmap_pageable.c, for which they do mean something.
 */
#define PTE_LEAF_BITS (PTE_PRESENT | PTE_GLOBAL | PTE_ACCESSED | PTE_DIRTY)

/* Bits of a leaf that say what may be done with the page. */
#define PTE_RIGHTS (PTE_WRITE | PTE_NX)

/* --- pmap_table.c --- */

/*
 * The entry that decides about va: the leaf, or the empty entry at which the walk ends. *level is
 * its level. Takes no lock: tables are never taken away.
 */
pte_t *pmap_entry(pmap_t pmap, vm_offset_t va, unsigned *level);

/* The same, but the walk ends at level `lowest` at the latest. */
pte_t *pmap_entry_down_to(pmap_t pmap, vm_offset_t va, unsigned lowest, unsigned *level);

/* The entry of va in its leaf table. Panics when there is none: the range was not grown. */
pte_t *pmap_small_entry(pmap_t pmap, vm_offset_t va);

/* The first address behind the entry of `level` that holds va, but no further than end. */
vm_offset_t pmap_entry_end(vm_offset_t va, unsigned level, vm_offset_t end);

/*
 * Adds the tables that are missing on the way to va, down to the one at `level`; stops at a large
 * leaf. KERN_RESOURCE_SHORTAGE leaves what was added. Any context in which spinlocks may be taken.
 */
int pmap_grow_to(pmap_t pmap, vm_offset_t va, unsigned level);

/* A zeroed page for a table, or NULL. `req_class` is a VM_ALLOC_ class. The pmap is locked. */
vm_page_t pmap_table_alloc_locked(pmap_t pmap, int req_class);

/* Makes `entry` lead to a table whose contents are complete. Returns what stood there. */
pte_t pmap_table_publish(pte_t *entry, vm_paddr_t table);

static inline pte_t *pmap_table(vm_paddr_t pa)
{
	return (pte_t *)arch_physmap(pa);
}

/* The entry of va in its leaf table, or NULL where the walk ends above: the usual walk, unrolled.
 */
static inline pte_t *pmap_leaf_entry(pmap_t pmap, vm_offset_t va)
{
	vm_paddr_t table = pmap->root;

#pragma GCC unroll 3
	for (unsigned level = MMU_LEVELS; level > 1; level--) {
		pte_t pte = arch_pte_read(pmap_table(table) + MMU_INDEX(va, level));

		if ((pte & (PTE_PRESENT | PTE_LARGE)) != PTE_PRESENT)
			return NULL;
		table = pte & PTE_ADDRESS;
	}
	return pmap_table(table) + MMU_INDEX(va, 1);
}

/* --- pmap.c --- */

/* Bits for prot: rights and nothing else. */
pte_t pmap_rights(vm_prot_t prot);

bool pmap_prot_allowed(vm_prot_t prot);

/* --- pmap_large.c --- */

void pmap_large_init(void);

/* Splits the large leaf that reaches across va, if there is one: va becomes an edge. Thread
 * context, no spinlock. KERN_RESOURCE_SHORTAGE with nothing changed. */
int pmap_split_at(pmap_t pmap, vm_offset_t va);

/* Unmaps a whole large leaf; its table is back, empty. The caller shoots it down. */
void pmap_large_clear(pmap_t pmap, vm_offset_t va);

/* Gives a whole large leaf, and what may be remembered of its table, other rights. */
void pmap_large_protect(pmap_t pmap, vm_offset_t va, pte_t rights);

/* The table that is kept behind the large leaf at va, or NULL. The pmap is locked, or at rest. */
vm_page_t pmap_large_kept(vm_offset_t va);

/* The small leaf that maps page i of a large leaf, with the same rights and attribute. */
pte_t pmap_large_part(pte_t large, unsigned i);

#ifdef __cplusplus
}
#endif

#endif
