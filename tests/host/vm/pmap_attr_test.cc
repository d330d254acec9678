// SPDX-License-Identifier: BSD-2-Clause
/* Memory types: in both mappings of a page, on all CPUs, and gone when the page is free. */
#include <atomic>

#include "tests/host/vm/pmap_fixture.h"

namespace quire
{
namespace
{

/* Intel SDM vol. 3A table 12-11: PAT, PCD and PWT select an entry of the PAT. */
struct Selection {
	vm_memattr_t attr;
	pte_t small, large;
};
constexpr Selection selections[] = {
    {VM_MEMATTR_WRITE_BACK, 0, 0},
    {VM_MEMATTR_WRITE_THROUGH, PTE_PWT, PTE_PWT},
    {VM_MEMATTR_WEAK_UNCACHEABLE, PTE_PCD, PTE_PCD},
    {VM_MEMATTR_UNCACHEABLE, PTE_PCD | PTE_PWT, PTE_PCD | PTE_PWT},
    {VM_MEMATTR_WRITE_COMBINING, PTE_PAT, PTE_PAT_LARGE},
    {VM_MEMATTR_WRITE_PROTECTED, PTE_PAT | PTE_PWT, PTE_PAT_LARGE | PTE_PWT},
};
constexpr pte_t SMALL_BITS = PTE_PAT | PTE_PCD | PTE_PWT;
constexpr pte_t LARGE_BITS = PTE_PAT_LARGE | PTE_PCD | PTE_PWT;

vm_offset_t direct(vm_page_t m)
{
	return PHYSMAP_BASE + VM_PAGE_TO_PHYS(m);
}

class PmapAttrTest : public PmapTest
{
      protected:
	static int set(vm_page_t m, vm_memattr_t attr, unsigned long npages = 1)
	{
		return pmap_pages_set_memattr(m, npages, attr);
	}

	static void restore(vm_page_t m, unsigned long npages = 1)
	{
		pmap_pages_restore_memattr(m, npages);
	}

	static int remove(vm_offset_t start, unsigned npages)
	{
		return pmap_remove(kernel_pmap, start, start + ptoa(npages));
	}

	/* npages consecutive pages that begin `before` pages ahead of a 2 MiB boundary. */
	static vm_page_t run_across(unsigned before, unsigned long npages)
	{
		for (vm_paddr_t low = SUPERPAGE_SIZE; low < host_ram_end(); low += SUPERPAGE_SIZE) {
			vm_paddr_t start = low - ptoa(before);
			vm_page_t m = vm_page_alloc_contig(nullptr, 0, ALLOC, npages, start,
							   start + ptoa(npages), PAGE_SIZE, 0,
							   VM_MEMATTR_DEFAULT);
			if (m != nullptr && all_large(m, npages))
				return m;
		}
		ADD_FAILURE() << "no such run";
		return nullptr;
	}

	static bool all_large(vm_page_t m, unsigned long npages)
	{
		for (unsigned long i = 0; i < npages; i++)
			if (level(direct(m + i)) < 2)
				return false;
		return true;
	}

	static vm_paddr_t host_ram_end()
	{
		const struct host_config *made = host_machine_config();

		return made->ranges[made->range_count - 1].end;
	}

	static void give_back_run(vm_page_t m, unsigned long npages)
	{
		for (unsigned long i = 0; i < npages; i++)
			give_back(m + i);
	}

	/* The run's pages have the type by every account, and all leaves agree. */
	static void expect_type(vm_page_t m, vm_memattr_t attr, unsigned long npages = 1)
	{
		for (unsigned long i = 0; i < npages; i++) {
			unsigned at;
			pte_t leaf = pmap_leaf(kernel_pmap, direct(m + i), &at);

			ASSERT_EQ(m[i].memattr, attr);
			ASSERT_EQ(leaf & (at == 1 ? SMALL_BITS : LARGE_BITS),
				  at == 1 ? selections[attr].small : selections[attr].large);
			ASSERT_EQ(pmap_kextract(direct(m + i)), VM_PAGE_TO_PHYS(m + i));
			ASSERT_EQ(leaf & (PTE_WRITE | PTE_NX | PTE_GLOBAL | PTE_PRESENT),
				  PTE_WRITE | PTE_NX | PTE_GLOBAL | PTE_PRESENT);
		}
	}

