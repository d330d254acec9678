/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many pages at once: one walk for each table, then a loop over its entries.
 */
#include "lib/bits.h"
#include "lib/check.h"
#include "vm/pmap_private.h"

/* How many of the n pages from va on have their entries in the same table as va. */
static unsigned in_table(vm_offset_t va, unsigned n)
{
	unsigned rest = MMU_TABLE_ENTRIES - (unsigned)MMU_INDEX(va, 1);

	return n < rest ? n : rest;
}

static void QUIRE_NORETURN entered_twice(vm_offset_t va, pte_t before)
{
	panic("pmap: %#llx is mapped (entry %#llx), another page cannot be entered there",
	      (unsigned long long)va, (unsigned long long)before);
}

void pmap_enter_run(pmap_t pmap, vm_offset_t va, vm_page_t const *pages, unsigned n, vm_prot_t prot)
{
	const pte_t bits = PTE_LEAF_BITS | PTE_WIRED | pmap_rights(prot);

	CHECK(is_aligned(va, PAGE_SIZE));
	CHECK(prot != VM_PROT_NONE && pmap_prot_allowed(prot));
	while (n > 0) {
		unsigned here = in_table(va, n);
		pte_t *entry = pmap_leaf_entry(pmap, va);

		if (unlikely(entry == NULL))
			entry = pmap_small_entry(pmap, va); /* which says what is wrong */
#pragma GCC unroll 4
		for (unsigned i = 0; i < here; i++) {
			vm_page_t m = pages[i];
			pte_t before = arch_pte_read(&entry[i]);

			if (unlikely(before != 0))
				entered_twice(va + ptoa(i), before);
			ASSERT(m->memattr == VM_MEMATTR_DEFAULT);
			arch_pte_write(&entry[i], VM_PAGE_TO_PHYS(m) | bits);
		}
		pages += here;
		va += ptoa(here);
		n -= here;
	}
}

/* Is none of the n entries in use? They may hold something that is not present. */
static bool entries_empty(const pte_t *entry, unsigned n)
{
	pte_t all = 0;

#pragma GCC unroll 4
	for (unsigned i = 0; i < n; i++)
		all |= arch_pte_read(&entry[i]);
	return (all & PTE_PRESENT) == 0;
}

bool pmap_is_empty(pmap_t pmap, vm_offset_t start, vm_offset_t end)
{
	vm_offset_t stop;

	for (vm_offset_t va = start; va < end; va = stop) {
		unsigned level;
		const pte_t *entry = pmap_entry(pmap, va, &level);

		/* All of the table that ends the walk here, or the one entry that leads to none. */
		stop = pmap_entry_end(va, level == 1 ? 2 : level, end);
		if (!entries_empty(entry, level == 1 ? (unsigned)atop(stop - va) : 1))
			return false;
	}
	return true;
}

/* Are all of the n entries small wired leaves of write-back memory? */
static bool entries_wired(const pte_t *entry, unsigned n)
{
	const pte_t wanted = PTE_PRESENT | PTE_WIRED, other = PTE_PWT | PTE_PCD | PTE_PAT;
	pte_t each = ~(pte_t)0, any = 0;

#pragma GCC unroll 4
	for (unsigned i = 0; i < n; i++) {
		pte_t pte = arch_pte_read(&entry[i]);

		each &= pte;
		any |= pte;
	}
	return (each & wanted) == wanted && (any & other) == 0;
}

/* The first one is exchanged: of two CPUs that free the same range one finds it empty. */
static bool entries_clear(pte_t *entry, unsigned n)
{
	if (arch_pte_exchange(entry, 0) == 0)
		return false;
#pragma GCC unroll 4
	for (unsigned i = 1; i < n; i++)
		arch_pte_write(&entry[i], 0);
	return true;
}

/* The same for a range in more than one table: all of it is looked at before any is cleared. */
static __attribute__((noinline)) bool clear_wired_tables(pmap_t pmap, vm_offset_t start,
							 vm_offset_t end)
{
	unsigned here;

	for (vm_offset_t va = start; va < end; va += ptoa(here)) {
		const pte_t *entry = pmap_leaf_entry(pmap, va);

		here = in_table(va, (unsigned)atop(end - va));
		if (entry == NULL || !entries_wired(entry, here))
			return false;
	}
	for (vm_offset_t va = start; va < end; va += ptoa(here)) {
		here = in_table(va, (unsigned)atop(end - va));
		/* Beyond the first table only another free of other bounds can have been here. */
		if (!entries_clear(pmap_leaf_entry(pmap, va), here)) {
			CHECK_EQ(va, start);
			return false;
		}
	}
	return true;
}

/* Plain stores clear the rest: accessed and dirty are set, so no CPU writes there (PTE_LEAF_BITS).
 */
bool pmap_clear_wired(pmap_t pmap, vm_offset_t start, vm_offset_t end)
{
	unsigned npages = (unsigned)atop(end - start);
	pte_t *entry;

	CHECK(is_aligned(start | end, PAGE_SIZE) && VM_MIN_KERNEL_ADDRESS <= start && start <= end);
	if (unlikely(in_table(start, npages) < npages))
		return clear_wired_tables(pmap, start, end);
	entry = pmap_leaf_entry(pmap, start);
	if (entry == NULL || !entries_wired(entry, npages))
		return false;
	return entries_clear(entry, npages);
}
