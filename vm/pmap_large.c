/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Large leaves, and the tables that are kept behind them.
 *
 * Where a large leaf is entered there is a table already, because the range is grown. The table is
 * not lost: its small leaves are made to say the same as the large one, and it is kept until the
 * leaf is split or goes. So a CPU may use the leaf and another one the table that it remembers,
 * and both are right; splitting needs no memory; and afterwards the range is as grown as before.
 *
 * The page size of an address changes while it is mapped, in both directions. Intel SDM vol. 3A
 * 4.10.2.3 leaves open then which of the two translations a CPU uses, and forbids only that they
 * differ in page frame, rights or attribute. They do not: splitting changes the size and nothing
 * else, the large translation is shot down, and what the caller really wants to change comes
 * after that.
 */
#include "arch/physmap.h"
#include "lib/bits.h"
#include "lib/check.h"
#include "smp/shootdown.h"
#include "vm/pmap_private.h"

enum { KEPT_BUCKETS = 256 }; /* neighbouring regions lie in different buckets */

TAILQ_HEAD(kept_list, vm_page);

/* Guarded by the pmap's lock. A kept table's page->pindex says for which region it is. */
static struct kept_list kept_tables[KEPT_BUCKETS];

void pmap_large_init(void)
{
	for (unsigned i = 0; i < KEPT_BUCKETS; i++)
		TAILQ_INIT(&kept_tables[i]);
}

static struct kept_list *kept_bucket(vm_offset_t va)
{
	return &kept_tables[(va >> MMU_LEVEL_SHIFT(2)) % KEPT_BUCKETS];
}

static void keep_table_locked(vm_offset_t va, vm_page_t table)
{
	table->pindex = va >> MMU_LEVEL_SHIFT(2);
	TAILQ_INSERT_HEAD(kept_bucket(va), table, link);
}

vm_page_t pmap_large_kept(vm_offset_t va)
{
	vm_page_t table;

	TAILQ_FOREACH (table, kept_bucket(va), link)
		if (table->pindex == va >> MMU_LEVEL_SHIFT(2))
			return table;
	return NULL;
}

pte_t pmap_large_part(pte_t large, unsigned i)
{
	const pte_t same = PTE_LEAF_BITS | PTE_RIGHTS | PTE_WIRED | PTE_PWT | PTE_PCD;

	return (pte_paddr(large, 2) + ptoa(i)) | (large & same) |
	       (large & PTE_PAT_LARGE ? PTE_PAT : 0);
}

/* Makes the table say what the large leaf says. */
static void fill_table(vm_page_t table, pte_t large)
{
	pte_t *entries = pmap_table(VM_PAGE_TO_PHYS(table));

	for (unsigned i = 0; i < MMU_TABLE_ENTRIES; i++)
		arch_pte_write(&entries[i], pmap_large_part(large, i));
}

static void empty_table(vm_page_t table)
{
	pte_t *entries = pmap_table(VM_PAGE_TO_PHYS(table));

	for (unsigned i = 0; i < MMU_TABLE_ENTRIES; i++)
		arch_pte_write(&entries[i], 0);
}

static void check_table_empty(vm_offset_t va, vm_page_t table)
{
	pte_t *entries = pmap_table(VM_PAGE_TO_PHYS(table));

	for (unsigned i = 0; i < MMU_TABLE_ENTRIES; i++)
		if (arch_pte_read(&entries[i]) != 0)
			panic("pmap: a large page cannot be entered at %#llx, %#llx is mapped",
			      (unsigned long long)va, (unsigned long long)va + ptoa(i));
}

/* One attribute for all: the leaf has room for one. */
static pte_t large_leaf(vm_page_t first, vm_prot_t prot, bool wired)
{
	for (unsigned i = 1; i < MMU_TABLE_ENTRIES; i++) {
		CHECK_EQ(VM_PAGE_TO_PHYS(first + i), VM_PAGE_TO_PHYS(first) + ptoa(i));
		CHECK_EQ(first[i].memattr, first->memattr);
	}
	return VM_PAGE_TO_PHYS(first) | PTE_LEAF_BITS | PTE_LARGE | pmap_rights(prot) |
	       pte_attr_bits(first->memattr, 2) | (wired ? PTE_WIRED : 0);
}

static void enter_large_locked(pmap_t pmap, vm_offset_t va, pte_t large)
{
	unsigned level;
	pte_t *entry = pmap_entry_down_to(pmap, va, 2, &level);
	pte_t before = arch_pte_read(entry);
	vm_page_t table;

	if (before == large)
		return;
	if (level != 2 || pte_is_leaf(before, level))
		panic("pmap: %#llx is mapped (entry %#llx), it cannot become %#llx",
		      (unsigned long long)va, (unsigned long long)before,
		      (unsigned long long)large);
	table = PHYS_TO_VM_PAGE(before & PTE_ADDRESS);
	CHECK(table != NULL && table->state == VM_PAGE_TABLE);
	check_table_empty(va, table);
	fill_table(table, large);
	keep_table_locked(va, table);
	arch_pte_exchange(entry, large);
	pmap->large_mapped++;
}

