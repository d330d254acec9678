/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * No CPU sees through an old translation. Every CPU loads from a page, so that its TLB holds the
 * translation; one CPU takes the mapping away and puts another page at the same address; every
 * CPU loads again. Real loads only: what they return is the proof. The old page is kept, with
 * contents that give it away.
 */
#include "arch/physmap.h"
#include "kernel/fault_probe.h"
#include "kernel/selftest/selftest.h"
#include "smp/smp.h"
#include "vm/pmap.h"
#include "vm/vm_kern.h"
#include "vm/vm_kern_quarantine.h"
#include "vm/vm_page.h"

enum { ROUNDS = 12, TRIES = 64, LOADS = 4 };

#define OLD   UINT64_C(0x01d01d01d01d01d0)
#define NEW   UINT64_C(0x4e774e774e774e77)
#define STALE UINT64_C(0x57a1e57a1e57a1e5)

/* Written by the CPU whose round it is, read by all behind a barrier. */
static vm_offset_t shared_va;

static uint64_t load(vm_offset_t va)
{
	return *(volatile uint64_t *)va;
}

static void store(vm_offset_t va, uint64_t value)
{
	*(volatile uint64_t *)va = value;
}

static void expect(vm_offset_t va, uint64_t wanted)
{
	for (unsigned i = 0; i < LOADS; i++) {
		uint64_t seen = load(va);

		if (seen == wanted)
			continue;
		selftest_fail("cpu %u reads %#lx at %#lx instead of %#lx%s", arch_cpu_id(),
			      (unsigned long)seen, (unsigned long)va, (unsigned long)wanted,
			      seen == STALE ? ": through a stale translation" : "");
		return;
	}
}

static vm_page_t page_alloc(void)
{
	return vm_page_alloc(NULL, 0, VM_ALLOC_NORMAL | VM_ALLOC_NOOBJ | VM_ALLOC_WIRED);
}

static void page_free(vm_page_t page)
{
	vm_page_unwire(page);
	vm_page_free(page);
}

/* Pages taken so that the one at old_pa is among them and is given to nobody else. */
static unsigned pages_hold(vm_page_t *held, vm_paddr_t old_pa)
{
	unsigned n = 0;

	while (n < TRIES) {
		vm_page_t page = page_alloc();

		if (page == NULL)
			break;
		held[n++] = page;
		if (VM_PAGE_TO_PHYS(page) == old_pa) {
			*(volatile uint64_t *)arch_physmap(old_pa) = STALE;
			break;
		}
	}
	return n;
}

/* Allocates until the address is `va`; the others are freed again. */
static bool kmem_alloc_at(vm_offset_t va)
{
	vm_offset_t others[TRIES];
	unsigned n = 0;
	bool found = false;

	while (n < TRIES && !found) {
		vm_offset_t addr = kmem_alloc(kernel_map, PAGE_SIZE);

		if (addr == 0)
			break;
		found = addr == va;
		if (!found)
			others[n++] = addr;
	}
	while (n-- > 0)
		kmem_free(kernel_map, others[n], PAGE_SIZE);
	return found;
}

/* Of the CPU whose round it is: the old page is not let go before all have looked. */
static vm_page_t held[TRIES];
static unsigned held_count;

static void reuse_replace(vm_offset_t va)
{
	vm_paddr_t old_pa = pmap_kextract(va);

	kmem_free(kernel_map, va, PAGE_SIZE);
	(void)kmem_quarantine_flush(); /* page and address are wanted again now */
	held_count = pages_hold(held, old_pa);
	if (!kmem_alloc_at(va))
		selftest_fail("no allocation came back to %#lx", (unsigned long)va);
	else if (pmap_kextract(va) == old_pa)
		selftest_fail("the page at %#lx is the same as before", (unsigned long)va);
	else
		store(va, NEW);
}

static void reuse_end(vm_offset_t va)
{
	while (held_count > 0)
		page_free(held[--held_count]);
	kmem_free(kernel_map, va, PAGE_SIZE);
}

