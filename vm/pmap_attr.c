/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory types of pages.
 *
 * A page that is mapped twice with different types is undefined behaviour of the machine (Intel SDM
 * vol. 3A 12.12.4), and every page is mapped once already: in the direct map. So a page's type is
 * changed there before it is mapped anywhere else, and changed back before the page is anybody
 * else's. The steps are those of the same section:
 *
 *	1  the pages' leaves in the direct map become not present
 *	2  every CPU forgets them: from here on nobody, not even by reading ahead, fills a cache
 *	3  the leaves come back with the new type; what was not present is not remembered anywhere
 *	4  the caches are flushed of what was filled before 2
 *
 * The direct map has large leaves. Those that reach into the range are split, down to 4 KiB, and
 * the whole range, not only its edges: afterwards any part of it can be given back alone without
 * memory, and giving back must not fail. While a CPU still holds a large translation and others
 * walk the new table, the two differ in nothing but pages being absent, and step 2 ends that.
 *
 * Small leaves of the direct map stay small. To merge them, the page size of addresses that others
 * are using would change once more, with a shootdown, and would gain one table that cannot even be
 * freed (a CPU may remember the way to it); memory of special types is likely to be asked for again
 * in the same place.
 *
 * A small leaf belongs to the page's owner, like the page. The pmap's lock guards splitting.
 */
#include "arch/physmap.h"
#include "lib/bits.h"
#include "lib/check.h"
#include "smp/call.h"
#include "smp/preempt.h"
#include "smp/shootdown.h"
#include "smp/smp.h"
#include "vm/pmap_private.h"
#include "vm/vm_object.h"

/* --- Splitting --- */

/* What maps part i of a large leaf, one level below it. */
static pte_t direct_part(pte_t large, unsigned level, unsigned i)
{
	if (level == 2)
		return pmap_large_part(large, i);
	return large +
	       i * MMU_LEVEL_SIZE(level - 1); /* large leaves of two sizes have one format */
}

/* Exchanges a large leaf for a table that says the same. The pmap is locked. */
static int direct_split_locked(pmap_t pmap, pte_t *entry, unsigned level)
{
	pte_t large = arch_pte_read(entry), *parts;
	vm_page_t table;

	table = pmap_table_alloc_locked(pmap, VM_ALLOC_SYSTEM);
	if (table == NULL)
		return KERN_RESOURCE_SHORTAGE;
	parts = pmap_table(VM_PAGE_TO_PHYS(table));
	for (unsigned i = 0; i < MMU_TABLE_ENTRIES; i++)
		arch_pte_write(&parts[i], direct_part(large, level, i));
	pmap_table_publish(entry, VM_PAGE_TO_PHYS(table));
	pmap->direct_tables++;
	pmap->demotions++;
	return KERN_SUCCESS;
}

/* One step down at va, or none. The lock is for one table, so that interrupts are off briefly. */
static int direct_step(pmap_t pmap, vm_offset_t va, unsigned *level)
{
	int rv = KERN_SUCCESS;
	pte_t *entry;

	spin_lock(&pmap->lock);
	entry = pmap_entry(pmap, va, level);
	if (*level > 1) {
		CHECK((arch_pte_read(entry) & PTE_PRESENT) != 0); /* all RAM is mapped */
		rv = direct_split_locked(pmap, entry, *level);
	}
	spin_unlock(&pmap->lock);
	return rv;
}

/* Gives every page of [start, end) a leaf of its own. */
static int direct_split(pmap_t pmap, vm_offset_t start, vm_offset_t end)
{
	unsigned level;

	for (vm_offset_t va = start; va < end; va = pmap_entry_end(va, 2, end)) {
		/* No lock: large leaves become tables, tables stay. */
		pmap_entry(pmap, va, &level);
		while (level > 1) {
			int rv = direct_step(pmap, va, &level);

			if (rv != KERN_SUCCESS)
				return rv;
		}
	}
	return KERN_SUCCESS;
}

/* --- Changing --- */

/* Step 1. The entries keep all but one bit, which is all that hardware looks at. */
static void direct_hide(pmap_t pmap, vm_offset_t start, vm_offset_t end)
{
	for (vm_offset_t va = start; va < end; va += PAGE_SIZE) {
		pte_t *entry = pmap_small_entry(pmap, va);
		pte_t leaf = arch_pte_read(entry);

		CHECK((leaf & PTE_PRESENT) != 0);
		arch_pte_exchange(entry, leaf & ~PTE_PRESENT);
	}
}

/* Step 3. */
static void direct_show(pmap_t pmap, vm_offset_t start, vm_offset_t end, vm_memattr_t attr)
{
	const pte_t mask = pte_attr_bits(VM_MEMATTR_MASK, 1);

	for (vm_offset_t va = start; va < end; va += PAGE_SIZE) {
		pte_t *entry = pmap_small_entry(pmap, va);
		pte_t leaf = arch_pte_read(entry) & ~mask;

		arch_pte_exchange(entry, leaf | pte_attr_bits(attr, 1) | PTE_PRESENT);
	}
}

