/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/bits.h"
#include "lib/check.h"
#include "vm/vm_page_internal.h"
#include "vm/vm_phys_internal.h"
#include "vm/vm_report.h"

struct audit {
	struct vm_phys_domain *d;
	unsigned domain;
	vm_report_fn *report;
	unsigned broken;
	uint64_t free_pages; /* in blocks, counted */
};

#define AUDIT(audit, cond, ...)                                                                    \
	do {                                                                                       \
		if (unlikely(!(cond)))                                                             \
			(audit)->broken += vm_report((audit)->report, __VA_ARGS__);                \
	} while (0)

static unsigned long long address(vm_page_t m)
{
	return (unsigned long long)m->phys_addr;
}

static void audit_free_page(struct audit *audit, vm_page_t m, bool head)
{
	struct vm_page_damage damage;

	AUDIT(audit, m->state == VM_PAGE_FREE, "vm_phys: page %#llx in a free block is %s",
	      address(m), vm_page_state_name(m->state));
	AUDIT(audit, head || m->order == VM_PAGE_NO_ORDER,
	      "vm_phys: page %#llx inside a free block has order %u", address(m), m->order);
	AUDIT(audit, m->wire_count == 0 && m->object == NULL,
	      "vm_phys: free page %#llx has wire count %u, object %p", address(m), m->wire_count,
	      (void *)m->object);
	AUDIT(audit, vm_page_intact(m, &damage),
	      "vm_phys: free page %#llx was written: offset %u holds %#llx, expected %#llx",
	      address(m), damage.offset, (unsigned long long)damage.found,
	      (unsigned long long)damage.expected);
}

/* A free buddy of the same order should have been joined with m. */
static bool buddy_is_free(const struct vm_phys_segment *segment, vm_page_t m, unsigned order)
{
	vm_paddr_t buddy = m->phys_addr ^ vm_phys_order_size(order);

	if (order == VM_PHYS_ORDERS - 1 || buddy < segment->start || buddy >= segment->end)
		return false;
	return vm_phys_segment_page(segment, buddy)->order == order;
}

static void audit_block(struct audit *audit, vm_page_t m, unsigned order)
{
	const struct vm_phys_segment *segment = vm_phys_segment(m->segment);
	vm_size_t size = vm_phys_order_size(order);

	AUDIT(audit, m->order == order,
	      "vm_phys: page %#llx of order %u is on the list of order %u", address(m), m->order,
	      order);
	AUDIT(audit, m->domain == audit->domain && segment->domain == audit->domain,
	      "vm_phys: page %#llx of domain %u is on a list of domain %u", address(m), m->domain,
	      audit->domain);
	if (!is_aligned(m->phys_addr, size) || m->phys_addr < segment->start ||
	    m->phys_addr >= segment->end || segment->end - m->phys_addr < size) {
		AUDIT(audit, false,
		      "vm_phys: block %#llx of order %u is not aligned in its segment", address(m),
		      order);
		return;
	}
	AUDIT(audit, !buddy_is_free(segment, m, order),
	      "vm_phys: block %#llx of order %u was not joined with its buddy", address(m), order);
	for (uint64_t i = 0; i < atop(size); i++)
		audit_free_page(audit, m + i, i == 0);
	audit->free_pages += atop(size);
}

/* No list is longer than its domain has pages; one that is goes in a circle. */
static void audit_list(struct audit *audit, unsigned order)
{
	uint64_t blocks = 0;
	vm_page_t m;

	TAILQ_FOREACH (m, &audit->d->free[order], link) {
		if (++blocks > audit->d->total_pages)
			break;
		audit_block(audit, m, order);
	}
	AUDIT(audit, blocks == audit->d->blocks[order],
	      "vm_phys: domain %u has %llu blocks of order %u, its count says %llu", audit->domain,
	      (unsigned long long)blocks, order, (unsigned long long)audit->d->blocks[order]);
	AUDIT(audit, (blocks != 0) == ((audit->d->nonempty >> order & 1) != 0),
	      "vm_phys: domain %u misjudges whether it has blocks of order %u", audit->domain,
	      order);
}

/* Every free page is in a block: the two counts agree, as no page is in two blocks. */
static void audit_descriptors(struct audit *audit)
{
	uint64_t free_pages = 0, pages = 0;

	for (unsigned i = 0; i < vm_phys_segment_count(); i++) {
		const struct vm_phys_segment *segment = vm_phys_segment(i);
		uint64_t npages = atop(segment->end - segment->start);

		if (segment->domain != audit->domain)
			continue;
		pages += npages;
		for (uint64_t p = 0; p < npages; p++) {
			vm_page_t m = &segment->first[p];

			AUDIT(audit, m->phys_addr == segment->start + ptoa(p) && m->segment == i,
			      "vm_phys: descriptor %llu of segment %u is that of page %#llx",
			      (unsigned long long)p, i, address(m));
			AUDIT(audit, m->state == VM_PAGE_FREE || m->order == VM_PAGE_NO_ORDER,
			      "vm_phys: page %#llx is %s and has order %u", address(m),
			      vm_page_state_name(m->state), m->order);
			free_pages += m->state == VM_PAGE_FREE;
		}
	}
	AUDIT(audit, free_pages == audit->free_pages,
	      "vm_phys: domain %u has %llu free pages, its blocks hold %llu", audit->domain,
	      (unsigned long long)free_pages, (unsigned long long)audit->free_pages);
	AUDIT(audit, pages == audit->d->total_pages,
	      "vm_phys: domain %u has %llu descriptors, its count says %llu", audit->domain,
	      (unsigned long long)pages, (unsigned long long)audit->d->total_pages);
}

unsigned vm_phys_audit(unsigned domain, void (*report)(const char *line))
{
	struct audit audit = {vm_phys_domain_of(domain), domain, report, 0, 0};
	uint64_t counted;

	spin_lock(&audit.d->lock);
	for (unsigned order = 0; order < VM_PHYS_ORDERS; order++)
		audit_list(&audit, order);
	audit_descriptors(&audit);
	counted = atomic64_load(&audit.d->free_pages, MO_RELAXED);
	AUDIT(&audit, counted == audit.free_pages,
	      "vm_phys: domain %u counts %llu free pages, its blocks hold %llu", domain,
	      (unsigned long long)counted, (unsigned long long)audit.free_pages);
	spin_unlock(&audit.d->lock);
	return audit.broken;
}
