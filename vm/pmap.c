/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's page table.
 *
 * 1. Purpose. Says for each kernel address which page is there and what may be done with it, and
 *    takes that back in such a way that no CPU goes on using it.
 *
 * 2. Vocabulary. A table has 512 entries; an entry is empty, leads to a table of the level below,
 *    or is a leaf: it maps a page (level 1, a small leaf) or 2 MiB (level 2, a large leaf). A range
 *    is grown when each of its pages has a table at level 1. A table is kept when a large leaf
 *    stands in its place.
 *
 * 3. Invariants.
 *    - A table, once there, stays a table for ever. It may lie kept behind a large leaf, and then
 *      maps the same pages with the same rights: a CPU that remembers the way to it (Intel SDM
 *      vol. 3A 4.10.3) sees the same thing as one that walks anew.
 *    - No leaf is both writable and executable; all leaves are global and for the kernel only.
 *    - Before memory that was mapped is reused, or rights that were taken away are relied on, every
 *      CPU has been made to forget (smp/shootdown.c). Unmapped to mapped, or more rights than
 *      before, need no shootdown: nothing that is not present is remembered (4.10.2.3), and one who
 *      remembers fewer rights faults, forgets and tries again (4.10.4.3).
 *
 * 4. Locking. A leaf belongs to whoever owns its range of addresses. The lock guards what several
 *    owners share: adding tables, exchanging a table and a large leaf, the counts. It is never held
 *    during a shootdown.
 *
 * 5. Failure. Only a new table can fail. What changes a mapping makes sure of the tables first, so
 *    that it fails with nothing changed or not at all.
 *
 * 6. Rejected. Taking a table away when a large leaf comes, and making one when it is split: it
 *    would need a shootdown to map, which callers with a lock held cannot do, and memory to unmap,
 *    which is when there is none. A kept table costs 4 KiB for each 2 MiB.
 */
#include "vm/pmap.h"

#include "arch/physmap.h"
#include "lib/bits.h"
#include "lib/check.h"
#include "smp/shootdown.h"
#include "vm/pmap_pageable.h"
#include "vm/pmap_private.h"

struct pmap kernel_pmap_store;

void pmap_init(void)
{
	struct pmap *pmap = kernel_pmap;

	*pmap = (struct pmap){.root = arch_mmu_kernel_root()};
	spin_init(&pmap->lock, "kernel pmap", LOCK_RANK_PMAP, 0);
	pmap_large_init();
}

bool pmap_prot_allowed(vm_prot_t prot)
{
	return !((prot & VM_PROT_WRITE) && (prot & VM_PROT_EXECUTE));
}

pte_t pmap_rights(vm_prot_t prot)
{
	pte_t rights = 0;

	if (prot & VM_PROT_WRITE)
		rights |= PTE_WRITE;
	if (!(prot & VM_PROT_EXECUTE))
		rights |= PTE_NX;
	return rights;
}

static pte_t small_leaf(vm_page_t m, vm_prot_t prot, bool wired)
{
	return VM_PAGE_TO_PHYS(m) | PTE_LEAF_BITS | pmap_rights(prot) |
	       pte_attr_bits(m->memattr, 1) | (wired ? PTE_WIRED : 0);
}

/* Does `now` allow less than `before`? */
static bool rights_removed(pte_t before, pte_t now)
{
	return ((before & ~now) & PTE_WRITE) || ((now & ~before) & PTE_NX);
}

/*
 * The page that stands at va is entered again. Only more rights may come of it, because taking
 * rights needs a shootdown, which our caller may not be able to do. What hardware may set in the
 * entry meanwhile is set in `now`, as in every leaf of PTE_LEAF_BITS.
 */
static void reenter(pte_t *entry, vm_offset_t va, pte_t before, pte_t now)
{
	const pte_t may_change = PTE_RIGHTS | PTE_WIRED | PTE_ACCESSED | PTE_DIRTY;

	if ((before & ~may_change) != (now & ~may_change) || rights_removed(before, now))
		panic("pmap: %#llx is mapped (entry %#llx), it cannot become %#llx",
		      (unsigned long long)va, (unsigned long long)before, (unsigned long long)now);
	if (before == now)
		return;
	arch_pte_write(entry, now);
	arch_tlb_invalidate_page(va); /* saves this CPU the fault; others take it if they must */
}

int pmap_enter(pmap_t pmap, vm_offset_t va, vm_prot_t access, vm_page_t m, vm_prot_t prot,
	       bool wired)
{
	pte_t *entry, before, now;
	int rv;

	CHECK(is_aligned(va, PAGE_SIZE));
	CHECK(prot != VM_PROT_NONE && (access & ~prot) == 0);
	if (!pmap_prot_allowed(prot))
		return KERN_PROTECTION_FAILURE;
	rv = pmap_grow_to(pmap, va, 1);
	if (rv != KERN_SUCCESS)
		return rv;

	entry = pmap_small_entry(pmap, va);
	before = arch_pte_read(entry);
	now = small_leaf(m, prot, wired);
	if (before & PTE_PRESENT)
		reenter(entry, va, before, now);
	else
		arch_pte_write(entry, now);
	return KERN_SUCCESS;
}

