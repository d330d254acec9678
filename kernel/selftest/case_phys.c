/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that cares where it is: in a range of physical addresses, or one run of them. */
#include "arch/cpu.h"
#include "kernel/pattern.h"
#include "kernel/selftest/selftest.h"
#include "vm/pmap.h"
#include "vm/vm_audit.h"
#include "vm/vm_kern.h"
#include "vm/vm_malloc_flags.h"
#include "vm/vm_phys.h"

enum { ATTR_PAGES = 5, ROUNDS = 4 };

/* The largest piece of RAM, which has free pages near both of its ends. */
static const struct vm_phys_segment *largest_segment(void)
{
	const struct vm_phys_segment *best = vm_phys_segment(0);

	for (unsigned i = 1; i < vm_phys_segment_count(); i++) {
		const struct vm_phys_segment *segment = vm_phys_segment(i);

		if (segment->end - segment->start > best->end - best->start)
			best = segment;
	}
	return best;
}

/* Written and zeroed memory; each page in [low, high). */
static void attr_between(vm_paddr_t low, vm_paddr_t high)
{
	const vm_size_t size = ptoa(ATTR_PAGES);
	vm_offset_t addr =
	    kmem_alloc_attr(kernel_map, size, M_WAITOK | M_ZERO, low, high, VM_MEMATTR_DEFAULT);

	SELFTEST_CHECK(addr != 0);
	for (vm_offset_t va = addr; va < addr + size; va += PAGE_SIZE) {
		vm_paddr_t pa = pmap_kextract(va);

		if (pa < low || pa >= high)
			selftest_fail("page %#lx is outside of %#lx-%#lx", (unsigned long)pa,
				      (unsigned long)low, (unsigned long)high);
		if (*(volatile uint64_t *)va != 0)
			selftest_fail("page %#lx is not zeroed", (unsigned long)pa);
	}
	pattern_fill(addr, size, addr);
	SELFTEST_CHECK(pattern_check(addr, size, addr) == 0);
	kmem_free(kernel_map, addr, size);
}

static void attr_on(unsigned index, unsigned count)
{
	const struct vm_phys_segment *segment = largest_segment();
	vm_paddr_t middle =
	    segment->start + trunc_page((segment->end - segment->start) / 4 * (index % 3 + 1));

	(void)count;
	for (unsigned round = 0; round < ROUNDS && !selftest_failed(); round++) {
		attr_between(middle, segment->end);
		attr_between(segment->start, middle);
		attr_between(0, UINT64_MAX);
	}
}

static void attr(void)
{
	selftest_parallel(attr_on);
	vm_audit(selftest_report);
}

struct run_request {
	vm_size_t pages, alignment, boundary;
};

static const struct run_request requests[] = {
    {1, PAGE_SIZE, 0},
    {3, PAGE_SIZE, PAGE_SIZE * 4},
    {8, PAGE_SIZE * 16, 0},
    {5, PAGE_SIZE * 4, PAGE_SIZE * 8},
    {16, PAGE_SIZE * 64, PAGE_SIZE * 64},
};

static void run_check(vm_offset_t addr, const struct run_request *request, vm_paddr_t low,
		      vm_paddr_t high)
{
	vm_paddr_t start = pmap_kextract(addr), end = start + ptoa(request->pages);

	SELFTEST_CHECK(start >= low && end <= high);
	SELFTEST_CHECK((start & (request->alignment - 1)) == 0);
	SELFTEST_CHECK(request->boundary == 0 ||
		       start / request->boundary == (end - 1) / request->boundary);
	for (unsigned i = 0; i < request->pages; i++)
		SELFTEST_CHECK(pmap_kextract(addr + ptoa(i)) == start + ptoa(i));
}

static void run_between(const struct run_request *request, vm_paddr_t low, vm_paddr_t high)
{
	const vm_size_t size = ptoa(request->pages);
	vm_offset_t addr =
	    kmem_alloc_contig(kernel_map, size, M_WAITOK | M_ZERO, low, high, request->alignment,
			      request->boundary, VM_MEMATTR_DEFAULT);

	SELFTEST_CHECK(addr != 0);
	run_check(addr, request, low, high);
	for (vm_offset_t va = addr; va < addr + size; va += sizeof(uint64_t))
		if (*(volatile uint64_t *)va != 0)
			selftest_fail("the run at %#lx is not zeroed", (unsigned long)addr);
	pattern_fill(addr, size, addr ^ arch_cpu_id());
	SELFTEST_CHECK(pattern_check(addr, size, addr ^ arch_cpu_id()) == 0);
	kmem_free(kernel_map, addr, size);
}

