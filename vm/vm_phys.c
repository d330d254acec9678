/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Purpose. vm_phys owns every free page of RAM. It hands out blocks of 2^order pages, batches of
 * single pages and contiguous runs, and joins what comes back (Knowlton's buddy system; Knuth,
 * The Art of Computer Programming vol. 1, 2.5).
 *
 * Vocabulary. A segment is a run of usable RAM in one domain, with one array of descriptors. A
 * block is 2^order free pages, aligned to their size in physical memory; its head is the first
 * page. The buddy of a block is the other half of the block of the next order.
 *
 * Structures and invariants. Each domain has a list of heads for each order. m->order is the
 * order exactly in heads on a list, and VM_PAGE_NO_ORDER in every other descriptor, so one look
 * at a descriptor tells whether a buddy can be joined. A block lies inside one segment, and two
 * free buddies of one order never exist: they would have been joined. A free extent is therefore
 * at most two blocks of each order, plus blocks of the highest one. Every page in a block is
 * VM_PAGE_FREE, and no other page is. The machine's count of free pages changes together with a
 * domain's, inside that domain's lock, so that a floor is exact even when two domains serve
 * allocations at the same time.
 *
 * Locking. One lock a domain, rank LOCK_RANK_FREE_PAGES, never two at a time; any context. States
 * of pages change inside the lock, so the time under it grows with the pages moved: those who
 * call often move batches of a few dozen, and whoever asks for a 1 GiB block has rare needs. The
 * counts are atomic so that anybody may look at them; they order nothing, the lock does, and so
 * accesses to them are relaxed, with one exception: pages that arrive are added to the machine's
 * count in an order with those who begin to wait for pages (vm_wait.c).
 *
 * Failure. Allocations return nothing. A page that is given back while it is free, wired or in an
 * object stops the machine, named.
 *
 * Rejected. A bitmap in place of descriptors saves memory only while nobody else needs
 * descriptors, and everybody does. Searching runs in a tree of free extents costs an update on
 * each single page; runs are rare and the descriptors can be walked.
 */
#include "vm/vm_phys.h"

#include "lib/bits.h"
#include "lib/check.h"
#include "vm/vm_page_internal.h"
#include "vm/vm_pageout_internal.h"
#include "vm/vm_phys_internal.h"

_Static_assert(VM_PHYS_ORDERS <= 32, "vm_phys_domain.nonempty has a bit for each order");

struct vm_phys_state vm_phys_state;

struct vm_phys_domain *vm_phys_domain_of(unsigned domain)
{
	CHECK_LT(domain, vm_phys_state.domain_count);
	return &vm_phys_state.domains[domain];
}

/* --- Blocks on lists; lock held --- */

static void block_insert(struct vm_phys_domain *d, vm_page_t m, unsigned order)
{
	m->order = (uint8_t)order;
	TAILQ_INSERT_HEAD(&d->free[order], m, link);
	d->blocks[order]++;
	d->nonempty |= (uint32_t)1 << order;
}

void vm_phys_block_remove(struct vm_phys_domain *d, vm_page_t m)
{
	unsigned order = m->order;

	CHECK_LT(order, VM_PHYS_ORDERS);
	TAILQ_REMOVE(&d->free[order], m, link);
	m->order = VM_PAGE_NO_ORDER;
	if (--d->blocks[order] == 0)
		d->nonempty &= ~((uint32_t)1 << order);
}

/* Puts a block on its list, joined with its buddy as long as that is free in one piece. */
static void block_give(struct vm_phys_domain *d, vm_page_t m, unsigned order)
{
	const struct vm_phys_segment *segment = &vm_phys_state.segments[m->segment];
	vm_paddr_t pa = m->phys_addr;

	for (; order < VM_PHYS_ORDERS - 1; order++) {
		vm_paddr_t buddy_pa = pa ^ vm_phys_order_size(order);
		vm_page_t buddy;

		if (buddy_pa < segment->start || buddy_pa >= segment->end)
			break;
		buddy = vm_phys_segment_page(segment, buddy_pa);
		if (buddy->order != order)
			break;
		vm_phys_block_remove(d, buddy);
		pa &= ~vm_phys_order_size(order);
	}
	block_insert(d, vm_phys_segment_page(segment, pa), order);
}