void pmap_qenter(vm_offset_t va, vm_page_t *pages, unsigned count)
{
	CHECK(is_aligned(va, PAGE_SIZE));
	for (unsigned i = 0; i < count; i++)
		arch_pte_write(pmap_small_entry(kernel_pmap, va + ptoa(i)),
			       small_leaf(pages[i], VM_PROT_RW, false));
}

/* What a change of leaves must make the CPUs forget: from the first to the last that mattered. */
struct stale {
	vm_offset_t start, end; /* empty when equal */
};

static void stale_add(struct stale *stale, vm_offset_t va, vm_size_t size)
{
	if (stale->start == stale->end)
		stale->start = va;
	stale->end = va + size;
}

static void stale_forget(const struct stale *stale, enum shootdown_reason reason)
{
	if (stale->start != stale->end)
		shootdown_range(stale->start, stale->end, reason);
}

/* Empties the entries from va to stop, which lie in one leaf table, the first one at `entry`. */
static void clear_table(pte_t *entry, vm_offset_t va, vm_offset_t stop, struct stale *stale)
{
	for (; va < stop; va += PAGE_SIZE, entry++) {
		if (!(arch_pte_read(entry) & PTE_PRESENT))
			continue;
		arch_pte_exchange(entry, 0);
		stale_add(stale, va, PAGE_SIZE);
	}
}

/* Empties [start, end), where no large leaf sticks out. */
static struct stale clear_range(pmap_t pmap, vm_offset_t start, vm_offset_t end)
{
	struct stale stale = {0, 0};
	vm_offset_t stop;

	for (vm_offset_t va = start; va < end; va = stop) {
		unsigned level;
		pte_t *entry = pmap_entry(pmap, va, &level);

		stop = pmap_entry_end(va, level == 1 ? 2 : level, end);
		if (level == 1) {
			clear_table(entry, va, stop, &stale);
		} else if (arch_pte_read(entry) & PTE_PRESENT) {
			pmap_large_clear(pmap, va);
			stale_add(&stale, va, MMU_LEVEL_SIZE(level));
		}
	}
	return stale;
}

void pmap_qremove(vm_offset_t va, unsigned count)
{
	struct stale stale;

	CHECK(is_aligned(va, PAGE_SIZE));
	stale = clear_range(kernel_pmap, va, va + ptoa(count));
	stale_forget(&stale, SHOOTDOWN_QREMOVE);
}

static void check_range(vm_offset_t start, vm_offset_t end)
{
	CHECK(is_aligned(start, PAGE_SIZE) && is_aligned(end, PAGE_SIZE));
	CHECK_LE(VM_MIN_KERNEL_ADDRESS, start);
	CHECK_LE(start, end);
}

static int split_at_edges(pmap_t pmap, vm_offset_t start, vm_offset_t end)
{
	int rv;

	if (start == end)
		return KERN_SUCCESS;
	rv = pmap_split_at(pmap, start);
	return rv == KERN_SUCCESS ? pmap_split_at(pmap, end) : rv;
}

int pmap_remove(pmap_t pmap, vm_offset_t start, vm_offset_t end)
{
	struct stale stale;
	int rv;

	check_range(start, end);
	/* What waited until all had forgotten it comes here empty: nobody is asked again. */
	if (pmap_is_empty(pmap, start, end))
		return KERN_SUCCESS;
	rv = split_at_edges(pmap, start, end);
	if (rv != KERN_SUCCESS)
		return rv;
	stale = clear_range(pmap, start, end);
	stale_forget(&stale, SHOOTDOWN_FREE);
	return KERN_SUCCESS;
}

/* Gives what is mapped in [start, end) these rights; returns where some were taken away. */
static struct stale protect_range(pmap_t pmap, vm_offset_t start, vm_offset_t end, pte_t rights)
{
	struct stale stale = {0, 0};
	unsigned level;

	for (vm_offset_t va = start; va < end; va = pmap_entry_end(va, level, end)) {
		pte_t *entry = pmap_entry(pmap, va, &level);
		pte_t before = arch_pte_read(entry);
		pte_t now = (before & ~PTE_RIGHTS) | rights;

		if (!(before & PTE_PRESENT) || before == now)
			continue;
		if (level == 1)
			pmap_change_leaf(entry, now);
		else
			pmap_large_protect(pmap, va, rights);
		if (rights_removed(before, now))
			stale_add(&stale, va, MMU_LEVEL_SIZE(level));
		else
			arch_tlb_invalidate_page(va);
	}
	return stale;
}

int pmap_protect(pmap_t pmap, vm_offset_t start, vm_offset_t end, vm_prot_t prot)
{
	struct stale stale;
	int rv;

	check_range(start, end);
	if (!pmap_prot_allowed(prot))
		return KERN_PROTECTION_FAILURE;
	if (prot == VM_PROT_NONE) /* the kernel's pages have no way to be present but unreadable */
		return pmap_remove(pmap, start, end);
	rv = split_at_edges(pmap, start, end);
	if (rv != KERN_SUCCESS)
		return rv;
	stale = protect_range(pmap, start, end, pmap_rights(prot));
	stale_forget(&stale, SHOOTDOWN_PROTECT);
	return KERN_SUCCESS;
}

void pmap_zero_page(vm_page_t m)
{
	arch_page_zero(VM_PAGE_TO_PHYS(m));
}
