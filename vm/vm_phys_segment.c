/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Segments and descriptors: how they are built from the ranges of RAM, and found.
 */
#include "arch/bootinfo.h"
#include "lib/check.h"
#include "vm/vm_boot.h"
#include "vm/vm_page_internal.h"
#include "vm/vm_page_retire.h"
#include "vm/vm_phys_internal.h"

_Static_assert(sizeof(struct vm_page) == CACHE_LINE, "a descriptor fills one cache line");
_Static_assert(VM_PHYS_SEGMENTS_MAX - 1 <= UINT8_MAX, "vm_page.segment numbers all segments");
_Static_assert((int)BOOT_RANGES_MAX <= (int)VM_PHYS_SEGMENTS_MAX,
	       "every boot range can be a segment");

unsigned vm_phys_segment_count(void)
{
	return vm_phys_state.segment_count;
}

const struct vm_phys_segment *vm_phys_segment(unsigned index)
{
	CHECK_LT(index, vm_phys_state.segment_count);
	return &vm_phys_state.segments[index];
}

vm_page_t PHYS_TO_VM_PAGE(vm_paddr_t pa)
{
	unsigned from = 0, to = vm_phys_state.segment_count;

	while (from < to) {
		unsigned middle = (from + to) / 2;
		const struct vm_phys_segment *segment = &vm_phys_state.segments[middle];

		if (pa < segment->start)
			to = middle;
		else if (pa >= segment->end)
			from = middle + 1;
		else
			return vm_phys_segment_page(segment, pa);
	}
	return NULL;
}

/* Ranges that touch in one domain become one segment, so that blocks can join across the seam. */
static void segments_find(const struct boot_info *info)
{
	vm_phys_state.segment_count = 0;
	for (unsigned i = 0; i < info->range_count; i++) {
		const struct boot_range *range = &info->ranges[i];
		struct vm_phys_segment *segment =
		    &vm_phys_state.segments[vm_phys_state.segment_count];

		CHECK_LT(range->domain, vm_phys_state.domain_count);
		CHECK(range->start < range->end && ((range->start | range->end) & PAGE_MASK) == 0);
		if (vm_phys_state.segment_count > 0)
			CHECK_LE(segment[-1].end, range->start);
		if (vm_phys_state.segment_count > 0 && segment[-1].end == range->start &&
		    segment[-1].domain == range->domain) {
			segment[-1].end = range->end;
			continue;
		}
		*segment = (struct vm_phys_segment){range->start, range->end, range->domain, NULL};
		vm_phys_state.segment_count++;
	}
}

/* All descriptors start as VM_PAGE_BOOT; the ones handed over become free. */
static void descriptors_init(unsigned index)
{
	struct vm_phys_segment *segment = &vm_phys_state.segments[index];
	uint64_t npages = atop(segment->end - segment->start);

	segment->first = (vm_page_t)vm_boot_alloc(npages * sizeof(struct vm_page), CACHE_LINE,
						  "page descriptors");
	for (uint64_t i = 0; i < npages; i++) {
		vm_page_t m = &segment->first[i];

		m->phys_addr = segment->start + ptoa(i);
		m->state = VM_PAGE_BOOT;
		m->order = VM_PAGE_NO_ORDER;
		m->domain = (uint8_t)segment->domain;
		m->segment = (uint8_t)index;
		m->memattr = VM_MEMATTR_DEFAULT;
	}
	vm_phys_state.domains[segment->domain].total_pages += npages;
}

static void domain_init(struct vm_phys_domain *d)
{
	spin_init(&d->lock, "free pages", LOCK_RANK_FREE_PAGES, 0);
	for (unsigned order = 0; order < VM_PHYS_ORDERS; order++) {
		TAILQ_INIT(&d->free[order]);
		d->blocks[order] = 0;
	}
	d->nonempty = 0;
	d->total_pages = 0;
	atomic64_store(&d->free_pages, 0, MO_RELAXED);
}

static void range_arrives(vm_paddr_t start, vm_paddr_t end, unsigned domain)
{
	(void)domain;
	vm_phys_free_contig(PHYS_TO_VM_PAGE(start), atop(end - start));
}

void vm_phys_init(void)
{
	const struct boot_info *info = arch_boot_info();
	uint64_t total = 0;

	vm_page_retire_init();
	CHECK(info->domain_count >= 1 && info->domain_count <= MAXMEMDOM);
	vm_phys_state.domain_count = info->domain_count;
	atomic64_store(&vm_phys_state.free_total, 0, MO_RELAXED);
	for (unsigned i = 0; i < vm_phys_state.domain_count; i++)
		domain_init(&vm_phys_state.domains[i]);
	segments_find(info);
	for (unsigned i = 0; i < vm_phys_state.segment_count; i++)
		descriptors_init(i);
	vm_boot_hand_over(range_arrives);
	for (unsigned i = 0; i < vm_phys_state.domain_count; i++)
		total += vm_phys_state.domains[i].total_pages;
	vm_page_limits_init(total);
}