/* A block of exactly `order`, cut from the smallest one that is large enough. */
static vm_page_t block_take(struct vm_phys_domain *d, unsigned order)
{
	uint32_t enough = d->nonempty >> order << order;
	unsigned have;
	vm_page_t m;

	if (enough == 0)
		return NULL;
	have = (unsigned)__builtin_ctz(enough);
	m = TAILQ_FIRST(&d->free[have]);
	vm_phys_block_remove(d, m);
	while (have-- > order)
		block_insert(d, m + ((uint64_t)1 << have), have);
	return m;
}

void vm_phys_range_insert(struct vm_phys_domain *d, vm_page_t m, uint64_t npages)
{
	while (npages > 0) {
		unsigned order = ilog2(npages);
		uint64_t frame = atop(m->phys_addr);

		if (frame != 0 && (unsigned)__builtin_ctzll(frame) < order)
			order = (unsigned)__builtin_ctzll(frame);
		if (order > VM_PHYS_ORDERS - 1)
			order = VM_PHYS_ORDERS - 1;
		block_give(d, m, order);
		m += (uint64_t)1 << order;
		npages -= (uint64_t)1 << order;
	}
}

/* --- Counts and states; lock held --- */

uint64_t vm_phys_claim(struct vm_phys_domain *d, uint64_t n, uint64_t floor, bool all)
{
	uint64_t here = atomic64_load(&d->free_pages, MO_RELAXED);
	uint64_t total = atomic64_load(&vm_phys_state.free_total, MO_RELAXED);
	uint64_t granted;

	do {
		uint64_t spare = total > floor ? total - floor : 0;

		granted = n < here ? n : here;
		if (granted > spare)
			granted = spare;
		if (granted == 0 || (all && granted < n))
			return 0;
	} while (!atomic64_cas(&vm_phys_state.free_total, &total, total - granted, MO_RELAXED));
	atomic64_store(&d->free_pages, here - granted, MO_RELAXED);
	return granted;
}

static void pages_returned(struct vm_phys_domain *d, uint64_t n)
{
	uint64_t here = atomic64_load(&d->free_pages, MO_RELAXED);

	atomic64_store(&d->free_pages, here + n, MO_RELAXED);
	/* Pairs with vm_phys_free_total_ordered. */
	atomic64_add(&vm_phys_state.free_total, n, MO_ACQ_REL);
}

void vm_phys_mark_allocated(vm_page_t m, uint64_t npages)
{
	for (uint64_t i = 0; i < npages; i++) {
		if (unlikely(m[i].state != VM_PAGE_FREE))
			panic("page %#llx on a free list is %s", (unsigned long long)m[i].phys_addr,
			      vm_page_state_name(m[i].state));
		m[i].state = VM_PAGE_ALLOCATED;
	}
}

static void mark_free(vm_page_t m, uint64_t npages)
{
	for (uint64_t i = 0; i < npages; i++) {
		vm_page_t page = &m[i];

		if (unlikely(page->state == VM_PAGE_FREE))
			panic("page %#llx is freed twice", (unsigned long long)page->phys_addr);
		if (unlikely(page->wire_count != 0 || page->object != NULL))
			panic("page %#llx is freed with wire count %u, object %p",
			      (unsigned long long)page->phys_addr, page->wire_count,
			      (void *)page->object);
		page->state = VM_PAGE_FREE;
	}
}

static void range_give(struct vm_phys_domain *d, vm_page_t m, uint64_t npages)
{
	mark_free(m, npages);
	vm_phys_range_insert(d, m, npages);
	pages_returned(d, npages);
}

/* --- Allocation and release --- */

vm_page_t vm_phys_alloc(unsigned domain, unsigned order)
{
	struct vm_phys_domain *d = vm_phys_domain_of(domain);
	vm_page_t m;

	CHECK_LT(order, VM_PHYS_ORDERS);
	if (arch_fault_point("vm_phys_alloc"))
		return NULL;
	spin_lock(&d->lock);
	m = block_take(d, order);
	if (m != NULL) {
		uint64_t npages = (uint64_t)1 << order;

		CHECK_EQ(vm_phys_claim(d, npages, 0, true), npages);
		vm_phys_mark_allocated(m, npages);
	}
	spin_unlock(&d->lock);
	vm_watermarks_check(domain);
	return m;
}

