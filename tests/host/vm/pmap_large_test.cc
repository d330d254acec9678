// SPDX-License-Identifier: BSD-2-Clause
/* Large leaves: entered, split, given other rights, taken away. */
#include "tests/host/vm/pmap_fixture.h"

namespace quire
{
namespace
{

class PmapLargeTest : public PmapTest
{
      protected:
	void boot_large(unsigned cpus, vm_prot_t prot = RW)
	{
		boot_pmap(cpus);
		first_ = new_run();
		ASSERT_EQ(pmap_enter_large(kernel_pmap, VA, first_, prot, true), KERN_SUCCESS);
	}

	/* Pages [from, to) of the run read as themselves on every CPU. */
	void expect_mapped(unsigned from, unsigned to)
	{
		on_each([&] {
			for (unsigned i = from; i < to; i += 17)
				EXPECT_EQ(host_load64(VA + ptoa(i)), VM_PAGE_TO_PHYS(first_ + i));
			EXPECT_EQ(host_load64(VA + ptoa(to - 1)), VM_PAGE_TO_PHYS(first_ + to - 1));
		});
	}

	static int remove(unsigned from, unsigned to)
	{
		return pmap_remove(kernel_pmap, VA + ptoa(from), VA + ptoa(to));
	}

	vm_page_t first_ = nullptr;
};

using PmapLargeDeathTest = PmapLargeTest;

TEST_F(PmapLargeTest, OneLeafMapsAllPages)
{
	boot_large(2);
	EXPECT_EQ(level(VA), 2u);
	EXPECT_EQ(leaf(VA + 300 * PAGE_SIZE), leaf(VA));
	EXPECT_EQ(leaf(VA), VM_PAGE_TO_PHYS(first_) | PTE_PRESENT | PTE_GLOBAL | PTE_ACCESSED |
				PTE_DIRTY | PTE_LARGE | PTE_WRITE | PTE_NX | PTE_WIRED);
	EXPECT_EQ(pmap_kextract(VA + SUPERPAGE_SIZE - 1),
		  VM_PAGE_TO_PHYS(first_) + SUPERPAGE_SIZE - 1);
	expect_mapped(0, 512);
	EXPECT_EQ(kernel_pmap->large_mapped, 1u);
	EXPECT_EQ(pmap_enter_large(kernel_pmap, VA, first_, RW, true), KERN_SUCCESS);
	EXPECT_EQ(kernel_pmap->large_mapped, 1u) << "the same again is nothing new";
	EXPECT_TRUE(sound());
}

TEST_F(PmapLargeTest, AttributeSurvivesEnteringAndSplitting)
{
	boot_pmap(1);
	first_ = new_run(VM_MEMATTR_WRITE_COMBINING);
	ASSERT_EQ(pmap_enter_large(kernel_pmap, VA, first_, R, false), KERN_SUCCESS);
	EXPECT_EQ(leaf(VA) & (PTE_PAT_LARGE | PTE_PWT | PTE_PCD), PTE_PAT_LARGE);
	EXPECT_TRUE(sound());
	ASSERT_EQ(remove(0, 1), KERN_SUCCESS);
	EXPECT_EQ(leaf(VA + PAGE_SIZE), VM_PAGE_TO_PHYS(first_ + 1) | PTE_PRESENT | PTE_GLOBAL |
					    PTE_ACCESSED | PTE_DIRTY | PTE_NX | PTE_PAT);
	EXPECT_TRUE(sound());
}

TEST_F(PmapLargeTest, RemovingPartLeavesTheRestMapped)
{
	boot_large(3);
	expect_mapped(0, 512);
	ASSERT_EQ(remove(100, 110), KERN_SUCCESS);
	EXPECT_EQ(level(VA), 1u);
	EXPECT_EQ(kernel_pmap->large_mapped, 0u);
	EXPECT_EQ(kernel_pmap->demotions, 1u);
	EXPECT_EQ(requests(SHOOTDOWN_DEMOTE), 1u);
	EXPECT_EQ(requests(SHOOTDOWN_FREE), 1u);
	host_assert_no_translation(VA + 100 * PAGE_SIZE, VA + 110 * PAGE_SIZE);
	on_each([] {
		EXPECT_FALSE(may(VA + 100 * PAGE_SIZE, HOST_READ));
		EXPECT_FALSE(may(VA + 109 * PAGE_SIZE, HOST_READ));
	});
	expect_mapped(0, 100);
	expect_mapped(110, 512);
	for (unsigned i = 100; i < 110; i++)
		give_back(first_ + i);
	EXPECT_TRUE(sound());
}

TEST_F(PmapLargeTest, ProtectingPartLeavesTheRestAsItWas)
{
	boot_large(2);
	on_each([] { EXPECT_TRUE(may(VA, HOST_WRITE)); });
	ASSERT_EQ(pmap_protect(kernel_pmap, VA + 256 * PAGE_SIZE, VA + SUPERPAGE_SIZE, R),
		  KERN_SUCCESS);
	EXPECT_EQ(level(VA), 1u);
	on_each([] {
		EXPECT_TRUE(may(VA + 255 * PAGE_SIZE, HOST_WRITE));
		EXPECT_FALSE(may(VA + 256 * PAGE_SIZE, HOST_WRITE));
		EXPECT_FALSE(may(VA + 511 * PAGE_SIZE, HOST_WRITE));
	});
	expect_mapped(0, 512);
	EXPECT_TRUE(sound());
}

TEST_F(PmapLargeTest, ProtectingTheWholeKeepsItLarge)
{
	boot_large(2);
	on_each([] { EXPECT_TRUE(may(VA + 5 * PAGE_SIZE, HOST_WRITE)); });
	ASSERT_EQ(pmap_protect(kernel_pmap, VA, VA + SUPERPAGE_SIZE, R), KERN_SUCCESS);
	EXPECT_EQ(level(VA), 2u);
	on_each([] { EXPECT_FALSE(may(VA + 5 * PAGE_SIZE, HOST_WRITE)); });
	EXPECT_TRUE(sound());
	ASSERT_EQ(pmap_protect(kernel_pmap, VA, VA + SUPERPAGE_SIZE, RW), KERN_SUCCESS);
	on_each([] { EXPECT_TRUE(may(VA + 5 * PAGE_SIZE, HOST_WRITE)); });
	EXPECT_EQ(kernel_pmap->demotions, 0u);
	EXPECT_TRUE(sound());
}

TEST_F(PmapLargeTest, RemovingTheWholeLeavesAGrownEmptyRange)
{
	boot_large(2);
	uint64_t tables = kernel_pmap->table_pages;

	expect_mapped(0, 512);
	ASSERT_EQ(remove(0, 512), KERN_SUCCESS);
	EXPECT_EQ(requests(SHOOTDOWN_DEMOTE), 0u);
	EXPECT_EQ(leaf(VA), 0u);
	EXPECT_EQ(kernel_pmap->large_mapped, 0u);
	host_assert_no_translation(VA, VA + SUPERPAGE_SIZE);
	for (unsigned i = 0; i < MMU_TABLE_ENTRIES; i++)
		give_back(first_ + i);
	EXPECT_TRUE(sound());
	fail_tables(1);
	vm_page_t m = new_page();
	EXPECT_EQ(enter(VA + 7 * PAGE_SIZE, m, RW), KERN_SUCCESS);
	host_fault_disarm();
	EXPECT_EQ(kernel_pmap->table_pages, tables);
	on_each([&] { EXPECT_EQ(host_load64(VA + 7 * PAGE_SIZE), VM_PAGE_TO_PHYS(m)); });
}

/* A CPU that remembers the table finds in it what the large leaf says, and nothing else. */
TEST_F(PmapLargeTest, CpuThatRemembersTheTableIsNotMisled)
{
	boot_pmap(2);
	vm_page_t m = new_page();

	ASSERT_EQ(enter(VA, m, RW), KERN_SUCCESS);
	on_each([] { EXPECT_TRUE(may(VA, HOST_READ)); });
	ASSERT_EQ(pmap_remove(kernel_pmap, VA, VA + PAGE_SIZE), KERN_SUCCESS);
	ASSERT_EQ(enter(VA + PAGE_SIZE, m, RW), KERN_SUCCESS);
	on_each([] { EXPECT_TRUE(may(VA + PAGE_SIZE, HOST_READ)); });
	/* Page 1 goes without a shootdown, and is not looked at again: the table stays known. */
	arch_pte_write(raw_entry(VA + PAGE_SIZE, 1), 0);
	first_ = new_run();
	ASSERT_EQ(pmap_enter_large(kernel_pmap, VA, first_, RW, true), KERN_SUCCESS);
	struct host_tlb_entry table;
	EXPECT_TRUE(host_tlb_find_table(1, VA, &table));
	expect_mapped(2, 512);
	on(1, [] { EXPECT_TRUE(may(VA + 9 * PAGE_SIZE, HOST_WRITE)); });
	ASSERT_EQ(remove(0, 512), KERN_SUCCESS);
	host_assert_no_translation(VA, VA + SUPERPAGE_SIZE);
	on_each([] { EXPECT_FALSE(may(VA + 9 * PAGE_SIZE, HOST_READ)); });
	EXPECT_TRUE(sound());
}

TEST_F(PmapLargeTest, SplittingOursNeedsNoMemory)
{
	boot_large(1);
	fail_tables(1);
	EXPECT_EQ(remove(1, 2), KERN_SUCCESS);
	EXPECT_EQ(host_fault_calls(), 0u);
	host_fault_disarm();
	EXPECT_TRUE(sound());
}

TEST_F(PmapLargeTest, SplittingAnothersFailsWithNothingChanged)
{
	boot_pmap(2);
	first_ = new_run();
	ASSERT_EQ(pmap_growkernel(VA + SUPERPAGE_SIZE, VA + 2 * SUPERPAGE_SIZE), KERN_SUCCESS);
	/* As the backend makes them: no table behind it. */
	*raw_entry(VA, 2) = VM_PAGE_TO_PHYS(first_) | PTE_PRESENT | PTE_GLOBAL | PTE_WRITE |
			    PTE_NX | PTE_LARGE | PTE_ACCESSED | PTE_DIRTY;
	pte_t before = leaf(VA);

	expect_mapped(0, 512);
	fail_tables(1);
	EXPECT_EQ(remove(10, 20), KERN_RESOURCE_SHORTAGE);
	EXPECT_EQ(pmap_protect(kernel_pmap, VA, VA + PAGE_SIZE, R), KERN_RESOURCE_SHORTAGE);
	host_fault_disarm();
	EXPECT_EQ(leaf(VA), before);
	EXPECT_EQ(all_requests(), 0u);
	EXPECT_EQ(remove(10, 20), KERN_SUCCESS);
	EXPECT_EQ(leaf(VA + 10 * PAGE_SIZE), 0u);
	expect_mapped(20, 512);
	EXPECT_TRUE(sound());
}

TEST_F(PmapLargeTest, RangeAcrossTwoSplitsBoth)
{
	boot_large(2);
	vm_page_t second = new_run();

	ASSERT_EQ(pmap_enter_large(kernel_pmap, VA + SUPERPAGE_SIZE, second, RX, true),
		  KERN_SUCCESS);
	ASSERT_EQ(remove(500, 600), KERN_SUCCESS);
	EXPECT_EQ(kernel_pmap->demotions, 2u);
	expect_mapped(0, 500);
	on_each([&] {
		EXPECT_FALSE(may(VA + 500 * PAGE_SIZE, HOST_READ));
		EXPECT_FALSE(may(VA + 599 * PAGE_SIZE, HOST_READ));
		EXPECT_EQ(host_load64(VA + 600 * PAGE_SIZE), VM_PAGE_TO_PHYS(second + 88));
		EXPECT_TRUE(may(VA + 600 * PAGE_SIZE, HOST_EXECUTE));
	});
	EXPECT_TRUE(sound());
}

TEST_F(PmapLargeTest, EmptyRangeSplitsNothing)
{
	boot_large(1);
	EXPECT_EQ(remove(3, 3), KERN_SUCCESS);
	EXPECT_EQ(level(VA), 2u);
}

TEST_F(PmapLargeTest, OwnersOfTheTwoHalvesMaySplitAtOnce)
{
	for (uint64_t seed = 1; seed <= 30 && !HasFailure(); seed++) {
		boot_pmap(2, seed);
		first_ = new_run();
		ASSERT_EQ(pmap_enter_large(kernel_pmap, VA, first_, RW, true), KERN_SUCCESS);
		on_each([] { may(VA, HOST_WRITE); });
		run_all([this] {
			unsigned base = arch_cpu_id() * 256;

			EXPECT_EQ(remove(base + 10, base + 20), KERN_SUCCESS);
			host_assert_no_translation(VA + ptoa(base + 10), VA + ptoa(base + 20));
		});
		EXPECT_EQ(kernel_pmap->demotions, 1u);
		expect_mapped(20, 266);
		expect_mapped(276, 512);
		EXPECT_TRUE(sound());
	}
}

TEST_F(PmapLargeDeathTest, UnalignedRunsAreRefused)
{
	boot_large(1);
	EXPECT_DEATH(pmap_enter_large(kernel_pmap, VA + PAGE_SIZE, first_, RW, true), "check");
	EXPECT_DEATH(pmap_enter_large(kernel_pmap, VA + SUPERPAGE_SIZE, first_ + 1, RW, true),
		     "check");
	EXPECT_DEATH(pmap_enter_large(kernel_pmap, VA, new_run(), RW, true), "is mapped");
}

TEST_F(PmapLargeTest, AuditFindsAKeptTableThatDiffers)
{
	boot_large(1);
	pte_t *entry = raw_entry(VA, 2);
	pte_t before = *entry;

	*entry &= ~PTE_WRITE;
	EXPECT_FALSE(sound());
	EXPECT_NE(text().find("the kept table differs"), std::string::npos) << text();
	*entry = before | ((pte_t)1 << 14);
	EXPECT_FALSE(sound());
	EXPECT_NE(text().find("not aligned"), std::string::npos) << text();
	*entry = before;
	EXPECT_TRUE(sound());
}

} // namespace
} // namespace quire