	static ::testing::AssertionResult types_agree()
	{
		text().clear();
		if (pmap_attr_audit(kernel_pmap, [](const char *line) {
			    text() += std::string(line) + "\n";
		    }) == 0)
			return sound();
		return ::testing::AssertionFailure() << text();
	}

	static struct host_cache_stats caches()
	{
		struct host_cache_stats stats;

		host_cache_stats(&stats);
		return stats;
	}

	/* The whole of a GiB in one leaf; not filled, for it would take long. */
	void boot_gibibyte()
	{
		config.ranges[0] = {UINT64_C(1) << 30, UINT64_C(2) << 30, 0};
		config.ranges[1] = {UINT64_C(2) << 30, (UINT64_C(2) << 30) + (2 << 20), 0};
		config.range_count = 2;
		config.image_size = 64 * 1024;
		boot(1, 1);
		vm_boot_init();
		shootdown_init(
		    1, [](size_t bytes) { return vm_boot_alloc(bytes, CACHE_LINE, "shootdown"); });
		vm_magazine_init(1);
		vm_phys_init();
		vm_object_init();
		pmap_init();
		start(UINT64_C(20) * 1000 * 1000 * 1000);
	}

	static vm_page_t page_in_gibibyte()
	{
		vm_page_t m = vm_page_alloc_contig(nullptr, 0, ALLOC, 1, UINT64_C(1) << 30,
						   UINT64_C(2) << 30, 1, 0, VM_MEMATTR_DEFAULT);
		EXPECT_EQ(level(direct(m)), 3u);
		return m;
	}

