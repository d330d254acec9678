/* SPDX-License-Identifier: BSD-2-Clause */
/* Do all mappings of each page agree about its memory type? */
#include "vm/pmap_private.h"
#include "vm/vm_report.h"

struct attr_audit {
	vm_report_fn *report;
	unsigned broken;
	uint64_t tables;
};

static void broken(struct attr_audit *audit, vm_offset_t va, pte_t leaf, const char *what)
{
	audit->broken += vm_report(audit->report, "memory types: %#llx, entry %#llx: %s",
				   (unsigned long long)va, (unsigned long long)leaf, what);
}

/* One report for a leaf is enough. Where there is no descriptor, a device may be. */
static void audit_types(struct attr_audit *audit, vm_offset_t va, unsigned level, pte_t leaf)
{
	vm_paddr_t start = pte_paddr(leaf, level);

	for (vm_paddr_t pa = start; pa < start + MMU_LEVEL_SIZE(level); pa += PAGE_SIZE) {
		vm_page_t m = PHYS_TO_VM_PAGE(pa);

		if (m == NULL || m->memattr == pte_attr(leaf, level))
			continue;
		broken(audit, va + (pa - start), leaf, "differs from the page's memory type");
		return;
	}
}

static void audit_direct_leaf(struct attr_audit *audit, vm_offset_t va, unsigned level, pte_t leaf)
{
	if (PHYSMAP_BASE + pte_paddr(leaf, level) != va)
		broken(audit, va, leaf, "the direct map is not linear");
	if (!(leaf & PTE_NX))
		broken(audit, va, leaf, "the direct map is executable");
	audit_types(audit, va, level, leaf);
}

static void audit_leaf(struct attr_audit *audit, vm_offset_t va, unsigned level, pte_t leaf)
{
	if (va < PHYSMAP_END)
		audit_direct_leaf(audit, va, level, leaf);
	else
		audit_types(audit, va, level, leaf);
}

/* Tables that the backend made are no pages of ours; depth is the number of levels. */
static void audit_table(struct attr_audit *audit, vm_paddr_t table, unsigned level,
			vm_offset_t base)
{
	const pte_t *entries = pmap_table(table);

	for (unsigned i = 0; i < MMU_TABLE_ENTRIES; i++) {
		vm_offset_t va = base + i * MMU_LEVEL_SIZE(level);
		pte_t pte = arch_pte_read(&entries[i]);

		if (!(pte & PTE_PRESENT)) {
			if (pte != 0 && va < PHYSMAP_END)
				broken(audit, va, pte, "not present, but not empty");
			continue;
		}
		if (pte_is_leaf(pte, level)) {
			audit_leaf(audit, va, level, pte);
			continue;
		}
		audit->tables += va < PHYSMAP_END && PHYS_TO_VM_PAGE(pte & PTE_ADDRESS) != NULL;
		audit_table(audit, pte & PTE_ADDRESS, level - 1, va);
	}
}

/* What the level-4 table's entries from that of `start` to that of `last` lead to. */
static void audit_region(struct attr_audit *audit, pmap_t pmap, vm_offset_t start, vm_offset_t last)
{
	const pte_t *root = pmap_table(pmap->root);
	vm_offset_t va = start;

	for (uint64_t i = MMU_INDEX(start, MMU_LEVELS); i <= MMU_INDEX(last, MMU_LEVELS); i++) {
		pte_t pte = arch_pte_read(&root[i]);

		if (pte & PTE_PRESENT)
			audit_table(audit, pte & PTE_ADDRESS, MMU_LEVELS - 1, va);
		va += MMU_LEVEL_SIZE(MMU_LEVELS);
	}
}

unsigned pmap_attr_audit(pmap_t pmap, void (*report)(const char *line))
{
	struct attr_audit audit = {.report = report};
	uint64_t direct_tables;

	audit_region(&audit, pmap, PHYSMAP_BASE, PHYSMAP_END - 1);
	audit_region(&audit, pmap, VM_MIN_KERNEL_ADDRESS, VM_MAX_KERNEL_ADDRESS);
	spin_lock(&pmap->lock);
	direct_tables = pmap->direct_tables;
	spin_unlock(&pmap->lock);
	if (direct_tables != audit.tables)
		audit.broken += vm_report(
		    report, "memory types: tables of the direct map: %llu by the count, %llu found",
		    (unsigned long long)direct_tables, (unsigned long long)audit.tables);
	return audit.broken;
}