static void contig_on(unsigned index, unsigned count)
{
	const struct vm_phys_segment *segment = largest_segment();
	vm_paddr_t middle =
	    segment->start + trunc_page((segment->end - segment->start) / 4 * (index % 3 + 1));

	(void)count;
	for (unsigned i = 0; i < nitems(requests) * ROUNDS && !selftest_failed(); i++) {
		const struct run_request *request = &requests[(i + index) % nitems(requests)];

		run_between(request, 0, UINT64_MAX);
		run_between(request, middle, segment->end);
	}
}

static void contig(void)
{
	selftest_parallel(contig_on);
	vm_audit(selftest_report);
}

/* A run that is freed piece by piece. */
static void pieces(void)
{
	vm_offset_t addr = kmem_alloc_contig(kernel_map, ptoa(8), M_WAITOK, 0, UINT64_MAX,
					     PAGE_SIZE, 0, VM_MEMATTR_DEFAULT);

	SELFTEST_CHECK(addr != 0);
	pattern_fill(addr, ptoa(8), addr);
	kmem_free(kernel_map, addr + ptoa(2), ptoa(3));
	SELFTEST_CHECK(pattern_check(addr, ptoa(2), addr) == 0);
	kmem_free(kernel_map, addr, ptoa(2));
	kmem_free(kernel_map, addr + ptoa(5), ptoa(3));
	vm_audit(selftest_report);
}

static vm_offset_t contig_of(vm_size_t size, vm_paddr_t low, vm_paddr_t high, vm_size_t alignment,
			     vm_size_t boundary)
{
	return kmem_alloc_contig(kernel_map, size, M_NOWAIT, low, high, alignment, boundary,
				 VM_MEMATTR_DEFAULT);
}

static void impossible_check(void)
{
	const struct vm_phys_segment *last = vm_phys_segment(vm_phys_segment_count() - 1);

	SELFTEST_CHECK(contig_of(0, 0, UINT64_MAX, PAGE_SIZE, 0) == 0);
	SELFTEST_CHECK(contig_of(PAGE_SIZE, PAGE_SIZE, PAGE_SIZE, PAGE_SIZE, 0) == 0);
	SELFTEST_CHECK(contig_of(PAGE_SIZE, 0, UINT64_MAX, 3 * PAGE_SIZE, 0) == 0);
	SELFTEST_CHECK(contig_of(ptoa(2), 0, UINT64_MAX, PAGE_SIZE, PAGE_SIZE) == 0);
	SELFTEST_CHECK(contig_of(ptoa(2), 0, UINT64_MAX, PAGE_SIZE, 3 * PAGE_SIZE) == 0);
	SELFTEST_CHECK(contig_of(ptoa(2), last->end - PAGE_SIZE, last->end, PAGE_SIZE, 0) == 0);
	SELFTEST_CHECK(contig_of(PAGE_SIZE, last->end, UINT64_MAX, PAGE_SIZE, 0) == 0);
	SELFTEST_CHECK(kmem_alloc_attr(kernel_map, PAGE_SIZE, M_WAITOK, last->end, UINT64_MAX,
				       VM_MEMATTR_DEFAULT) == 0);
	SELFTEST_CHECK(
	    kmem_alloc_attr(kernel_map, PAGE_SIZE, M_NOWAIT, 0, UINT64_MAX, VM_MEMATTR_COUNT) == 0);
}

static void impossible(void)
{
	struct vm_accounting before, after;

	vm_accounting(&before);
	impossible_check();
	vm_accounting(&after);
	SELFTEST_CHECK(before.allocated == after.allocated);
	vm_audit(selftest_report);
}

const struct selftest_case selftest_phys[] = {
    {"phys.attr", attr},
    {"phys.contig", contig},
    {"phys.pieces", pieces},
    {"phys.impossible", impossible},
    {NULL, NULL},
};
