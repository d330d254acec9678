/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm/pmap_pageable.h"

#include "lib/bits.h"
#include "lib/check.h"
#include "vm/pmap_private.h"

static pte_t pageable_leaf(vm_page_t m, vm_prot_t prot, bool written)
{
	return VM_PAGE_TO_PHYS(m) | PTE_PRESENT | PTE_GLOBAL | PTE_ACCESSED | pmap_rights(prot) |
	       pte_attr_bits(m->memattr, 1) | (written ? PTE_DIRTY : 0);
}

static void check_same(vm_offset_t va, pte_t before, pte_t now)
{
	const pte_t same = PTE_PRESENT | PTE_ADDRESS | PTE_RIGHTS;

	if ((before & same) != (now & same))
		panic("pmap: pageable %#llx is mapped (entry %#llx), it cannot become %#llx",
		      (unsigned long long)va, (unsigned long long)before, (unsigned long long)now);
}

int pmap_enter_pageable(pmap_t pmap, vm_offset_t va, vm_page_t m, vm_prot_t prot, bool written)
{
	pte_t *entry, before, now;
	int rv;

	CHECK(is_aligned(va, PAGE_SIZE));
	CHECK(prot != VM_PROT_NONE);
	if (!pmap_prot_allowed(prot))
		return KERN_PROTECTION_FAILURE;
	rv = pmap_grow_to(pmap, va, 1);
	if (rv != KERN_SUCCESS)
		return rv;
	entry = pmap_small_entry(pmap, va);
	before = arch_pte_read(entry);
	now = pageable_leaf(m, prot, written);
	if (before & PTE_PRESENT) {
		check_same(va, before, now);
		arch_tlb_invalidate_page(va);
		return KERN_SUCCESS;
	}
	arch_pte_write(entry, now);
	return KERN_SUCCESS;
}

/*
 * Between the two steps the entry may lack a dirty flag that it should have; its owner does not
 * look meanwhile. Writing it back loses nothing: the only flag that could come in between and be
 * overwritten is the one being written, or an accessed flag, which is a hint.
 */
void pmap_change_leaf(pte_t *entry, pte_t now)
{
	pte_t before = arch_pte_exchange(entry, now);

	if (before & ~now & PTE_DIRTY)
		arch_pte_write(entry, now | PTE_ACCESSED | PTE_DIRTY);
}

void pmap_clear_accessed(pmap_t pmap, vm_offset_t va)
{
	pte_t *entry = pmap_small_entry(pmap, va);

	pmap_change_leaf(entry, arch_pte_read(entry) & ~PTE_ACCESSED);
}

pte_t pmap_take_leaf(pmap_t pmap, vm_offset_t va)
{
	return arch_pte_exchange(pmap_small_entry(pmap, va), 0);
}

void pmap_put_leaf_back(pmap_t pmap, vm_offset_t va, pte_t leaf)
{
	pte_t *entry = pmap_small_entry(pmap, va);

	CHECK_EQ(arch_pte_read(entry), 0);
	arch_pte_write(entry, leaf);
}