static void reuse_round(bool mine)
{
	vm_offset_t va;

	if (mine) {
		shared_va = kmem_alloc(kernel_map, PAGE_SIZE);
		SELFTEST_CHECK(shared_va != 0);
		store(shared_va, OLD);
	}
	if (!selftest_barrier())
		return;
	va = shared_va; /* after the last barrier the next round may begin elsewhere */
	expect(va, OLD);
	if (!selftest_barrier())
		return;
	if (mine)
		reuse_replace(va);
	if (!selftest_barrier())
		return;
	expect(va, NEW);
	if (selftest_barrier() && mine)
		reuse_end(va);
}

/* Each CPU in turn takes the mapping away. */
static void reuse_on(unsigned index, unsigned count)
{
	for (unsigned round = 0; round < ROUNDS + count && !selftest_failed(); round++)
		reuse_round(round % count == index);
}

static void reuse(void)
{
	selftest_parallel(reuse_on);
}

/* The same where a caller maps pages by himself. */
static struct {
	vm_offset_t va;
	vm_page_t pages[2];
} window;

static void window_round(bool mine, unsigned which)
{
	if (mine) {
		pmap_qremove(window.va, 1);
		pmap_qenter(window.va, &window.pages[which], 1);
	}
	if (!selftest_barrier())
		return;
	expect(window.va, which == 0 ? OLD : NEW);
	(void)selftest_barrier();
}

static void window_on(unsigned index, unsigned count)
{
	for (unsigned round = 0; round < ROUNDS + count && !selftest_failed(); round++)
		window_round(round % count == index, (round + 1) % 2);
}

static void window_prepare(void)
{
	store((vm_offset_t)arch_physmap(VM_PAGE_TO_PHYS(window.pages[0])), OLD);
	store((vm_offset_t)arch_physmap(VM_PAGE_TO_PHYS(window.pages[1])), NEW);
	pmap_qenter(window.va, &window.pages[0], 1);
}

static void qremove(void)
{
	window.va = kmem_alloc_nofault(kernel_map, PAGE_SIZE);
	window.pages[0] = page_alloc();
	window.pages[1] = page_alloc();
	if (window.va == 0 || window.pages[0] == NULL || window.pages[1] == NULL) {
		selftest_fail("no memory");
	} else {
		window_prepare();
		selftest_parallel(window_on);
		pmap_qremove(window.va, 1);
	}
	for (unsigned i = 0; i < nitems(window.pages); i++)
		if (window.pages[i] != NULL)
			page_free(window.pages[i]);
	kmem_free(kernel_map, window.va, window.va != 0 ? PAGE_SIZE : 0);
}

static void protect_set(vm_prot_t prot)
{
	if (pmap_protect(kernel_pmap, shared_va, shared_va + PAGE_SIZE, prot) != KERN_SUCCESS)
		selftest_fail("the protection cannot be changed");
}

/* Every CPU has written before; after the right is taken away, no CPU can any more. */
static void protect_on(unsigned index, unsigned count)
{
	char why[FAULT_WHY_MAX];

	(void)count;
	SELFTEST_CHECK(fault_probe(shared_va, FAULT_WRITE, why));
	if (!selftest_barrier())
		return;
	if (index == 0)
		protect_set(VM_PROT_READ);
	if (!selftest_barrier())
		return;
	SELFTEST_CHECK(fault_probe(shared_va, FAULT_READ, why));
	SELFTEST_CHECK(!fault_probe(shared_va, FAULT_WRITE, why));
	if (!selftest_barrier())
		return;
	if (index == 0)
		protect_set(VM_PROT_RW);
	if (!selftest_barrier())
		return;
	SELFTEST_CHECK(fault_probe(shared_va, FAULT_WRITE, why));
}

static void protect(void)
{
	shared_va = kmem_alloc(kernel_map, PAGE_SIZE);
	SELFTEST_CHECK(shared_va != 0);
	selftest_parallel(protect_on);
	kmem_free(kernel_map, shared_va, PAGE_SIZE);
}

const struct selftest_case selftest_tlb[] = {
    {"tlb.reuse", reuse},
    {"tlb.qremove", qremove},
    {"tlb.protect", protect},
    {NULL, NULL},
};
