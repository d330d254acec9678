/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Charges, and the three who know about a page of anonymous memory: object, page table, page.
 */
#include "vm/pmap.h"
#include "vm/vm_fault_private.h"
#include "vm/vm_kern.h"
#include "vm/vm_map_private.h"
#include "vm/vm_object.h"
#include "vm/vm_page.h"
#include "vm/vm_pageable.h"
#include "vm/vm_phys.h"
#include "vm/vm_report.h"
#include "vm/vm_swap.h"

struct audit {
	vm_report_fn *report;
	unsigned broken;
	vm_size_t charged; /* bytes */
	uint64_t found;    /* anonymous pages that entries lead to */
};

/* The page of an object at va, as a pageable entry has it. Wired ones are vm_audit's. */
static void check_page(struct audit *audit, vm_page_t m, vm_offset_t va)
{
	if (m->state != VM_PAGE_ALLOCATED || m->wire_count != 0 || (m->oflags & VPO_BUSY) != 0 ||
	    m->valid != VM_PAGE_BITS_ALL)
		audit->broken += vm_report(
		    audit->report,
		    "page of pageable %#lx: state %u, wire count %u, oflags %#x, valid %#x",
		    (unsigned long)va, m->state, m->wire_count, m->oflags, m->valid);
}

static void check_leaf(struct audit *audit, vm_map_t map, vm_map_entry_t entry, vm_page_t m,
		       vm_offset_t va)
{
	unsigned level;
	pte_t leaf = pmap_leaf(map->pmap, va, &level);

	if (leaf == 0)
		return;
	if (m == NULL || level != 1 || pte_paddr(leaf, level) != VM_PAGE_TO_PHYS(m)) {
		audit->broken +=
		    vm_report(audit->report, "pageable %#lx maps %#lx (level %u), its page is %#lx",
			      (unsigned long)va, (unsigned long)pte_paddr(leaf, level), level,
			      (unsigned long)(m != NULL ? VM_PAGE_TO_PHYS(m) : 0));
		return;
	}
	if (((leaf & PTE_WRITE) != 0) != ((entry->protection & VM_PROT_WRITE) != 0))
		audit->broken += vm_report(audit->report,
					   "pageable %#lx: page table and map differ about writing",
					   (unsigned long)va);
}

static void check_anonymous(struct audit *audit, vm_map_t map, vm_map_entry_t entry)
{
	vm_object_t object = entry->object.vm_object;

	for (vm_offset_t va = entry->start; va < entry->end; va += PAGE_SIZE) {
		vm_page_t m = NULL;

		if (object != NULL) {
			VM_OBJECT_WLOCK(object);
			m = vm_page_lookup(object, atop(entry->offset + (va - entry->start)));
			VM_OBJECT_WUNLOCK(object);
		}
		audit->found += m != NULL;
		if (entry->wired_count != 0)
			continue;
		if (m != NULL)
			check_page(audit, m, va);
		check_leaf(audit, map, entry, m, va);
	}
}

/* At rest the lists stand still. */
static void check_map(struct audit *audit, vm_map_t map)
{
	vm_map_entry_t entry;

	TAILQ_FOREACH (entry, &map->entries, list) {
		if (entry->charged)
			audit->charged += entry->end - entry->start;
		if (entry->eflags & MAP_ENTRY_IS_SUB_MAP)
			check_map(audit, entry->object.sub_map);
		else if (vm_fault_entry_is_pageable(entry))
			check_anonymous(audit, map, entry);
	}
}

/* Pages that say they belong to anonymous memory. */
static uint64_t anonymous_pages(void)
{
	uint64_t pages = 0;

	for (unsigned s = 0; s < vm_phys_segment_count(); s++) {
		const struct vm_phys_segment *segment = vm_phys_segment(s);

		for (uint64_t i = 0; i < atop(segment->end - segment->start); i++) {
			vm_page_t m = &segment->first[i];

			pages += m->state == VM_PAGE_ALLOCATED && m->object != NULL &&
				 m->object->type == OBJT_DEFAULT;
		}
	}
	return pages;
}

unsigned vm_pageable_audit(void (*report)(const char *line))
{
	struct audit audit = {.report = report};
	uint64_t pages = anonymous_pages();

	check_map(&audit, kernel_map);
	if (audit.charged != swap_reserved())
		audit.broken +=
		    vm_report(report, "charged ranges sum to %#lx bytes, %#lx are reserved",
			      (unsigned long)audit.charged, (unsigned long)swap_reserved());
	if (audit.found != pages)
		audit.broken +=
		    vm_report(report, "%lu pages are anonymous, map entries lead to %lu",
			      (unsigned long)pages, (unsigned long)audit.found);
	return audit.broken;
}