static void flush_this_cpu(void *arg)
{
	(void)arg;
	arch_cache_flush_all();
}

/* Step 4. */
static void flush_caches(vm_paddr_t pa, vm_size_t size)
{
	struct cpuset all;

	if (arch_cache_flush(pa, size))
		return;
	smp_online_set(&all);
	smp_call(&all, flush_this_cpu, NULL);
}

/* Every page of the run has a small leaf. */
static void run_change(vm_page_t first, unsigned long npages, vm_memattr_t attr)
{
	vm_paddr_t pa = VM_PAGE_TO_PHYS(first);
	vm_offset_t start = PHYSMAP_BASE + pa, end = start + ptoa(npages);

	direct_hide(kernel_pmap, start, end);
	shootdown_range(start, end, SHOOTDOWN_MEMATTR);
	direct_show(kernel_pmap, start, end, attr);
	flush_caches(pa, ptoa(npages));
	for (unsigned long i = 0; i < npages; i++)
		first[i].memattr = attr;
}

/* --- Checks: a shootdown would find some of it, but after half of the work --- */

static void check_context(void)
{
	CHECK(!in_interrupt());
	CHECK_EQ(spin_held_count(), 0);
}

/* Kernel objects map a page where its index says, or nowhere: that much can be seen. */
static void check_page(vm_page_t m)
{
	vm_offset_t va = VM_MIN_KERNEL_ADDRESS + ptoa(m->pindex);

	CHECK_EQ(m->state, VM_PAGE_ALLOCATED);
	if (m->object == NULL || m->object->type != OBJT_PHYS)
		return;
	if (pmap_extract(kernel_pmap, va) == VM_PAGE_TO_PHYS(m))
		panic("pmap: page %#llx cannot change its memory type while it is mapped at %#llx",
		      (unsigned long long)VM_PAGE_TO_PHYS(m), (unsigned long long)va);
}

static void check_run(vm_page_t first, unsigned long npages)
{
	CHECK_LT(0, npages);
	for (unsigned long i = 0; i < npages; i++) {
		CHECK_EQ(VM_PAGE_TO_PHYS(first + i), VM_PAGE_TO_PHYS(first) + ptoa(i));
		check_page(first + i);
	}
}

/* How many pages from `first` on have the attribute, or, with !has, do not have it. */
static unsigned long count_pages(vm_page_t first, unsigned long npages, vm_memattr_t attr, bool has)
{
	unsigned long n = 0;

	while (n < npages && (first[n].memattr == attr) == has)
		n++;
	return n;
}

/* --- For callers --- */

int pmap_pages_set_memattr(vm_page_t first, unsigned long npages, vm_memattr_t attr)
{
	vm_offset_t start = PHYSMAP_BASE + VM_PAGE_TO_PHYS(first);
	int rv;

	if (attr >= VM_MEMATTR_COUNT)
		return KERN_INVALID_ARGUMENT;
	check_context();
	check_run(first, npages);
	if (count_pages(first, npages, attr, true) == npages)
		return KERN_SUCCESS;
	rv = direct_split(kernel_pmap, start, start + ptoa(npages));
	if (rv != KERN_SUCCESS)
		return rv;
	run_change(first, npages, attr);
	return KERN_SUCCESS;
}

int pmap_page_set_memattr(vm_page_t m, vm_memattr_t attr)
{
	return pmap_pages_set_memattr(m, 1, attr);
}

void pmap_pages_restore_memattr(vm_page_t first, unsigned long npages)
{
	check_context();
	check_run(first, npages);
	for (unsigned long i = 0; i < npages;) {
		unsigned long others;

		i += count_pages(first + i, npages - i, VM_MEMATTR_DEFAULT, true);
		others = count_pages(first + i, npages - i, VM_MEMATTR_DEFAULT, false);
		if (others != 0)
			run_change(first + i, others, VM_MEMATTR_DEFAULT);
		i += others;
	}
}

/* A run of the object's pages, consecutive in index and memory; its first index is in *index. */
static unsigned long object_run(vm_object_t object, vm_pindex_t *index, vm_pindex_t end,
				vm_page_t *first)
{
	unsigned long npages = 0;

	VM_OBJECT_WLOCK(object);
	*first = vm_radix_lookup_ge(&object->index, *index, index);
	if (*first != NULL)
		for (npages = 1; npages < end - *index; npages++) {
			vm_page_t next = vm_object_page_find(object, *index + npages);

			if (next == NULL ||
			    VM_PAGE_TO_PHYS(next) != VM_PAGE_TO_PHYS(*first) + ptoa(npages))
				break;
		}
	VM_OBJECT_WUNLOCK(object);
	return npages;
}

void pmap_object_restore_memattr(vm_object_t object, vm_pindex_t start, vm_pindex_t end)
{
	vm_pindex_t index = start;

	while (index < end) {
		vm_page_t first;
		unsigned long npages = object_run(object, &index, end, &first);

		if (npages == 0 || index >= end)
			return;
		pmap_pages_restore_memattr(first, npages);
		index += npages;
	}
}