	static constexpr int ALLOC = VM_ALLOC_SYSTEM | VM_ALLOC_NOOBJ | VM_ALLOC_WIRED;
};

using PmapAttrDeathTest = PmapAttrTest;

TEST_F(PmapAttrTest, BitsAndAttributesAreEachOthersInverse)
{
	for (const Selection &s : selections) {
		EXPECT_EQ(pte_attr_bits(s.attr, 1), s.small);
		EXPECT_EQ(pte_attr_bits(s.attr, 2), s.large);
		EXPECT_EQ(pte_attr_bits(s.attr, 3), s.large);
		EXPECT_EQ(pte_attr(s.small | PTE_WRITE | PTE_PAT_LARGE, 1), s.attr);
		EXPECT_EQ(pte_attr(s.large | PTE_WRITE | PTE_LARGE, 2), s.attr);
		EXPECT_EQ(pte_attr(s.large | PTE_WRITE | PTE_LARGE, 3), s.attr);
	}
}

TEST_F(PmapAttrTest, EachAttributeReachesBothMappingsOfAPage)
{
	boot_pmap(2);
	for (const Selection &s : selections) {
		vm_page_t m = new_page();

		ASSERT_EQ(pmap_page_set_memattr(m, s.attr), KERN_SUCCESS);
		expect_type(m, s.attr);
		ASSERT_EQ(enter(VA, m, RW), KERN_SUCCESS);
		EXPECT_EQ(leaf(VA) & SMALL_BITS, s.small);
		EXPECT_TRUE(types_agree());
		on_each([m] {
			EXPECT_EQ(host_load64(VA), VM_PAGE_TO_PHYS(m)) << "contents stay";
			host_store64(VA + 8, 77);
			EXPECT_EQ(host_load64(direct(m) + 8), 77u);
		});
		ASSERT_EQ(remove(VA, 1), KERN_SUCCESS);
		restore(m);
		expect_type(m, VM_MEMATTR_DEFAULT);
		give_back(m);
		EXPECT_TRUE(types_agree());
	}
}

TEST_F(PmapAttrTest, EachAttributeReachesALargePage)
{
	boot_pmap(1);
	for (const Selection &s : selections) {
		vm_page_t run = new_run(s.attr);

		expect_type(run, s.attr, MMU_TABLE_ENTRIES);
		ASSERT_EQ(pmap_enter_large(kernel_pmap, VA, run, RW, true), KERN_SUCCESS);
		EXPECT_EQ(leaf(VA) & LARGE_BITS, s.large);
		EXPECT_EQ(level(VA), 2u);
		EXPECT_TRUE(types_agree());
		ASSERT_EQ(remove(VA, 512), KERN_SUCCESS);
		restore(run, MMU_TABLE_ENTRIES);
		expect_type(run, VM_MEMATTR_DEFAULT, MMU_TABLE_ENTRIES);
		give_back_run(run, MMU_TABLE_ENTRIES);
	}
	EXPECT_TRUE(types_agree());
}

TEST_F(PmapAttrTest, SplittingTheDirectMapLeavesTheRestAsItWas)
{
	boot_pmap(1);
	vm_page_t m = run_across(1, 2);
	vm_offset_t middle = direct(m) + PAGE_SIZE, first = middle - SUPERPAGE_SIZE;
	pte_t before = leaf(first), behind = leaf(middle);

	ASSERT_EQ(set(m, VM_MEMATTR_UNCACHEABLE), KERN_SUCCESS);
	expect_type(m, VM_MEMATTR_UNCACHEABLE);
	EXPECT_EQ(level(first), 1u);
	for (vm_offset_t va = first; va < direct(m); va += PAGE_SIZE)
		ASSERT_EQ(leaf(va), (before & ~PTE_LARGE) + (va - first));
	EXPECT_EQ(level(middle), 2u) << "what is not asked for stays large";
	EXPECT_EQ(leaf(middle), behind);
	EXPECT_EQ(kernel_pmap->direct_tables, 1u);
	EXPECT_EQ(kernel_pmap->demotions, 1u);
	EXPECT_TRUE(types_agree());
}

TEST_F(PmapAttrTest, AGibibyteIsSplitDownToThePage)
{
	boot_gibibyte();
	vm_page_t m = page_in_gibibyte();

	ASSERT_EQ(set(m, VM_MEMATTR_WRITE_COMBINING), KERN_SUCCESS);
	expect_type(m, VM_MEMATTR_WRITE_COMBINING);
	EXPECT_EQ(kernel_pmap->direct_tables, 2u);
	EXPECT_EQ(level(direct(m) ^ SUPERPAGE_SIZE), 2u);
	EXPECT_EQ(pmap_kextract(direct(m) ^ SUPERPAGE_SIZE), VM_PAGE_TO_PHYS(m) ^ SUPERPAGE_SIZE);
	EXPECT_TRUE(types_agree());
	restore(m);
	EXPECT_TRUE(types_agree());
}

TEST_F(PmapAttrTest, EveryCpuForgetsTheOldType)
{
	boot_pmap(4);
	vm_page_t m = run_across(1, 2);
	struct host_tlb_entry known;
	uint64_t before = requests(SHOOTDOWN_MEMATTR);

	on_each([m] { host_load64(direct(m)); });
	for (unsigned cpu = 0; cpu < 4; cpu++) {
		ASSERT_TRUE(host_tlb_find(cpu, direct(m), &known));
		EXPECT_EQ(known.level, 2u);
		EXPECT_EQ(known.attr, VM_MEMATTR_WRITE_BACK);
	}
	ASSERT_EQ(set(m, VM_MEMATTR_UNCACHEABLE), KERN_SUCCESS);
	EXPECT_EQ(requests(SHOOTDOWN_MEMATTR), before + 1);
	for (unsigned cpu = 0; cpu < 4; cpu++)
		EXPECT_FALSE(host_tlb_find(cpu, direct(m), &known) &&
			     known.attr != VM_MEMATTR_UNCACHEABLE);
	on_each([m] { host_load64(direct(m)); });
	for (unsigned cpu = 0; cpu < 4; cpu++) {
		ASSERT_TRUE(host_tlb_find(cpu, direct(m), &known));
		EXPECT_EQ(known.level, 1u);
		EXPECT_EQ(known.attr, VM_MEMATTR_UNCACHEABLE);
	}
	restore(m);
	EXPECT_EQ(requests(SHOOTDOWN_MEMATTR), before + 2);
	for (unsigned cpu = 0; cpu < 4; cpu++)
		EXPECT_FALSE(host_tlb_find(cpu, direct(m), &known) && known.attr != 0);
	give_back(m); /* the oracle looks */
}

TEST_F(PmapAttrTest, PagesAreAbsentWhileTheCpusForget)
{
	struct Seen {
		vm_offset_t va;
		std::atomic<unsigned> times, present; /* CPUs do not order the watcher */
	} seen;

	boot_pmap(3);
	seen.va = direct(new_page());
	seen.times = seen.present = 0;
	host_set_watch(
	    [](enum arch_hook_kind kind, const volatile void *, void *ctx) {
		    auto *s = static_cast<Seen *>(ctx);
		    if (kind != ARCH_HOOK_TLB)
			    return;
		    s->times++;
		    s->present += host_walk_tables(s->va, nullptr) != 0;
	    },
	    &seen);
	ASSERT_EQ(set(PHYS_TO_VM_PAGE(seen.va - PHYSMAP_BASE), VM_MEMATTR_WRITE_COMBINING),
		  KERN_SUCCESS);
	host_set_watch(nullptr, nullptr);
	EXPECT_EQ(seen.times, 3u) << "one page on each CPU";
	EXPECT_EQ(seen.present, 0u);
}

TEST_F(PmapAttrTest, CachesAreFlushedOfTheRun)
{
	boot_pmap(2);
	vm_page_t m = run_across(3, 5);

	ASSERT_EQ(set(m, VM_MEMATTR_WRITE_COMBINING, 5), KERN_SUCCESS);
	EXPECT_EQ(caches().ranges, 1u);
	EXPECT_EQ(caches().pa, VM_PAGE_TO_PHYS(m));
	EXPECT_EQ(caches().size, 5 * PAGE_SIZE);
	EXPECT_EQ(caches().all, 0u);
	restore(m + 1, 2);
	EXPECT_EQ(caches().pages, 7u);
}

TEST_F(PmapAttrTest, WithoutFlushByAddressEveryCpuEmptiesItsCaches)
{
	boot_pmap(3);
	host_cache_set_by_address(false);
	ASSERT_EQ(set(new_page(), VM_MEMATTR_UNCACHEABLE), KERN_SUCCESS);
	EXPECT_EQ(caches().ranges, 0u);
	EXPECT_EQ(caches().all, 3u);
}

TEST_F(PmapAttrTest, TheSameAttributeAgainAsksNobody)
{
	boot_pmap(2);
	vm_page_t m = new_page();
	uint64_t before = all_requests();

	EXPECT_EQ(set(m, VM_MEMATTR_DEFAULT), KERN_SUCCESS);
	restore(m);
	EXPECT_EQ(all_requests(), before);
	EXPECT_EQ(kernel_pmap->direct_tables, 0u);
	EXPECT_EQ(set(m, VM_MEMATTR_UNCACHEABLE), KERN_SUCCESS);
	before = all_requests();
	EXPECT_EQ(set(m, VM_MEMATTR_UNCACHEABLE), KERN_SUCCESS);
	EXPECT_EQ(all_requests(), before);
	EXPECT_EQ(set(m, VM_MEMATTR_WRITE_COMBINING), KERN_SUCCESS) << "from one to another";
	expect_type(m, VM_MEMATTR_WRITE_COMBINING);
}

TEST_F(PmapAttrTest, WhatIsNoAttributeIsRefused)
{
	boot_pmap(1);
	vm_page_t m = new_page();

	EXPECT_EQ(set(m, VM_MEMATTR_COUNT), KERN_INVALID_ARGUMENT);
	EXPECT_EQ(set(m, 255), KERN_INVALID_ARGUMENT);
	EXPECT_EQ(vm_page_alloc_contig(nullptr, 0, ALLOC, 1, 0, UINT64_MAX, 1, 0, 6), nullptr);
	expect_type(m, VM_MEMATTR_DEFAULT);
}

/* --- Failure --- */

TEST_F(PmapAttrTest, EachTableThatFailsLeavesEveryTypeAsItWas)
{
	for (const char *site : {"pmap_table", "vm_page_alloc_internal"}) {
		for (auto policy : {HOST_FAULT_NTH, HOST_FAULT_FROM_NTH}) {
			boot_pmap(1);
			vm_page_t m = run_across(4, 4 + 512 + 3);

			for (uint64_t nth = 1; nth <= 3; nth++) {
				/* What an earlier try has split stays, so the first one fails. */
				struct host_fault_plan plan = {policy, nth == 1 ? 1u : 2u, 0, site};

				host_fault_arm(&plan);
				EXPECT_EQ(set(m, VM_MEMATTR_UNCACHEABLE, 519),
					  KERN_RESOURCE_SHORTAGE);
				host_fault_disarm();
				EXPECT_EQ(kernel_pmap->direct_tables, nth - 1);
				expect_type(m, VM_MEMATTR_DEFAULT, 519);
				EXPECT_TRUE(types_agree());
			}
			EXPECT_EQ(set(m, VM_MEMATTR_UNCACHEABLE, 519), KERN_SUCCESS);
			EXPECT_EQ(kernel_pmap->direct_tables, 3u);
			expect_type(m, VM_MEMATTR_UNCACHEABLE, 519);
			EXPECT_TRUE(types_agree());
		}
	}
}

TEST_F(PmapAttrTest, BothTablesBelowAGibibyteMayFail)
{
	boot_gibibyte();
	vm_page_t m = page_in_gibibyte();

	for (uint64_t nth = 1; nth <= 2; nth++) {
		fail_tables(nth);
		EXPECT_EQ(set(m, VM_MEMATTR_UNCACHEABLE), KERN_RESOURCE_SHORTAGE);
		host_fault_disarm();
		EXPECT_EQ(kernel_pmap->direct_tables, nth - 1);
		expect_type(m, VM_MEMATTR_DEFAULT);
		EXPECT_TRUE(types_agree());
		if (nth == 1)
			continue;
		EXPECT_EQ(set(m, VM_MEMATTR_UNCACHEABLE), KERN_SUCCESS);
	}
}

TEST_F(PmapAttrTest, ARunThatCannotHaveItsTypeIsGivenBack)
{
	boot_pmap(1);
	uint64_t before = vm_page_free_count();

	fail_tables(1);
	EXPECT_EQ(vm_page_alloc_contig(nullptr, 0, ALLOC, 512, 0, UINT64_MAX, SUPERPAGE_SIZE, 0,
				       VM_MEMATTR_WRITE_COMBINING),
		  nullptr);
	host_fault_disarm();
	EXPECT_EQ(vm_page_free_count(), before);
	EXPECT_TRUE(types_agree());
}

TEST_F(PmapAttrTest, RestoringAnyPartNeedsNoMemory)
{
	boot_pmap(1);
	vm_page_t run = new_run(VM_MEMATTR_WRITE_COMBINING);
	struct host_fault_plan everything = {HOST_FAULT_FROM_NTH, 1, 0, nullptr};

	host_fault_arm(&everything);
	restore(run + 100, 3);
	restore(run + 101, 400);
	restore(run, 512);
	EXPECT_EQ(host_fault_calls(), 0u);
	host_fault_disarm();
	expect_type(run, VM_MEMATTR_DEFAULT, 512);
	EXPECT_TRUE(types_agree());
}

/* --- Giving back --- */

TEST_F(PmapAttrTest, RestoringPassesOverPagesOfTheDefault)
{
	boot_pmap(1);
	vm_page_t m = run_across(8, 16);

	ASSERT_EQ(set(m + 2, VM_MEMATTR_UNCACHEABLE, 3), KERN_SUCCESS);
	ASSERT_EQ(set(m + 5, VM_MEMATTR_WRITE_COMBINING, 1), KERN_SUCCESS);
	ASSERT_EQ(set(m + 12, VM_MEMATTR_UNCACHEABLE, 4), KERN_SUCCESS);
	uint64_t before = requests(SHOOTDOWN_MEMATTR);

	restore(m, 16);
	expect_type(m, VM_MEMATTR_DEFAULT, 16);
	EXPECT_EQ(requests(SHOOTDOWN_MEMATTR), before + 2) << "two runs";
	EXPECT_TRUE(types_agree());
}

TEST_F(PmapAttrTest, FreeingAPageOutsideOfObjectsRestoresIt)
{
	boot_pmap(2);
	vm_page_t m =
	    vm_page_alloc_contig(nullptr, 0, ALLOC, 4, 0, UINT64_MAX, 1, 0, VM_MEMATTR_UNCACHEABLE);

	ASSERT_NE(m, nullptr);
	expect_type(m, VM_MEMATTR_UNCACHEABLE, 4);
	on_each([m] { host_load64(direct(m + 1)); });
	give_back_run(m, 4);
	expect_type(m, VM_MEMATTR_DEFAULT, 4);
	EXPECT_TRUE(types_agree());
}

TEST_F(PmapAttrTest, PagesOfAnObjectAreRestoredByIndex)
{
	boot_pmap(1);
	std::vector<vm_page_t> pages;

	for (vm_pindex_t index : {10, 11, 12, 20, 30, 31, 40}) {
		VM_OBJECT_WLOCK(kernel_object);
		pages.push_back(vm_page_alloc(kernel_object, index, VM_ALLOC_SYSTEM));
		VM_OBJECT_WUNLOCK(kernel_object);
		ASSERT_NE(pages.back(), nullptr);
		if (index != 11) {
			ASSERT_EQ(set(pages.back(), VM_MEMATTR_UNCACHEABLE), KERN_SUCCESS);
		}
	}
	pmap_object_restore_memattr(kernel_object, 5, 5);
	pmap_object_restore_memattr(kernel_object, 0, 10);
	expect_type(pages[0], VM_MEMATTR_UNCACHEABLE);
	pmap_object_restore_memattr(kernel_object, 11, 31);
	for (unsigned i = 0; i < 7; i++)
		expect_type(pages[i],
			    i == 0 || i >= 5 ? VM_MEMATTR_UNCACHEABLE : VM_MEMATTR_DEFAULT);
	pmap_object_restore_memattr(kernel_object, 0, 1000);
	EXPECT_TRUE(types_agree());
	VM_OBJECT_WLOCK(kernel_object);
	vm_object_page_remove(kernel_object, 0, 1000);
	VM_OBJECT_WUNLOCK(kernel_object);
	EXPECT_TRUE(types_agree());
}

/* --- Several CPUs --- */

TEST_F(PmapAttrTest, NeighboursInOneLargePageMayChangeAtOnce)
{
	for (uint64_t seed = 1; seed <= 20 && !HasFailure(); seed++) {
		config.speculate_ppm = 50 * 1000;
		boot_pmap(4, seed);
		vm_page_t m = run_across(4, 12);

		run_all([m] {
			vm_page_t own = m + arch_cpu_id() * 3;

			for (vm_memattr_t attr = VM_MEMATTR_COUNT; attr-- > 0;) {
				ASSERT_EQ(set(own, attr, 3), KERN_SUCCESS);
				expect_type(own, attr, 3);
				host_store64(direct(own + 1), attr);
				EXPECT_EQ(host_load64(direct(own + 1)), attr);
			}
		});
		EXPECT_EQ(kernel_pmap->direct_tables, 2u);
		EXPECT_TRUE(types_agree());
		give_back_run(m, 12);
	}
}

TEST_F(PmapAttrTest, ChangesGoOnWithThreads)
{
	boot_pmap(4, 1, HOST_THREADS);
	vm_page_t m = run_across(4, 8);

	run_all([m] {
		vm_page_t own = m + arch_cpu_id() * 2;

		for (unsigned i = 0; i < 20; i++) {
			EXPECT_EQ(set(own, VM_MEMATTR_UNCACHEABLE, 2), KERN_SUCCESS);
			host_store64(direct(own), i);
			EXPECT_EQ(host_load64(direct(own)), i);
			restore(own, 2);
		}
	});
	EXPECT_TRUE(types_agree());
	give_back_run(m, 8);
}

/* --- Callers' mistakes, and broken kernels --- */

TEST_F(PmapAttrDeathTest, AMappedPageOfAKernelObjectIsNoticed)
{
	boot_pmap(1);
	VM_OBJECT_WLOCK(kernel_object);
	vm_page_t m = vm_page_alloc(kernel_object, 7, VM_ALLOC_SYSTEM | VM_ALLOC_WIRED);
	VM_OBJECT_WUNLOCK(kernel_object);
	ASSERT_EQ(enter(VA + 7 * PAGE_SIZE, m, RW), KERN_SUCCESS);
	EXPECT_DEATH(set(m, VM_MEMATTR_UNCACHEABLE), "while it is mapped at 0xfffffe0000007000");
	ASSERT_EQ(remove(VA + 7 * PAGE_SIZE, 1), KERN_SUCCESS);
	EXPECT_EQ(set(m, VM_MEMATTR_UNCACHEABLE), KERN_SUCCESS);
}

TEST_F(PmapAttrDeathTest, LocksAndFreePagesAreRefused)
{
	boot_pmap(1);
	vm_page_t m = new_page();

	EXPECT_DEATH(
	    {
		    VM_OBJECT_WLOCK(kernel_object);
		    set(m, VM_MEMATTR_UNCACHEABLE);
	    },
	    "spin_held_count");
	EXPECT_DEATH(
	    {
		    VM_OBJECT_WLOCK(kernel_object);
		    vm_page_alloc_contig(kernel_object, 0, VM_ALLOC_SYSTEM, 1, 0, UINT64_MAX, 1, 0,
					 VM_MEMATTR_UNCACHEABLE);
	    },
	    "check");
	give_back(m);
	EXPECT_DEATH(set(m, VM_MEMATTR_UNCACHEABLE), "state");
}

TEST_F(PmapAttrDeathTest, AnObjectsPageIsNotFreedWithItsType)
{
	boot_pmap(1);
	VM_OBJECT_WLOCK(kernel_object);
	vm_page_t m = vm_page_alloc(kernel_object, 7, VM_ALLOC_SYSTEM);
	VM_OBJECT_WUNLOCK(kernel_object);
	ASSERT_EQ(set(m, VM_MEMATTR_WRITE_COMBINING), KERN_SUCCESS);
	EXPECT_DEATH(
	    {
		    VM_OBJECT_WLOCK(kernel_object);
		    vm_page_free(m);
	    },
	    "still in an object and of memory type 4");
}

TEST_F(PmapAttrDeathTest, TheOracleSeesACpuThatWasNotAsked)
{
	boot_pmap(2);
	vm_page_t m = new_page();
	pte_t *entry;

	ASSERT_EQ(set(m, VM_MEMATTR_UNCACHEABLE), KERN_SUCCESS);
	entry = raw_entry(direct(m), 1);
	on(1, [m] { host_load64(direct(m)); });
	*entry &= ~SMALL_BITS;
	EXPECT_DEATH(EXPECT_TRUE(arch_cache_flush(VM_PAGE_TO_PHYS(m), PAGE_SIZE)),
		     "is flushed while CPU 1 knows it with memory type 3");
	m->memattr = VM_MEMATTR_DEFAULT;
	EXPECT_DEATH(give_back(m), "released while CPU 1 knows it with memory type 3");
}

TEST_F(PmapAttrTest, AuditFindsMappingsThatDisagree)
{
	boot_pmap(1);
	vm_page_t m = run_across(1, 2);
	pte_t *entry, before;

	ASSERT_EQ(set(m, VM_MEMATTR_UNCACHEABLE), KERN_SUCCESS);
	ASSERT_EQ(enter(VA, m, RW), KERN_SUCCESS);
	EXPECT_TRUE(types_agree());
	for (vm_offset_t va : {VA, direct(m)}) {
		entry = raw_entry(va, 1);
		before = *entry;
		*entry ^= PTE_PWT;
		EXPECT_FALSE(types_agree());
		EXPECT_NE(text().find("differs from the page's memory type"), std::string::npos);
		*entry = before;
	}
	*entry = before ^ PAGE_SIZE;
	EXPECT_FALSE(types_agree());
	EXPECT_NE(text().find("not linear"), std::string::npos) << text();
	*entry = before & ~PTE_NX;
	EXPECT_FALSE(types_agree());
	EXPECT_NE(text().find("executable"), std::string::npos) << text();
	*entry = before & ~PTE_PRESENT;
	EXPECT_FALSE(types_agree());
	EXPECT_NE(text().find("not present, but not empty"), std::string::npos) << text();
	*entry = before;
	kernel_pmap->direct_tables++;
	EXPECT_FALSE(types_agree());
	EXPECT_NE(text().find("direct map: 2 by the count, 1 found"), std::string::npos) << text();
	kernel_pmap->direct_tables--;
	EXPECT_TRUE(types_agree());
}

} // namespace
} // namespace quire
