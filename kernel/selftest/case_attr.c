/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory types. Each attribute stands in every mapping of a page, the direct map included, all
 * CPUs read and write through it, and a page that is free has the default again.
 */
#include "kernel/selftest/selftest.h"
#include "smp/smp.h"
#include "vm/pmap.h"
#include "vm/vm_kern.h"
#include "vm/vm_malloc_flags.h"
#include "vm/vm_page.h"

enum { FLIPS = 8, KMEM_PAGES = 5 };

/* Written by the shell's thread while no other runs. */
static vm_page_t shared_page;
static vm_offset_t shared_va;

static vm_offset_t direct(vm_page_t m)
{
	return PHYSMAP_BASE + VM_PAGE_TO_PHYS(m);
}

static vm_page_t page_alloc(void)
{
	return vm_page_alloc(NULL, 0, VM_ALLOC_NORMAL | VM_ALLOC_NOOBJ | VM_ALLOC_WIRED);
}

static void page_free(vm_page_t m)
{
	vm_page_unwire(m);
	vm_page_free(m);
}

/* Does the leaf at va, of whatever size, have the attribute? */
static bool leaf_has(vm_offset_t va, vm_memattr_t attr)
{
	const pte_t mask_small = pte_attr_bits(VM_MEMATTR_MASK, 1);
	const pte_t mask_large = pte_attr_bits(VM_MEMATTR_MASK, 2);
	unsigned level;
	pte_t leaf = pmap_leaf(kernel_pmap, va, &level);

	return leaf != 0 &&
	       (leaf & (level == 1 ? mask_small : mask_large)) == pte_attr_bits(attr, level);
}

/* Each CPU has a word of the page: written by one mapping, read by the other, then next door. */
static void touch_on(unsigned index, unsigned count)
{
	volatile uint64_t *mapped = (volatile uint64_t *)shared_va;
	volatile uint64_t *aliased = (volatile uint64_t *)direct(shared_page);
	unsigned next = (index + 1) % count;

	mapped[index] = index + 1;
	/* The barrier's locked instructions empty write-combining buffers (SDM vol. 3A 12.3.1). */
	if (!selftest_barrier())
		return;
	SELFTEST_CHECK(aliased[next] == next + 1);
	if (!selftest_barrier())
		return;
	aliased[index] = ~(uint64_t)index;
	if (!selftest_barrier())
		return;
	SELFTEST_CHECK(mapped[next] == ~(uint64_t)next);
}

/* So that every TLB has something to forget. */
static void load_direct_on(unsigned index, unsigned count)
{
	(void)index;
	(void)count;
	(void)*(volatile uint64_t *)direct(shared_page);
}

static void type_mapped(vm_memattr_t attr)
{
	pmap_qenter(shared_va, &shared_page, 1);
	SELFTEST_CHECK(leaf_has(shared_va, attr));
	SELFTEST_CHECK(leaf_has(direct(shared_page), attr));
	SELFTEST_CHECK(*(volatile uint64_t *)shared_va == attr + UINT64_C(42));
	selftest_parallel(touch_on);
	pmap_qremove(shared_va, 1);
}

static void type_try(vm_memattr_t attr)
{
	shared_page = page_alloc();
	SELFTEST_CHECK(shared_page != NULL);
	*(volatile uint64_t *)direct(shared_page) = attr + UINT64_C(42);
	selftest_parallel(load_direct_on);
	SELFTEST_CHECK(pmap_page_set_memattr(shared_page, attr) == KERN_SUCCESS);
	type_mapped(attr);
	page_free(shared_page);
	SELFTEST_CHECK(leaf_has(direct(shared_page), VM_MEMATTR_DEFAULT));
}

static void types(void)
{
	shared_va = kmem_alloc_nofault(kernel_map, PAGE_SIZE);
	SELFTEST_CHECK(shared_va != 0);
	for (vm_memattr_t attr = 0; attr < VM_MEMATTR_COUNT && !selftest_failed(); attr++)
		type_try(attr);
	kmem_free(kernel_map, shared_va, PAGE_SIZE);
}

/* Pages of one large page of the direct map, each CPU's own, change at the same time. */
static void flip_on(unsigned index, unsigned count)
{
	vm_page_t own = shared_page + index;
	volatile uint64_t *word = (volatile uint64_t *)direct(own);

	(void)count;
	for (unsigned i = 0; i < FLIPS && !selftest_failed(); i++) {
		*word = i;
		SELFTEST_CHECK(pmap_page_set_memattr(own, VM_MEMATTR_UNCACHEABLE) == KERN_SUCCESS);
		SELFTEST_CHECK(*word == i);
		*word = ~(uint64_t)i;
		pmap_pages_restore_memattr(own, 1);
		SELFTEST_CHECK(*word == ~(uint64_t)i);
	}
}

static vm_page_t run_alloc(unsigned npages, vm_size_t alignment)
{
	return vm_page_alloc_contig(NULL, 0, VM_ALLOC_NORMAL | VM_ALLOC_NOOBJ | VM_ALLOC_WIRED,
				    npages, 0, UINT64_MAX, alignment, 0, VM_MEMATTR_DEFAULT);
}

static void neighbours(void)
{
	unsigned count = smp_online_count();

	/* What begins at a multiple of 2 MiB is likely to be in a large page still. */
	shared_page = run_alloc(count, SUPERPAGE_SIZE);
	if (shared_page == NULL)
		shared_page = run_alloc(count, PAGE_SIZE);
	SELFTEST_CHECK(shared_page != NULL);
	selftest_parallel(flip_on);
	for (unsigned i = 0; i < count; i++)
		page_free(shared_page + i);
}

/* The pages are looked up while they are mapped: afterwards they are somebody else's. */
static void kmem_check(vm_offset_t addr, vm_paddr_t *frames)
{
	for (unsigned i = 0; i < KMEM_PAGES; i++) {
		frames[i] = pmap_kextract(addr + ptoa(i));
		SELFTEST_CHECK(leaf_has(addr + ptoa(i), VM_MEMATTR_WRITE_COMBINING));
		SELFTEST_CHECK(leaf_has(PHYSMAP_BASE + frames[i], VM_MEMATTR_WRITE_COMBINING));
		SELFTEST_CHECK(*(volatile uint64_t *)(addr + ptoa(i)) == 0);
		*(volatile uint64_t *)(addr + ptoa(i)) = i;
	}
}

static void kmem(void)
{
	vm_paddr_t frames[KMEM_PAGES] = {0};
	vm_offset_t addr = kmem_alloc_attr(kernel_map, ptoa(KMEM_PAGES), M_WAITOK | M_ZERO, 0,
					   UINT64_MAX, VM_MEMATTR_WRITE_COMBINING);

	SELFTEST_CHECK(addr != 0);
	kmem_check(addr, frames);
	kmem_free(kernel_map, addr, ptoa(KMEM_PAGES));
	for (unsigned i = 0; i < KMEM_PAGES && !selftest_failed(); i++)
		SELFTEST_CHECK(leaf_has(PHYSMAP_BASE + frames[i], VM_MEMATTR_DEFAULT));
}

const struct selftest_case selftest_attr[] = {
    {"attr.types", types},
    {"attr.neighbours", neighbours},
    {"attr.kmem", kmem},
    {NULL, NULL},
};
