/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm/pmap_private.h"

#include "arch/physmap.h"
#include "lib/bits.h"
#include "lib/check.h"

pte_t *pmap_entry_down_to(pmap_t pmap, vm_offset_t va, unsigned lowest, unsigned *level)
{
	vm_paddr_t table = pmap->root;

	for (*level = MMU_LEVELS;; (*level)--) {
		pte_t *entry = pmap_table(table) + MMU_INDEX(va, *level);
		pte_t pte;

		if (*level == lowest)
			return entry;
		pte = arch_pte_read(entry);
		if (!(pte & PTE_PRESENT) || pte_is_leaf(pte, *level))
			return entry;
		table = pte & PTE_ADDRESS;
	}
}

pte_t *pmap_entry(pmap_t pmap, vm_offset_t va, unsigned *level)
{
	pte_t *entry = pmap_leaf_entry(pmap, va);

	if (likely(entry != NULL)) {
		*level = 1;
		return entry;
	}
	return pmap_entry_down_to(pmap, va, 1, level);
}

pte_t *pmap_small_entry(pmap_t pmap, vm_offset_t va)
{
	pte_t *entry = pmap_leaf_entry(pmap, va);
	unsigned level;

	if (likely(entry != NULL))
		return entry;
	entry = pmap_entry(pmap, va, &level);
	if (level != 1)
		panic("pmap: no table of small pages at %#llx (level %u, entry %#llx)",
		      (unsigned long long)va, level, (unsigned long long)arch_pte_read(entry));
	return entry;
}

vm_offset_t pmap_entry_end(vm_offset_t va, unsigned level, vm_offset_t end)
{
	vm_offset_t next = align_down(va, MMU_LEVEL_SIZE(level)) + MMU_LEVEL_SIZE(level);

	return next == 0 || next > end ? end : next; /* 0: the top of the address space */
}

vm_page_t pmap_table_alloc_locked(pmap_t pmap, int req_class)
{
	vm_page_t m;

	ASSERT(spin_owned(&pmap->lock));
	if (arch_fault_point("pmap_table"))
		return NULL;
	m = vm_page_alloc_internal(VM_PAGE_TABLE, req_class);
	if (m == NULL)
		return NULL;
	/* Not even a page that is known to be zero is trusted here: any bit would be a mapping. */
	arch_page_zero(VM_PAGE_TO_PHYS(m));
	pmap->table_pages++;
	return m;
}

/*
 * The exchange is a release: a CPU that walks through the entry, or a reader without the lock,
 * finds the table's contents behind it. Pairs with the read in pmap_entry, whose next access
 * depends on it, and with the hardware's walk.
 */
pte_t pmap_table_publish(pte_t *entry, vm_paddr_t table)
{
	return arch_pte_exchange(entry, table | PTE_TABLE_BITS);
}

static int grow_to_locked(pmap_t pmap, vm_offset_t va, unsigned level)
{
	for (;;) {
		unsigned at;
		pte_t *entry = pmap_entry_down_to(pmap, va, level, &at);
		vm_page_t m;

		if (at == level || (arch_pte_read(entry) & PTE_PRESENT))
			return KERN_SUCCESS;
		m = pmap_table_alloc_locked(pmap, VM_ALLOC_SYSTEM);
		if (m == NULL)
			return KERN_RESOURCE_SHORTAGE;
		pmap_table_publish(entry, VM_PAGE_TO_PHYS(m));
	}
}

int pmap_grow_to(pmap_t pmap, vm_offset_t va, unsigned level)
{
	unsigned at;
	pte_t *entry;
	int rv;

	/* Nearly always it is all there; what is there stays, so no lock is needed to know. */
	if (likely(pmap_leaf_entry(pmap, va) != NULL))
		return KERN_SUCCESS;
	entry = pmap_entry_down_to(pmap, va, level, &at);
	if (at == level || (arch_pte_read(entry) & PTE_PRESENT))
		return KERN_SUCCESS;
	spin_lock(&pmap->lock);
	rv = grow_to_locked(pmap, va, level);
	spin_unlock(&pmap->lock);
	return rv;
}

int pmap_growkernel(vm_offset_t start, vm_offset_t end)
{
	CHECK_LE(VM_MIN_KERNEL_ADDRESS, start);
	CHECK_LE(start, end);
	CHECK_LE(end, VM_MAX_KERNEL_ADDRESS);
	/* The lock is taken for each table anew, so that interrupts are never off for long. */
	for (vm_offset_t va = start; va < end; va = pmap_entry_end(va, 2, end)) {
		int rv = pmap_grow_to(kernel_pmap, va, 1);

		if (rv != KERN_SUCCESS)
			return rv;
	}
	return KERN_SUCCESS;
}

pte_t pmap_leaf(pmap_t pmap, vm_offset_t va, unsigned *level)
{
	pte_t pte = arch_pte_read(pmap_entry(pmap, va, level));

	return pte & PTE_PRESENT ? pte : 0;
}

vm_paddr_t pmap_extract(pmap_t pmap, vm_offset_t va)
{
	unsigned level;
	pte_t leaf = pmap_leaf(pmap, va, &level);

	return leaf == 0 ? 0 : pte_paddr(leaf, level) | (va & (MMU_LEVEL_SIZE(level) - 1));
}

void pmap_walk(pmap_t pmap, vm_offset_t start, vm_offset_t end,
	       bool (*visit)(void *ctx, vm_offset_t va, vm_size_t size, pte_t leaf), void *ctx)
{
	unsigned level;

	for (vm_offset_t va = start; va < end; va = pmap_entry_end(va, level, end)) {
		pte_t leaf = pmap_leaf(pmap, va, &level);
		vm_size_t size = MMU_LEVEL_SIZE(level);

		if (leaf != 0 && !visit(ctx, align_down(va, size), size, leaf))
			return;
	}
}