int pmap_enter_large(pmap_t pmap, vm_offset_t va, vm_page_t first, vm_prot_t prot, bool wired)
{
	int rv;

	CHECK(is_aligned(va, SUPERPAGE_SIZE));
	CHECK(is_aligned(VM_PAGE_TO_PHYS(first), SUPERPAGE_SIZE));
	CHECK(prot != VM_PROT_NONE);
	if (!pmap_prot_allowed(prot))
		return KERN_PROTECTION_FAILURE;
	rv = pmap_grow_to(pmap, va, 1);
	if (rv != KERN_SUCCESS)
		return rv;
	spin_lock(&pmap->lock);
	enter_large_locked(pmap, va, large_leaf(first, prot, wired));
	spin_unlock(&pmap->lock);
	return KERN_SUCCESS;
}

/*
 * The table that takes the place of the large leaf at va: the kept one, or a new one behind a leaf
 * that was not entered by us (the image's). NULL on shortage. Giving back may take the last page.
 */
static vm_page_t successor_locked(pmap_t pmap, vm_offset_t va, pte_t large)
{
	vm_page_t table = pmap_large_kept(va);

	if (table != NULL) {
		TAILQ_REMOVE(kept_bucket(va), table, link);
		pmap->large_mapped--;
		return table;
	}
	table = pmap_table_alloc_locked(pmap, VM_ALLOC_INTERRUPT);
	if (table != NULL)
		fill_table(table, large);
	return table;
}

/* *split says whether the caller has a large translation to shoot down. */
static int split_locked(pmap_t pmap, vm_offset_t va, bool *split)
{
	unsigned level;
	pte_t *entry = pmap_entry(pmap, va, &level);
	pte_t large = arch_pte_read(entry);
	vm_page_t table;

	*split = false;
	if (level == 1 || !(large & PTE_PRESENT))
		return KERN_SUCCESS;
	CHECK_EQ(level, 2); /* nobody maps more than 2 MiB at once in what can be taken back */
	table = successor_locked(pmap, va, large);
	if (table == NULL)
		return KERN_RESOURCE_SHORTAGE;
	pmap_table_publish(entry, VM_PAGE_TO_PHYS(table));
	pmap->demotions++;
	*split = true;
	return KERN_SUCCESS;
}

int pmap_split_at(pmap_t pmap, vm_offset_t va)
{
	vm_offset_t start = align_down(va, SUPERPAGE_SIZE);
	unsigned level;
	bool split;
	int rv;

	if (is_aligned(va, SUPERPAGE_SIZE))
		return KERN_SUCCESS;
	if (pmap_leaf(pmap, va, &level) == 0 || level == 1)
		return KERN_SUCCESS;
	spin_lock(&pmap->lock);
	rv = split_locked(pmap, va, &split);
	spin_unlock(&pmap->lock);
	/*
	 * The whole of it: one INVLPG drops all that a CPU may have made of a large page only as
	 * long as the tables map it as one (Intel SDM vol. 3A 4.10.4.1, footnote).
	 */
	if (split)
		shootdown_range(start, start + SUPERPAGE_SIZE, SHOOTDOWN_DEMOTE);
	return rv;
}

void pmap_large_clear(pmap_t pmap, vm_offset_t va)
{
	unsigned level;
	pte_t *entry;
	vm_page_t table;

	spin_lock(&pmap->lock);
	entry = pmap_entry(pmap, va, &level);
	CHECK_EQ(level, 2);
	table = pmap_large_kept(va);
	if (table == NULL) {
		arch_pte_exchange(entry, 0);
	} else {
		TAILQ_REMOVE(kept_bucket(va), table, link);
		empty_table(table);
		pmap_table_publish(entry, VM_PAGE_TO_PHYS(table));
		pmap->large_mapped--;
	}
	spin_unlock(&pmap->lock);
}

void pmap_large_protect(pmap_t pmap, vm_offset_t va, pte_t rights)
{
	unsigned level;
	pte_t *entry;
	pte_t large;
	vm_page_t table;

	spin_lock(&pmap->lock);
	entry = pmap_entry(pmap, va, &level);
	CHECK_EQ(level, 2);
	large = (arch_pte_read(entry) & ~PTE_RIGHTS) | rights;
	arch_pte_exchange(entry, large);
	table = pmap_large_kept(va);
	if (table != NULL)
		fill_table(table, large);
	spin_unlock(&pmap->lock);
}
