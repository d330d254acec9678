/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/paging.h"

#include "arch/physmap.h"
#include "arch/x86_64/early_memory.h"
#include "arch/x86_64/features.h"
#include "arch/x86_64/regs.h"
#include "lib/bits.h"
#include "lib/check.h"

_Static_assert(PAT_LOW == (uint32_t)MMU_PAT_VALUE && PAT_HIGH == MMU_PAT_VALUE >> 32,
	       "the boot code loads the attributes of arch/mmu.h");

/* Rights are those of the leaf: the tables above it grant everything (Intel SDM vol. 3A 4.6). */
#define TABLE_BITS (PTE_PRESENT | PTE_WRITE | PTE_ACCESSED)

vm_paddr_t kernel_root;

vm_paddr_t arch_mmu_kernel_root(void)
{
	return kernel_root;
}

static pte_t *table_at(vm_paddr_t pa)
{
	return arch_physmap(pa);
}

void paging_create_root(void)
{
	kernel_root = early_alloc(PAGE_SIZE);
	CHECK(kernel_root < UINT64_C(1) << 32); /* trampoline.S loads it in 32-bit mode */
}

/* The entry for va in the table of `level`, with tables made on the way; NULL below a leaf. */
static pte_t *entry_at(vm_offset_t va, unsigned level)
{
	pte_t *table = table_at(kernel_root);

	for (unsigned at = MMU_LEVELS; at > level; at--) {
		pte_t *entry = &table[MMU_INDEX(va, at)];
		pte_t pte = arch_pte_read(entry);

		if (!(pte & PTE_PRESENT)) {
			pte = early_alloc(PAGE_SIZE) | TABLE_BITS;
			arch_pte_write(entry, pte);
		} else if (at < MMU_LEVELS && pte_is_leaf(pte, at)) {
			return NULL;
		}
		table = table_at(pte & PTE_ADDRESS);
	}
	return &table[MMU_INDEX(va, level)];
}

/* The largest page that begins at both addresses and fits into `size`. */
static unsigned best_level(vm_offset_t va, vm_paddr_t pa, vm_size_t size)
{
	unsigned level = cpu_features.pages_1g ? 3 : 2;

	while (level > 1 &&
	       (!is_aligned(va | pa, MMU_LEVEL_SIZE(level)) || size < MMU_LEVEL_SIZE(level)))
		level--;
	return level;
}

static pte_t leaf_bits(unsigned rights, vm_memattr_t attr, unsigned level)
{
	pte_t bits = PTE_PRESENT | PTE_GLOBAL | PTE_ACCESSED | PTE_DIRTY;

	if (rights & MAP_WRITE)
		bits |= PTE_WRITE;
	if (!(rights & MAP_EXECUTE))
		bits |= PTE_NX;
	if (level > 1)
		bits |= PTE_LARGE;
	return bits | pte_attr_bits(attr, level);
}

static unsigned long mapped[MMU_LEVELS + 1]; /* leaves, by level */

unsigned long paging_mapped(unsigned level)
{
	return mapped[level];
}

bool paging_map(vm_offset_t va, vm_paddr_t pa, vm_size_t size, unsigned rights, vm_memattr_t attr)
{
	CHECK(is_aligned(va | pa | size, PAGE_SIZE));
	CHECK(rights != (MAP_WRITE | MAP_EXECUTE));
	while (size > 0) {
		unsigned level = best_level(va, pa, size);
		pte_t *entry = entry_at(va, level), wanted = pa | leaf_bits(rights, attr, level);

		if (entry == NULL || (arch_pte_read(entry) != 0 && arch_pte_read(entry) != wanted))
			return false;
		arch_pte_write(entry, wanted);
		mapped[level]++;
		va += MMU_LEVEL_SIZE(level);
		pa += MMU_LEVEL_SIZE(level);
		size -= MMU_LEVEL_SIZE(level);
	}
	return true;
}

pte_t paging_lookup(vm_offset_t va, unsigned *level)
{
	const pte_t *table = table_at(kernel_root);

	for (*level = MMU_LEVELS; *level > 0; --*level) {
		pte_t pte = arch_pte_read(&table[MMU_INDEX(va, *level)]);

		if (!(pte & PTE_PRESENT))
			return 0;
		if (*level < MMU_LEVELS && pte_is_leaf(pte, *level))
			return pte;
		table = table_at(pte & PTE_ADDRESS);
	}
	return 0;
}

vm_paddr_t paging_create_start_root(vm_paddr_t page)
{
	vm_paddr_t root = early_alloc(PAGE_SIZE), table = root;

	for (unsigned level = MMU_LEVELS; level > 1; level--) {
		vm_paddr_t below = early_alloc(PAGE_SIZE);

		arch_pte_write(&table_at(table)[MMU_INDEX(page, level)], below | TABLE_BITS);
		table = below;
	}
	arch_pte_write(&table_at(table)[MMU_INDEX(page, 1)], page | PTE_PRESENT | PTE_ACCESSED);
	arch_pte_write(&table_at(root)[MMU_INDEX(KERNBASE, MMU_LEVELS)],
		       arch_pte_read(&table_at(kernel_root)[MMU_INDEX(KERNBASE, MMU_LEVELS)]));
	return root;
}