/* Fragments first, so that large blocks last; each block as a whole as far as it is needed. */
static void batch_take(struct vm_phys_domain *d, vm_page_t *pages, unsigned n)
{
	for (unsigned got = 0; got < n;) {
		unsigned order = (unsigned)__builtin_ctz(d->nonempty);
		unsigned needed = ilog2(n - got);
		vm_page_t m;

		if (order > needed)
			order = needed;
		m = block_take(d, order);
		vm_phys_mark_allocated(m, (uint64_t)1 << order);
		for (unsigned i = 0; i < 1u << order; i++)
			pages[got++] = m + i;
	}
}

unsigned vm_phys_alloc_batch_above(unsigned domain, vm_page_t *pages, unsigned n, uint64_t floor)
{
	struct vm_phys_domain *d = vm_phys_domain_of(domain);
	unsigned granted;

	if (n == 0 || arch_fault_point("vm_phys_alloc_batch"))
		return 0;
	if (atomic64_load(&d->free_pages, MO_RELAXED) == 0)
		return 0;
	spin_lock(&d->lock);
	granted = (unsigned)vm_phys_claim(d, n, floor, false);
	batch_take(d, pages, granted);
	spin_unlock(&d->lock);
	vm_watermarks_check(domain);
	return granted;
}

unsigned vm_phys_alloc_batch(unsigned domain, vm_page_t *pages, unsigned n)
{
	return vm_phys_alloc_batch_above(domain, pages, n, 0);
}

void vm_phys_free(vm_page_t m, unsigned order)
{
	CHECK_LT(order, VM_PHYS_ORDERS);
	CHECK(is_aligned(m->phys_addr, vm_phys_order_size(order)));
	vm_phys_free_contig(m, (uint64_t)1 << order);
}

void vm_phys_free_batch(vm_page_t *pages, unsigned n)
{
	for (unsigned i = 0; i < n;) {
		unsigned domain = pages[i]->domain;
		struct vm_phys_domain *d = vm_phys_domain_of(domain);

		spin_lock(&d->lock);
		for (; i < n && pages[i]->domain == domain; i++)
			range_give(d, pages[i], 1);
		spin_unlock(&d->lock);
	}
	vm_pageout_page_freed();
}

void vm_phys_free_contig(vm_page_t m, unsigned long npages)
{
	const struct vm_phys_segment *segment = &vm_phys_state.segments[m->segment];
	struct vm_phys_domain *d = vm_phys_domain_of(m->domain);

	CHECK_LE(npages, atop(segment->end - m->phys_addr));
	spin_lock(&d->lock);
	range_give(d, m, npages);
	spin_unlock(&d->lock);
	vm_pageout_page_freed();
}

/* --- Questions --- */

unsigned vm_phys_domain_count(void)
{
	return vm_phys_state.domain_count;
}

uint64_t vm_phys_free_pages(unsigned domain)
{
	return atomic64_load(&vm_phys_domain_of(domain)->free_pages, MO_RELAXED);
}

uint64_t vm_phys_free_total(void)
{
	return atomic64_load(&vm_phys_state.free_total, MO_RELAXED);
}

uint64_t vm_phys_free_total_ordered(void)
{
	/* Pairs with the addition in pages_returned. */
	return atomic64_add(&vm_phys_state.free_total, 0, MO_ACQ_REL);
}

uint64_t vm_phys_total_pages(unsigned domain)
{
	return vm_phys_domain_of(domain)->total_pages;
}

void vm_phys_free_blocks(unsigned domain, uint64_t *counts)
{
	struct vm_phys_domain *d = vm_phys_domain_of(domain);

	spin_lock(&d->lock);
	for (unsigned order = 0; order < VM_PHYS_ORDERS; order++)
		counts[order] = d->blocks[order];
	spin_unlock(&d->lock);
}
