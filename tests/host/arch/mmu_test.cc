/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/arch/page_tables.h"

#include <cstring>

namespace
{

class MmuTest : public PageTableTest
{
      protected:
	MmuTest()
	{
		config.cpus = 2;
	}

	static struct arch_fault fault_of(vm_offset_t va, enum host_access access)
	{
		struct arch_fault fault = {};

		EXPECT_FALSE(host_translate(va, access, nullptr, &fault));
		return fault;
	}
};

TEST_F(MmuTest, TranslatesAPage)
{
	vm_paddr_t pa = frame(), found = 0;

	map(VA, pa);
	EXPECT_TRUE(host_translate(VA + 0x123, HOST_READ, &found, nullptr));
	EXPECT_EQ(found, pa + 0x123);
}

TEST_F(MmuTest, TranslatesASuperpage)
{
	vm_paddr_t pa = superframe(), found = 0;
	struct host_tlb_entry entry;

	map(VA + SUPERPAGE_SIZE, pa, DATA, 2);
	EXPECT_TRUE(host_translate(VA + SUPERPAGE_SIZE + 0x12345, HOST_READ, &found, nullptr));
	EXPECT_EQ(found, pa + 0x12345);
	ASSERT_TRUE(host_tlb_find(0, VA + SUPERPAGE_SIZE + 0x1ff000, &entry));
	EXPECT_EQ(entry.level, 2u);
	EXPECT_EQ(entry.va, VA + SUPERPAGE_SIZE);
}

TEST_F(MmuTest, TranslatesAGigabytePage)
{
	vm_paddr_t found = 0;

	map(VA, 0, DATA, 3);
	EXPECT_TRUE(host_translate(VA + 0x23456789, HOST_READ, &found, nullptr));
	EXPECT_EQ(found, 0x23456789u);
}

TEST_F(MmuTest, LoadsAndStoresAcrossPages)
{
	char text[100], back[100];

	map(VA, frame());
	map(VA + PAGE_SIZE, frame());
	memset(text, 'x', sizeof(text));
	host_store(VA + PAGE_SIZE - 50, text, sizeof(text));
	host_load(VA + PAGE_SIZE - 50, back, sizeof(back));
	EXPECT_EQ(memcmp(text, back, sizeof(text)), 0);
	host_fill(VA + PAGE_SIZE - 8, 0x5a, 16);
	EXPECT_EQ(host_load64(VA + PAGE_SIZE), UINT64_C(0x5a5a5a5a5a5a5a5a));
}

TEST_F(MmuTest, ReportsWhyAnAccessFaults)
{
	struct arch_fault fault = fault_of(VA, HOST_WRITE);

	EXPECT_FALSE(fault.present);
	EXPECT_TRUE(fault.write);
	EXPECT_EQ(fault.va, VA);

	map(VA, frame(), PTE_PRESENT | PTE_NX);
	EXPECT_TRUE(host_translate(VA, HOST_READ, nullptr, nullptr));
	EXPECT_TRUE(fault_of(VA, HOST_WRITE).present);
	EXPECT_TRUE(fault_of(VA, HOST_EXECUTE).execute);
	EXPECT_FALSE(host_execute_nofault(VA));
}

TEST_F(MmuTest, RightsAreThoseOfAllLevelsTogether)
{
	map(VA, frame(), PTE_PRESENT | PTE_WRITE);
	EXPECT_TRUE(host_execute_nofault(VA));
	*entry(VA, 2) &= ~PTE_WRITE;
	*entry(VA, 3) |= PTE_NX;
	arch_tlb_flush();
	EXPECT_TRUE(host_translate(VA, HOST_READ, nullptr, nullptr));
	EXPECT_TRUE(fault_of(VA, HOST_WRITE).present);
	EXPECT_TRUE(fault_of(VA, HOST_EXECUTE).present);
}

TEST_F(MmuTest, KernelDoesNotTouchUserPages)
{
	map(VA, frame(), DATA | PTE_USER);
	EXPECT_TRUE(host_translate(VA, HOST_READ, nullptr, nullptr)) << "one level is supervisor's";
	for (unsigned level = 2; level <= MMU_LEVELS; level++)
		*entry(VA, level) |= PTE_USER;
	arch_tlb_flush();
	EXPECT_TRUE(fault_of(VA, HOST_READ).present);
}

TEST_F(MmuTest, ReservedBitsFault)
{
	map(VA, frame() | UINT64_C(1) << HOST_PHYS_BITS);
	EXPECT_TRUE(fault_of(VA, HOST_READ).reserved);
	map(VA + SUPERPAGE_SIZE, superframe() | 0x4000, DATA, 2);
	EXPECT_TRUE(fault_of(VA + SUPERPAGE_SIZE, HOST_READ).reserved) << "misaligned superpage";
	map(VA + SUPERPAGE_SIZE, superframe() | PTE_PAT_LARGE, DATA, 2);
	EXPECT_TRUE(host_translate(VA + SUPERPAGE_SIZE, HOST_READ, nullptr, nullptr));
	*entry(VA, 4) |= PTE_LARGE;
	arch_tlb_flush();
	EXPECT_TRUE(fault_of(VA + SUPERPAGE_SIZE, HOST_READ).reserved) << "level 4 has no leaves";
}

TEST_F(MmuTest, NonCanonicalAddressesAreRefused)
{
	const vm_offset_t bad = UINT64_C(0x0000800000000000);

	EXPECT_FALSE(host_translate(bad, HOST_READ, nullptr, nullptr));
	EXPECT_FALSE(host_load_nofault(bad, nullptr, 1));
	EXPECT_DEATH(host_load64(bad), "general protection: non-canonical");
}

TEST_F(MmuTest, SetsAccessedAndDirtyFlags)
{
	map(VA, frame());
	(void)host_load64(VA);
	EXPECT_TRUE(*entry(VA) & PTE_ACCESSED);
	EXPECT_FALSE(*entry(VA) & PTE_DIRTY);
	for (unsigned level = 2; level <= MMU_LEVELS; level++)
		EXPECT_TRUE(*entry(VA, level) & PTE_ACCESSED);
	host_store64(VA, 1);
	EXPECT_TRUE(*entry(VA) & PTE_DIRTY);
}

TEST_F(MmuTest, FirstWriteThroughACleanEntryWalksAgain)
{
	map(VA, frame());
	(void)host_load64(VA);
	arch_pte_write(entry(VA), 0);
	EXPECT_FALSE(host_store_nofault(VA, "x", 1));
}

TEST_F(MmuTest, StaleTranslationLivesUntilInvalidated)
{
	vm_paddr_t before = frame(), after = frame();

	set_word(before, 1);
	set_word(after, 2);
	map(VA, before);
	EXPECT_EQ(host_load64(VA), 1u);
	map(VA, after);
	EXPECT_EQ(host_load64(VA), 1u);
	arch_tlb_invalidate_page(VA + 0xfff);
	EXPECT_EQ(host_load64(VA), 2u);
	arch_pte_write(entry(VA), 0);
	EXPECT_EQ(host_load64(VA), 2u);
	arch_tlb_flush();
	EXPECT_FALSE(host_translate(VA, HOST_READ, nullptr, nullptr));
}

TEST_F(MmuTest, InvalidationIsOneCpusAffair)
{
	map(VA, frame());
	(void)host_load64(VA);
	on_cpu(1, [] { (void)host_load64(VA); });
	arch_tlb_flush();
	EXPECT_FALSE(host_tlb_find(0, VA, nullptr));
	EXPECT_TRUE(host_tlb_find(1, VA, nullptr));
	on_cpu(1, [] { arch_tlb_invalidate_page(VA); });
	EXPECT_FALSE(host_tlb_find(1, VA, nullptr));
	EXPECT_EQ(host_tlb_flushes(0), 1u);
	EXPECT_EQ(host_tlb_invalidations(1), 1u);
}

TEST_F(MmuTest, OneInvalidationDropsTheWholeSuperpage)
{
	map(VA, superframe(), DATA, 2);
	(void)host_load64(VA);
	arch_tlb_invalidate_page(VA + 0x100000);
	EXPECT_EQ(host_tlb_count(0), 0u);
}

TEST_F(MmuTest, SuperpageAndSmallPageOfOneAddressMayBothBeRemembered)
{
	vm_paddr_t large = superframe();

	map(VA, large, DATA, 2);
	(void)host_load64(VA);
	arch_pte_write(entry(VA, 2), frame() | PTE_PRESENT | PTE_WRITE);
	map(VA, frame());
	EXPECT_EQ(host_tlb_count(0), 1u);
	EXPECT_TRUE(host_translate(VA, HOST_READ, nullptr, nullptr)) << "the stale superpage";
	arch_tlb_invalidate_page(VA);
	EXPECT_EQ(host_tlb_count(0), 0u);
}

TEST_F(MmuTest, RaisedRightsShowAfterTheFault)
{
	map(VA, frame(), PTE_PRESENT | PTE_NX);
	(void)host_load64(VA);
	map(VA, pte_paddr(*entry(VA), 1), DATA);
	EXPECT_TRUE(fault_of(VA, HOST_WRITE).present) << "the stale entry is read-only";
	EXPECT_TRUE(host_store_nofault(VA, "x", 1)) << "and the fault has dropped it";
}

TEST_F(MmuTest, RemembersTablesUntilTold)
{
	vm_paddr_t other = frame(), table;
	struct host_tlb_entry known;
	pte_t *leaves;

	map(VA, frame());
	map(VA + PAGE_SIZE, frame());
	set_word(other, 77);
	(void)host_load64(VA);
	ASSERT_TRUE(host_tlb_find_table(0, VA, &known));
	EXPECT_EQ(known.pa, pte_paddr(*entry(VA, 2), 1));

	table = frame();
	leaves = (pte_t *)arch_physmap(table);
	leaves[MMU_INDEX(VA + PAGE_SIZE, 1)] = other | DATA;
	arch_pte_write(entry(VA, 2), table | PTE_PRESENT | PTE_WRITE);
	EXPECT_NE(host_load64(VA + PAGE_SIZE), 77u) << "walks through the old table";
	arch_tlb_invalidate_page(VA + PAGE_SIZE);
	EXPECT_EQ(host_load64(VA + PAGE_SIZE), 77u);
}

TEST_F(MmuTest, MissingTranslationsAreNotRemembered)
{
	EXPECT_FALSE(host_translate(VA, HOST_READ, nullptr, nullptr));
	map(VA, frame());
	EXPECT_TRUE(host_translate(VA, HOST_READ, nullptr, nullptr));
}

TEST_F(MmuTest, CapacityIsKept)
{
	config.tlb_capacity = 8;
	recreate();
	for (unsigned i = 0; i < 64; i++)
		map(VA + i * PAGE_SIZE, frame());
	for (unsigned i = 0; i < 64; i++)
		host_store64(VA + i * PAGE_SIZE, i);
	EXPECT_LE(host_tlb_count(0), 8u);
	for (unsigned i = 0; i < 64; i++)
		EXPECT_EQ(host_load64(VA + i * PAGE_SIZE), i);
}

TEST_F(MmuTest, SpeculationFillsNearRecentAddresses)
{
	host_set_speculate_ppm(500000);
	map(VA, frame());
	map(VA + PAGE_SIZE, frame());
	(void)host_load64(VA);
	for (unsigned i = 0; i < 1000; i++)
		arch_hook(ARCH_HOOK_ATOMIC, nullptr);
	EXPECT_TRUE(host_tlb_find(0, VA + PAGE_SIZE, nullptr));
	EXPECT_FALSE(*entry(VA + PAGE_SIZE) & PTE_DIRTY);
}

vm_paddr_t handler_page;
pte_t *handler_entry;

bool resolve(const struct arch_fault *fault, char *why, size_t why_size)
{
	if (fault->va != VM_MIN_KERNEL_ADDRESS) {
		snprintf(why, why_size, "nobody owns it");
		return false;
	}
	arch_pte_write(handler_entry, handler_page | PTE_PRESENT | PTE_WRITE | PTE_NX);
	return true;
}

TEST_F(MmuTest, FaultHandlerResolvesOrExplains)
{
	handler_page = frame();
	handler_entry = entry(VA);
	arch_fault_set_handler(resolve);
	host_store64(VA, 5);
	EXPECT_EQ(*(uint64_t *)arch_physmap(handler_page), 5u);
	EXPECT_FALSE(host_load_nofault(VA + PAGE_SIZE, &handler_page, 8));
	EXPECT_DEATH(host_store64(VA + PAGE_SIZE, 1), "page fault: write.*nobody owns it");
}

TEST_F(MmuTest, AMappingOutsideOfRamIsCaughtWhenUsed)
{
	map(VA, UINT64_C(0x3000000));
	EXPECT_DEATH(host_load64(VA), "where no RAM is");
	*entry(VA, 2) = UINT64_C(0x2800000) | PTE_PRESENT | PTE_WRITE;
	EXPECT_DEATH(host_load64(VA), "walk .* left RAM");
}

TEST_F(MmuTest, TablesCanBeReadPastTheTlb)
{
	vm_paddr_t pa = frame();
	unsigned level = 0;

	EXPECT_EQ(host_walk_tables(VA, &level), 0u);
	map(VA, pa);
	EXPECT_EQ(pte_paddr(host_walk_tables(VA, &level), 1), pa);
	EXPECT_EQ(level, 1u);
}

} // namespace
