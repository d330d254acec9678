/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/physmap.h"
#include "lib/check.h"
#include "vm/pmap_private.h"
#include "vm/vm_report.h"

/*
 * Below KERNBASE every table and every leaf is ours. From there on stands what the backend made
 * for the image: it must keep to the rules of protection, but its tables are no pages of ours.
 */
struct pmap_audit {
	vm_report_fn *report;
	unsigned broken;
	uint64_t tables; /* found, kept ones included */
	uint64_t kept;
};

static void broken(struct pmap_audit *audit, vm_offset_t va, unsigned level, pte_t pte,
		   const char *what)
{
	audit->broken += vm_report(audit->report, "pmap %#llx, level %u, entry %#llx: %s",
				   (unsigned long long)va, level, (unsigned long long)pte, what);
}

/* Bits that an entry leading to a table may have: the rest is reserved or would change rights. */
static const pte_t table_bits = PTE_TABLE_BITS | PTE_ADDRESS;

static const pte_t leaf_bits =
    PTE_LEAF_BITS | PTE_RIGHTS | PTE_WIRED | PTE_PWT | PTE_PCD | PTE_ADDRESS;

static void audit_leaf_bits(struct pmap_audit *audit, vm_offset_t va, unsigned level, pte_t pte)
{
	pte_t allowed = leaf_bits | (level == 1 ? PTE_PAT : PTE_LARGE);
	pte_t offset = PTE_ADDRESS & (MMU_LEVEL_SIZE(level) - 1);

	if (level > 1)
		offset &= ~PTE_PAT_LARGE;
	if (pte & ~allowed)
		broken(audit, va, level, pte, "a leaf has a bit that no leaf has");
	if (pte & offset)
		broken(audit, va, level, pte, "a large page is not aligned");
	if (!(pte & PTE_GLOBAL))
		broken(audit, va, level, pte, "a leaf is not global");
	if ((pte & PTE_WRITE) && !(pte & PTE_NX))
		broken(audit, va, level, pte, "writable and executable");
}

/* What is mapped must be in use, and must not be a table or a slab. */
static void audit_leaf_pages(struct pmap_audit *audit, vm_offset_t va, unsigned level, pte_t pte)
{
	vm_paddr_t start = pte_paddr(pte, level);

	for (vm_paddr_t pa = start; pa < start + MMU_LEVEL_SIZE(level); pa += PAGE_SIZE) {
		vm_page_t m = PHYS_TO_VM_PAGE(pa);

		if (m != NULL && m->state != VM_PAGE_ALLOCATED && m->state != VM_PAGE_BOOT)
			broken(audit, va + (pa - start), level, pte,
			       "maps a page that nobody may reach this way");
	}
}

static void audit_large(struct pmap_audit *audit, vm_offset_t va, pte_t pte)
{
	vm_page_t table = pmap_large_kept(va);
	const pte_t *entries;

	if (table == NULL) {
		if (va < KERNBASE)
			broken(audit, va, 2, pte, "no table is kept behind a large leaf");
		return;
	}
	audit->kept++;
	audit->tables++;
	if (table->state != VM_PAGE_TABLE)
		broken(audit, va, 2, pte, "the kept table is no table page");
	entries = pmap_table(VM_PAGE_TO_PHYS(table));
	for (unsigned i = 0; i < MMU_TABLE_ENTRIES; i++)
		if (arch_pte_read(&entries[i]) != pmap_large_part(pte, i))
			broken(audit, va + ptoa(i), 1, arch_pte_read(&entries[i]),
			       "the kept table differs from the large leaf");
}

static void audit_leaf(struct pmap_audit *audit, vm_offset_t va, unsigned level, pte_t pte)
{
	audit_leaf_bits(audit, va, level, pte);
	audit_leaf_pages(audit, va, level, pte);
	if (level == 2)
		audit_large(audit, va, pte);
	else if (level > 2 && va < KERNBASE)
		broken(audit, va, level, pte, "a page larger than 2 MiB");
}

/* The entry at `va` leads to a table, which maps up to the end of the entry. */
static void audit_link(struct pmap_audit *audit, vm_offset_t va, unsigned level, pte_t pte)
{
	vm_page_t m = PHYS_TO_VM_PAGE(pte & PTE_ADDRESS);
	bool ours = va + (MMU_LEVEL_SIZE(level) - 1) < KERNBASE;

	if (m != NULL && m->state == VM_PAGE_TABLE)
		audit->tables++;
	else if (ours)
		broken(audit, va, level, pte, "leads to what is no table page");
	if (ours && (pte & ~table_bits))
		broken(audit, va, level, pte, "an entry to a table has a bit that none has");
	if (pte & PTE_USER)
		broken(audit, va, level, pte, "open to user mode");
}

/* Depth is the number of levels. `base` is the first address that the table maps. */
static void audit_table(struct pmap_audit *audit, vm_paddr_t table, unsigned level,
			vm_offset_t base)
{
	unsigned first = level == MMU_LEVELS ? MMU_INDEX(VM_MIN_KERNEL_ADDRESS, level) : 0;
	const pte_t *entries = pmap_table(table);

	for (unsigned i = first; i < MMU_TABLE_ENTRIES; i++) {
		vm_offset_t va = base + i * MMU_LEVEL_SIZE(level);
		pte_t pte = arch_pte_read(&entries[i]);

		if (pte == 0)
			continue;
		if (!(pte & PTE_PRESENT)) {
			broken(audit, va, level, pte, "not present, but not empty");
		} else if (pte_is_leaf(pte, level)) {
			audit_leaf(audit, va, level, pte);
		} else {
			audit_link(audit, va, level, pte);
			audit_table(audit, pte & PTE_ADDRESS, level - 1, va);
		}
	}
}

static void audit_count(struct pmap_audit *audit, const char *what, uint64_t counted,
			uint64_t found)
{
	if (counted != found)
		audit->broken +=
		    vm_report(audit->report, "pmap: %s: %llu by the count, %llu found", what,
			      (unsigned long long)counted, (unsigned long long)found);
}

unsigned pmap_audit(pmap_t pmap, void (*report)(const char *line))
{
	/* The level-4 table maps all addresses; its upper half begins where bit 47 is extended. */
	const vm_offset_t root_base = -(MMU_TABLE_ENTRIES * MMU_LEVEL_SIZE(MMU_LEVELS));
	struct pmap_audit audit = {.report = report};
	uint64_t table_pages, large_mapped;

	audit_table(&audit, pmap->root, MMU_LEVELS, root_base);
	spin_lock(&pmap->lock);
	table_pages = pmap->table_pages - pmap->direct_tables;
	large_mapped = pmap->large_mapped;
	spin_unlock(&pmap->lock);
	audit_count(&audit, "table pages", table_pages, audit.tables);
	audit_count(&audit, "large pages", large_mapped, audit.kept);
	return audit.broken;
}
