/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/arch/page_tables.h"

namespace
{

class OracleTest : public PageTableTest
{
      protected:
	OracleTest()
	{
		config.cpus = 3;
	}
};

TEST_F(OracleTest, ReleaseOfAPageThatACpuStillMapsPanics)
{
	vm_paddr_t pa = frame();

	map(VA, pa);
	on_cpu(2, [] { (void)host_load64(VA); });
	arch_pte_write(entry(VA), 0);
	EXPECT_DEATH(arch_page_released(pa, 1),
		     "TLB oracle: page 0x[0-9a-f]+ released while CPU 2 still maps it at 0xfffffe");
	on_cpu(2, [] { arch_tlb_invalidate_page(VA); });
	arch_page_released(pa, 1);
}

TEST_F(OracleTest, ReleaseInsideOfAStaleSuperpagePanics)
{
	vm_paddr_t pa = superframe();

	map(VA, pa, DATA, 2);
	(void)host_load64(VA);
	EXPECT_DEATH(arch_page_released(pa + 17 * PAGE_SIZE, 1),
		     "still maps it at 0xfffffe00000110");
	EXPECT_DEATH(arch_page_released(pa - PAGE_SIZE, 2), "still maps it at 0xfffffe0000000000");
	arch_page_released(pa - PAGE_SIZE, 1);
	arch_tlb_invalidate_page(VA);
	arch_page_released(pa, 512);
}

TEST_F(OracleTest, ReleaseOfATableThatACpuRemembersPanics)
{
	vm_paddr_t table;

	map(VA, frame());
	(void)host_load64(VA);
	table = pte_paddr(*entry(VA, 2), 1);
	EXPECT_DEATH(arch_page_released(table, 1), "still knows it as the level-1 table");
	arch_tlb_flush();
	arch_page_released(table, 1);
}

TEST_F(OracleTest, TheDirectMapDoesNotCount)
{
	vm_paddr_t pa = frame();

	host_store64(PHYSMAP_BASE + pa, 9);
	EXPECT_EQ(*(uint64_t *)arch_physmap(pa), 9u);
	EXPECT_TRUE(host_tlb_find(0, PHYSMAP_BASE + pa, nullptr));
	arch_page_released(pa, 1);
}

TEST_F(OracleTest, NeighboursDoNotCount)
{
	vm_paddr_t a = frame(), b = frame(), c = frame();

	map(VA, b);
	(void)host_load64(VA);
	arch_page_released(a, 1);
	arch_page_released(c, 1);
	EXPECT_DEATH(arch_page_released(a, 3), "still maps it");
}

TEST_F(OracleTest, CanBeSwitchedOff)
{
	vm_paddr_t pa = frame();

	map(VA, pa);
	(void)host_load64(VA);
	host_oracle_enable(false);
	arch_page_released(pa, 1);
}

TEST_F(OracleTest, ReuseOfAddressesThatACpuStillTranslatesPanics)
{
	map(VA + PAGE_SIZE, frame());
	on_cpu(1, [] { (void)host_load64(VA + PAGE_SIZE); });
	host_assert_no_translation(VA, VA + PAGE_SIZE);
	host_assert_no_translation(VA + 2 * PAGE_SIZE, VA + 9 * PAGE_SIZE);
	EXPECT_DEATH(host_assert_no_translation(VA, VA + 2 * PAGE_SIZE), "while CPU 1 still maps");
	on_cpu(1, [] { arch_tlb_flush(); });
	host_assert_no_translation(VA, VA + 2 * PAGE_SIZE);
}

TEST_F(OracleTest, CountsStayExactWhenEntriesAreEvicted)
{
	vm_paddr_t pages[32];

	config.tlb_capacity = 5;
	recreate();
	next_frame = arch_boot_info()->ranges[1].start;
	for (unsigned i = 0; i < 32; i++)
		map(VA + i * PAGE_SIZE, pages[i] = frame());
	for (unsigned i = 0; i < 32; i++)
		(void)host_load64(VA + i * PAGE_SIZE);
	arch_tlb_flush();
	for (vm_paddr_t pa : pages)
		arch_page_released(pa, 1);
}

/* --- CPUs that idle and are told of nothing --- */

TEST_F(OracleTest, LazyCpuIsExcusedAndHasFlushedWhenItIsLazyNoMore)
{
	vm_paddr_t pa = frame();

	map(VA, pa);
	on_cpu(2, [] {
		(void)host_load64(VA);
		arch_lazy_begin();
	});
	arch_pte_write(entry(VA), 0);
	arch_page_released(pa, 1);
	host_assert_no_translation(VA, VA + PAGE_SIZE);
	on_cpu(2, [] {
		EXPECT_DEATH(arch_lazy_end(), "CPU 2 leaves idle and still knows page 0x[0-9a-f]+ "
					      "at 0xfffffe0000000000");
		arch_tlb_invalidate_page(VA + PAGE_SIZE);
		EXPECT_DEATH(arch_lazy_end(), "CPU 2 leaves idle");
		arch_tlb_flush();
		arch_lazy_end();
		EXPECT_FALSE(arch_lazy());
	});
	arch_page_released(pa, 1);
}

TEST_F(OracleTest, LazyCpuThatKnewNothingOfItNeedNotFlush)
{
	vm_paddr_t pa = frame();

	on_cpu(2, [] { arch_lazy_begin(); });
	arch_page_released(pa, 1);
	on_cpu(2, [] { arch_lazy_end(); });
}

TEST_F(OracleTest, ExcuseOfOneCpuIsNoneForAnother)
{
	vm_paddr_t pa = frame();

	map(VA, pa);
	on_cpu(1, [] {
		(void)host_load64(VA);
		arch_lazy_begin();
	});
	on_cpu(2, [] { (void)host_load64(VA); });
	EXPECT_DEATH(arch_page_released(pa, 1), "released while CPU 2 still maps it");
}

/* A cache may be filled through it, used or not. */
TEST_F(OracleTest, MemoryTypeThatALazyCpuKnowsIsNotExcused)
{
	vm_paddr_t pa = frame();

	map(VA, pa, DATA | PTE_PCD | PTE_PWT);
	on_cpu(1, [] {
		(void)host_load64(VA);
		arch_lazy_begin();
	});
	EXPECT_DEATH(arch_page_released(pa, 1), "while CPU 1 knows it with memory type 3");
}

TEST_F(OracleTest, LazyCpuMayUsePermanentMappingsOnly)
{
	vm_paddr_t pa = frame();
	uint64_t word;

	map(VA, pa);
	arch_lazy_begin();
	(void)host_load64(PHYSMAP_BASE + pa);
	host_store64(arch_mmu_image_end() - PAGE_SIZE, 1);
	EXPECT_DEATH((void)host_load64(VA),
		     "CPU 0 idles, is told of nothing, and touches 0xfffffe");
	EXPECT_DEATH(host_store64(VA, 1), "touches");
	EXPECT_DEATH(host_execute(VA), "touches");
	EXPECT_DEATH((void)host_load_nofault(VA, &word, sizeof(word)), "touches");
	arch_lazy_end();
	(void)host_load64(VA);
}

} // namespace
