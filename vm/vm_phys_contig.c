/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Contiguous runs.
 *
 * First the free blocks that could hold the run alone, lowest address first: quick, and enough as
 * long as memory is not fragmented. Then a walk over the descriptors, upwards, which finds runs
 * that neighbouring blocks form together. Both take exactly the run and leave the rest on the
 * lists.
 */
#include "lib/bits.h"
#include "lib/check.h"
#include "vm/vm_pageout_internal.h"
#include "vm/vm_phys_internal.h"

enum {
	/* Blocks looked at under one hold of the lock; the walk finds what is left out. */
	CONTIG_BLOCKS_MAX = 1024,
	/* Taken pages passed by the walk under one hold: some 10 us at a cache miss for each. */
	CONTIG_STEPS_MAX = 256,
};

/* What the caller wants, in bytes. */
struct run_spec {
	vm_size_t size;
	vm_paddr_t low, high;
	vm_size_t alignment, boundary;
};

static bool run_spec_init(struct run_spec *spec, unsigned long npages, vm_paddr_t low,
			  vm_paddr_t high, vm_size_t alignment, vm_size_t boundary)
{
	if (npages == 0 || low >= high || npages > atop(high - low))
		return false;
	if (!is_pow2(alignment) || (boundary != 0 && !is_pow2(boundary)))
		return false;
	*spec = (struct run_spec){ptoa(npages), low, high, alignment, boundary};
	if (alignment < PAGE_SIZE)
		spec->alignment = PAGE_SIZE;
	return boundary == 0 || boundary >= spec->size;
}

/* The lowest place for the run in [from, to). */
static bool run_fit(const struct run_spec *spec, vm_paddr_t from, vm_paddr_t to, vm_paddr_t *start)
{
	vm_paddr_t at = from > spec->low ? from : spec->low;
	vm_paddr_t end = to < spec->high ? to : spec->high;

	if (!align_up_checked(at, spec->alignment, &at) || at >= end || end - at < spec->size)
		return false;
	if (spec->boundary != 0) {
		vm_paddr_t multiple = align_down(at + spec->size - 1, spec->boundary);

		/*
		 * The run would cross this one; there is only one, as the run is no larger than
		 * the boundary. It is aligned: were the alignment the larger of the two powers,
		 * `at` would be a multiple itself and nothing above it could be crossed.
		 */
		if (multiple > at)
			at = multiple;
		if (end - at < spec->size)
			return false;
	}
	*start = at;
	return true;
}

/* --- Searching; lock held --- */

static bool find_in_blocks(struct vm_phys_domain *d, const struct run_spec *spec, vm_paddr_t *start)
{
	unsigned budget = CONTIG_BLOCKS_MAX;
	bool found = false;
	vm_paddr_t at;
	vm_page_t m;

	for (unsigned order = ilog2_up(atop(spec->size)); order < VM_PHYS_ORDERS; order++) {
		TAILQ_FOREACH (m, &d->free[order], link) {
			vm_paddr_t end = m->phys_addr + vm_phys_order_size(order);

			if (budget-- == 0)
				return found;
			if (run_fit(spec, m->phys_addr, end, &at) && (!found || at < *start)) {
				*start = at;
				found = true;
			}
		}
	}
	return found;
}

/* The start of the free block that pa lies in, or pa itself when it is in none. */
static vm_paddr_t block_floor(const struct vm_phys_segment *segment, vm_paddr_t pa)
{
	for (unsigned order = 0; order < VM_PHYS_ORDERS; order++) {
		vm_paddr_t head = align_down(pa, vm_phys_order_size(order));

		if (head < segment->start)
			break;
		if (vm_phys_segment_page(segment, head)->order == order)
			return head;
	}
	return pa;
}

/*
 * Drops the lock now and then, and always between free extents, never within one: an extent is
 * short in blocks, because neighbours that can be joined have been.
 */
static bool find_in_segment(struct vm_phys_domain *d, const struct vm_phys_segment *segment,
			    const struct run_spec *spec, vm_paddr_t *start)
{
	vm_paddr_t low = trunc_page(spec->low);
	vm_paddr_t pa = block_floor(segment, low > segment->start ? low : segment->start);
	vm_paddr_t end = spec->high < segment->end ? spec->high : segment->end;
	vm_paddr_t extent = pa;
	unsigned steps = 0;

	while (pa < end) {
		vm_page_t m = vm_phys_segment_page(segment, pa);

		if (m->order != VM_PAGE_NO_ORDER) {
			pa += vm_phys_order_size(m->order);
			if (run_fit(spec, extent, pa, start))
				return true;
			continue;
		}
		pa += PAGE_SIZE;
		if (++steps == CONTIG_STEPS_MAX && pa < end) {
			steps = 0;
			spin_unlock(&d->lock);
			spin_lock(&d->lock);
			pa = block_floor(segment, pa); /* blocks may have been joined meanwhile */
		}
		extent = pa;
	}
	return false;
}

static bool find_in_domain(struct vm_phys_domain *d, unsigned domain, const struct run_spec *spec,
			   vm_paddr_t *start)
{
	if (find_in_blocks(d, spec, start))
		return true;
	for (unsigned i = 0; i < vm_phys_segment_count(); i++) {
		const struct vm_phys_segment *segment = vm_phys_segment(i);

		if (segment->domain != domain || segment->start >= spec->high ||
		    segment->end <= spec->low)
			continue;
		if (find_in_segment(d, segment, spec, start))
			return true;
	}
	return false;
}

/* --- Taking --- */

/* Takes [start, end), all free, off the lists; what its blocks hold besides goes back to them. */
static void run_remove(struct vm_phys_domain *d, vm_paddr_t start, vm_paddr_t end)
{
	const struct vm_phys_segment *segment = vm_phys_segment(PHYS_TO_VM_PAGE(start)->segment);
	vm_paddr_t pa = block_floor(segment, start);

	while (pa < end) {
		vm_page_t m = vm_phys_segment_page(segment, pa);
		vm_paddr_t next = pa + vm_phys_order_size(m->order);

		vm_phys_block_remove(d, m);
		if (pa < start)
			vm_phys_range_insert(d, m, atop(start - pa));
		if (next > end)
			vm_phys_range_insert(d, vm_phys_segment_page(segment, end),
					     atop(next - end));
		pa = next;
	}
}

static vm_page_t domain_alloc(unsigned domain, const struct run_spec *spec, uint64_t floor)
{
	struct vm_phys_domain *d = vm_phys_domain_of(domain);
	uint64_t npages = atop(spec->size);
	vm_page_t m = NULL;
	vm_paddr_t start;

	if (atomic64_load(&d->free_pages, MO_RELAXED) < npages)
		return NULL;
	spin_lock(&d->lock);
	if (find_in_domain(d, domain, spec, &start) && vm_phys_claim(d, npages, floor, true)) {
		run_remove(d, start, start + spec->size);
		m = PHYS_TO_VM_PAGE(start);
		vm_phys_mark_allocated(m, npages);
	}
	spin_unlock(&d->lock);
	vm_watermarks_check(domain);
	return m;
}

vm_page_t vm_phys_alloc_contig_above(unsigned long npages, vm_paddr_t low, vm_paddr_t high,
				     vm_size_t alignment, vm_size_t boundary, uint64_t floor)
{
	struct run_spec spec;

	if (arch_fault_point("vm_phys_alloc_contig"))
		return NULL;
	if (!run_spec_init(&spec, npages, low, high, alignment, boundary))
		return NULL;
	for (unsigned domain = 0; domain < vm_phys_domain_count(); domain++) {
		vm_page_t m = domain_alloc(domain, &spec, floor);

		if (m != NULL)
			return m;
	}
	return NULL;
}

vm_page_t vm_phys_alloc_contig(unsigned long npages, vm_paddr_t low, vm_paddr_t high,
			       vm_size_t alignment, vm_size_t boundary)
{
	return vm_phys_alloc_contig_above(npages, low, high, alignment, boundary, 0);
}
