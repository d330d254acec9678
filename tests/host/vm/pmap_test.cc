// SPDX-License-Identifier: BSD-2-Clause
#include "vm/pmap.h"

#include "tests/host/vm/pmap_fixture.h"

namespace quire
{
namespace
{

using PmapDeathTest = PmapTest;

constexpr pte_t ALWAYS = PTE_PRESENT | PTE_GLOBAL | PTE_ACCESSED | PTE_DIRTY;

/* --- Small leaves --- */

TEST_F(PmapTest, LeafSaysWhatTheProtectionSays)
{
	boot_pmap(1);
	vm_page_t m = new_page();
	vm_paddr_t pa = VM_PAGE_TO_PHYS(m);

	ASSERT_EQ(enter(VA, m, R, false), KERN_SUCCESS);
	ASSERT_EQ(enter(VA + PAGE_SIZE, m, RW, true), KERN_SUCCESS);
	ASSERT_EQ(enter(VA + 2 * PAGE_SIZE, m, RX, true), KERN_SUCCESS);
	EXPECT_EQ(leaf(VA), pa | ALWAYS | PTE_NX);
	EXPECT_EQ(leaf(VA + PAGE_SIZE), pa | ALWAYS | PTE_NX | PTE_WRITE | PTE_WIRED);
	EXPECT_EQ(leaf(VA + 2 * PAGE_SIZE), pa | ALWAYS | PTE_WIRED);
	EXPECT_EQ(pmap_kextract(VA + PAGE_SIZE + 123), pa + 123);
	EXPECT_EQ(pmap_kextract(VA + 3 * PAGE_SIZE), 0u);
	EXPECT_EQ(leaf(VA + 3 * PAGE_SIZE), 0u);
	EXPECT_EQ(host_load64(VA), pa);
	EXPECT_TRUE(sound());
}

TEST_F(PmapTest, LeafHasThePagesCacheAttribute)
{
	boot_pmap(1);
	vm_page_t m = new_page();

	m->memattr = VM_MEMATTR_UNCACHEABLE;
	ASSERT_EQ(enter(VA, m, RW), KERN_SUCCESS);
	EXPECT_EQ(leaf(VA) & (PTE_PAT | PTE_PCD | PTE_PWT), PTE_PCD | PTE_PWT);
	m->memattr = VM_MEMATTR_WRITE_COMBINING;
	ASSERT_EQ(enter(VA + PAGE_SIZE, m, RW), KERN_SUCCESS);
	EXPECT_EQ(leaf(VA + PAGE_SIZE) & (PTE_PAT | PTE_PCD | PTE_PWT), PTE_PAT);
	EXPECT_TRUE(sound());
}

TEST_F(PmapTest, WritableTogetherWithExecutableIsRefused)
{
	boot_pmap(1);
	vm_page_t m = new_page();
	uint64_t tables = kernel_pmap->table_pages;

	EXPECT_EQ(enter(VA, m, RWX), KERN_PROTECTION_FAILURE);
	EXPECT_EQ(pmap_enter_large(kernel_pmap, VA, new_run(), RWX, true), KERN_PROTECTION_FAILURE);
	EXPECT_EQ(kernel_pmap->table_pages, tables);
	ASSERT_EQ(enter(VA, m, RX), KERN_SUCCESS);
	pte_t before = leaf(VA);
	EXPECT_EQ(pmap_protect(kernel_pmap, VA, VA + PAGE_SIZE, RWX), KERN_PROTECTION_FAILURE);
	EXPECT_EQ(leaf(VA), before);
}

TEST_F(PmapTest, SamePageMayGainRightsWhereItStands)
{
	boot_pmap(2);
	vm_page_t m = new_page();

	ASSERT_EQ(enter(VA, m, R), KERN_SUCCESS);
	on_each([] { EXPECT_TRUE(may(VA, HOST_READ)); });
	ASSERT_EQ(enter(VA, m, R), KERN_SUCCESS);
	ASSERT_EQ(enter(VA, m, RW), KERN_SUCCESS);
	on_each([] { EXPECT_TRUE(may(VA, HOST_WRITE)); });
	EXPECT_EQ(all_requests(), 0u);
}

TEST_F(PmapDeathTest, MappingIsNeverReplacedByAnother)
{
	boot_pmap(1);
	vm_page_t m = new_page();

	ASSERT_EQ(enter(VA, m, RW), KERN_SUCCESS);
	EXPECT_DEATH(enter(VA, new_page(), RW), "is mapped");
	EXPECT_DEATH(enter(VA, m, R), "is mapped");
	EXPECT_DEATH(pmap_enter_large(kernel_pmap, VA, new_run(), RW, true),
		     "a large page cannot be entered");
}

TEST_F(PmapTest, MissingTableWithoutMemoryIsAShortage)
{
	config.fill_ram = true;                   /* a table that is not cleared is full of junk */
	for (uint64_t nth = 1; nth <= 3; nth++) { /* three levels are missing */
		boot_pmap(1);
		vm_page_t m = new_page();

		fail_tables(nth);
		EXPECT_EQ(enter(VA, m, RW), KERN_RESOURCE_SHORTAGE);
		host_fault_disarm();
		EXPECT_EQ(leaf(VA), 0u);
		EXPECT_TRUE(sound());
		EXPECT_EQ(enter(VA, m, RW), KERN_SUCCESS);
		EXPECT_TRUE(sound());
	}
}

/* --- Growth --- */

TEST_F(PmapTest, GrownRangeNeedsNoMemoryToMap)
{
	boot_pmap(1);
	vm_offset_t end = VA + 5 * SUPERPAGE_SIZE + PAGE_SIZE;

	ASSERT_EQ(pmap_growkernel(VA + PAGE_SIZE, end), KERN_SUCCESS);
	EXPECT_EQ(kernel_pmap->table_pages, 2 + 6u);
	ASSERT_EQ(pmap_growkernel(VA, end), KERN_SUCCESS);
	EXPECT_EQ(kernel_pmap->table_pages, 2 + 6u) << "what is there stays";
	fail_tables(1);
	EXPECT_EQ(enter(VA, new_page(), RW), KERN_SUCCESS);
	EXPECT_EQ(enter(end - PAGE_SIZE, new_page(), RW), KERN_SUCCESS);
	EXPECT_EQ(host_fault_calls(), 0u);
	host_fault_disarm();
	EXPECT_TRUE(sound());
}

TEST_F(PmapTest, GrowthThatFailsAtAnyTableCanBeRepeated)
{
	/* Across the end of one table at each level: 512 GiB after the start of a map entry. */
	vm_offset_t start = VA + (UINT64_C(1) << 39) - SUPERPAGE_SIZE;
	vm_offset_t end = start + 3 * SUPERPAGE_SIZE;

	for (uint64_t nth = 1;; nth++) {
		boot_pmap(1);
		fail_tables(nth, HOST_FAULT_NTH);
		int rv = pmap_growkernel(start, end);
		host_fault_disarm();
		EXPECT_TRUE(sound());
		if (rv == KERN_SUCCESS) {
			EXPECT_EQ(nth, 2 * 2 + 3 + 1u) << "each table failed once";
			break;
		}
		EXPECT_EQ(rv, KERN_RESOURCE_SHORTAGE);
		EXPECT_EQ(kernel_pmap->table_pages, nth - 1);
		EXPECT_EQ(pmap_growkernel(start, end), KERN_SUCCESS);
		EXPECT_EQ(kernel_pmap->table_pages, 2 * 2 + 3u);
		EXPECT_TRUE(sound());
	}
}

TEST_F(PmapTest, GrowthByAllCpusAtOnceAddsEachTableOnce)
{
	for (unsigned cpus : {2u, 4u}) {
		for (uint64_t seed = 1; seed <= 30 && !HasFailure(); seed++) {
			boot_pmap(cpus, seed);
			run_all([] {
				EXPECT_EQ(pmap_growkernel(VA, VA + 3 * SUPERPAGE_SIZE),
					  KERN_SUCCESS);
			});
			EXPECT_EQ(kernel_pmap->table_pages, 2 + 3u);
			EXPECT_TRUE(sound());
		}
	}
}

TEST_F(PmapTest, GrowthLeavesTheImageAndLargePagesAlone)
{
	boot_pmap(1);
	ASSERT_EQ(pmap_enter_large(kernel_pmap, VA, new_run(), RW, true), KERN_SUCCESS);
	uint64_t tables = kernel_pmap->table_pages;
	pte_t text = leaf(arch_mmu_image_end() - PAGE_SIZE);

	ASSERT_EQ(pmap_growkernel(VA, VA + SUPERPAGE_SIZE), KERN_SUCCESS);
	ASSERT_EQ(pmap_growkernel(arch_mmu_image_end() - PAGE_SIZE, arch_mmu_image_end()),
		  KERN_SUCCESS);
	EXPECT_EQ(kernel_pmap->table_pages, tables);
	EXPECT_EQ(level(VA), 2u);
	EXPECT_EQ(leaf(arch_mmu_image_end() - PAGE_SIZE), text);
	ASSERT_EQ(pmap_growkernel(VM_MAX_KERNEL_ADDRESS - PAGE_SIZE, VM_MAX_KERNEL_ADDRESS),
		  KERN_SUCCESS);
	EXPECT_TRUE(sound());
}

/* --- Taking away --- */

TEST_F(PmapTest, RemoveIsOneShootdownForWhatWasMapped)
{
	boot_pmap(3);
	ASSERT_EQ(pmap_growkernel(VA, VA + 4 * SUPERPAGE_SIZE), KERN_SUCCESS);
	ASSERT_EQ(pmap_remove(kernel_pmap, VA, VA + 4 * SUPERPAGE_SIZE), KERN_SUCCESS);
	EXPECT_EQ(all_requests(), 0u) << "nothing was mapped";

	vm_page_t m = new_page();
	for (unsigned i : {3, 5, 9})
		ASSERT_EQ(enter(VA + ptoa(i), m, RW), KERN_SUCCESS);
	on_each([] { EXPECT_TRUE(may(VA + 5 * PAGE_SIZE, HOST_WRITE)); });
	ASSERT_EQ(pmap_remove(kernel_pmap, VA, VA + 4 * SUPERPAGE_SIZE), KERN_SUCCESS);
	EXPECT_EQ(requests(SHOOTDOWN_FREE), 1u);
	EXPECT_EQ(all_requests(), 1u);
	EXPECT_EQ(pages_shot_down(), 7u) << "from the first to the last that was mapped";
	on_each([] { EXPECT_FALSE(may(VA + 5 * PAGE_SIZE, HOST_READ)); });
	host_assert_no_translation(VA, VA + 4 * SUPERPAGE_SIZE);
	give_back(m);
	EXPECT_TRUE(sound());
}

TEST_F(PmapTest, ProtectShootsDownOnlyWhereRightsAreTaken)
{
	boot_pmap(2);
	vm_page_t m = new_page();

	for (unsigned i = 0; i < 4; i++)
		ASSERT_EQ(enter(VA + ptoa(i), m, i < 2 ? R : RW), KERN_SUCCESS);
	on_each([] {
		for (unsigned i = 0; i < 4; i++)
			may(VA + ptoa(i), HOST_WRITE);
	});
	ASSERT_EQ(pmap_protect(kernel_pmap, VA, VA + 4 * PAGE_SIZE, RW), KERN_SUCCESS);
	EXPECT_EQ(all_requests(), 0u);
	on_each([] { EXPECT_TRUE(may(VA, HOST_WRITE)); });
	ASSERT_EQ(pmap_protect(kernel_pmap, VA + PAGE_SIZE, VA + 3 * PAGE_SIZE, R), KERN_SUCCESS);
	EXPECT_EQ(requests(SHOOTDOWN_PROTECT), 1u);
	EXPECT_EQ(pages_shot_down(), 2u);
	on_each([] {
		EXPECT_TRUE(may(VA, HOST_WRITE));
		EXPECT_FALSE(may(VA + 1 * PAGE_SIZE, HOST_WRITE));
		EXPECT_FALSE(may(VA + 2 * PAGE_SIZE, HOST_WRITE));
		EXPECT_TRUE(may(VA + 3 * PAGE_SIZE, HOST_WRITE));
	});
	ASSERT_EQ(pmap_protect(kernel_pmap, VA + PAGE_SIZE, VA + 3 * PAGE_SIZE, R), KERN_SUCCESS);
	EXPECT_EQ(all_requests(), 1u) << "nothing changed";
	ASSERT_EQ(pmap_protect(kernel_pmap, VA, VA + 4 * PAGE_SIZE, RX), KERN_SUCCESS);
	on_each([] { EXPECT_TRUE(may(VA, HOST_EXECUTE)); });
	ASSERT_EQ(pmap_protect(kernel_pmap, VA, VA + 4 * PAGE_SIZE, R), KERN_SUCCESS);
	on_each([] { EXPECT_FALSE(may(VA, HOST_EXECUTE)); });
	EXPECT_TRUE(sound());
}

TEST_F(PmapTest, ProtectingWithNothingUnmaps)
{
	boot_pmap(2);
	ASSERT_EQ(enter(VA, new_page(), RW), KERN_SUCCESS);
	on_each([] { EXPECT_TRUE(may(VA, HOST_READ)); });
	ASSERT_EQ(pmap_protect(kernel_pmap, VA, VA + PAGE_SIZE, VM_PROT_NONE), KERN_SUCCESS);
	on_each([] { EXPECT_FALSE(may(VA, HOST_READ)); });
	EXPECT_EQ(leaf(VA), 0u);
}

TEST_F(PmapTest, TemporaryMappingsComeAndGo)
{
	boot_pmap(3);
	vm_page_t pages[3] = {new_page(), new_page(), new_page()};

	ASSERT_EQ(pmap_growkernel(VA, VA + SUPERPAGE_SIZE), KERN_SUCCESS);
	pmap_qremove(VA, 3);
	EXPECT_EQ(all_requests(), 0u);
	pmap_qenter(VA, pages, 3);
	on_each([&] {
		for (unsigned i = 0; i < 3; i++) {
			EXPECT_EQ(host_load64(VA + ptoa(i)), VM_PAGE_TO_PHYS(pages[i]));
			EXPECT_TRUE(may(VA + ptoa(i), HOST_WRITE));
			EXPECT_FALSE(may(VA + ptoa(i), HOST_EXECUTE));
		}
	});
	pmap_qremove(VA, 3);
	EXPECT_EQ(requests(SHOOTDOWN_QREMOVE), 1u);
	host_assert_no_translation(VA, VA + 3 * PAGE_SIZE);
	for (vm_page_t m : pages)
		give_back(m);
	EXPECT_TRUE(sound());
}

TEST_F(PmapDeathTest, TemporaryMappingNeedsAGrownRange)
{
	boot_pmap(1);
	vm_page_t m = new_page();

	EXPECT_DEATH(pmap_qenter(VA, &m, 1), "no table of small pages");
}

/* Of the two guards the one that is left is enough: here the memory is given back too early. */
TEST_F(PmapDeathTest, PageThatIsFreedWhileMappedIsNoticed)
{
	boot_pmap(2);
	vm_page_t m = new_page();

	ASSERT_EQ(enter(VA, m, RW), KERN_SUCCESS);
	on_each([] { may(VA, HOST_READ); });
	EXPECT_DEATH(give_back(m), "TLB oracle");
	host_oracle_enable(false);
	give_back(m);
	EXPECT_FALSE(sound());
	EXPECT_NE(text().find("nobody may reach"), std::string::npos) << text();
}

TEST_F(PmapDeathTest, TargetsThatDoNotFlushAreNoticedWhenThePageIsFreed)
{
	auto scenario = [this] {
		boot_pmap(2);
		vm_page_t m = new_page();
		auto release = [m] {
			arch_pte_write(raw_entry(VA, 1), 0);
			arch_tlb_invalidate_page(VA); /* and nobody else does */
			give_back(m);
		};

		ASSERT_EQ(enter(VA, m, RW), KERN_SUCCESS);
		on_each([] { may(VA, HOST_READ); });
		release();
	};

	EXPECT_DEATH(scenario(), "TLB oracle: page .* released while CPU 1 still maps it");
}

/* --- Walks --- */

TEST_F(PmapTest, WalkVisitsEveryLeafInOrderUntilToldToStop)
{
	struct Seen {
		std::vector<vm_offset_t> addresses;
		vm_size_t bytes;
		size_t limit;
	} seen = {{}, 0, 100};
	auto visit = [](void *ctx, vm_offset_t va, vm_size_t size, pte_t) {
		auto *s = static_cast<Seen *>(ctx);
		s->addresses.push_back(va);
		s->bytes += size;
		return s->addresses.size() < s->limit;
	};

	boot_pmap(1);
	ASSERT_EQ(enter(VA + PAGE_SIZE, new_page(), R), KERN_SUCCESS);
	ASSERT_EQ(pmap_enter_large(kernel_pmap, VA + SUPERPAGE_SIZE, new_run(), R, true),
		  KERN_SUCCESS);
	ASSERT_EQ(enter(VA + (UINT64_C(1) << 39), new_page(), R), KERN_SUCCESS);
	pmap_walk(kernel_pmap, VA, KERNBASE, visit, &seen);
	EXPECT_EQ(seen.addresses, (std::vector<vm_offset_t>{VA + PAGE_SIZE, VA + SUPERPAGE_SIZE,
							    VA + (UINT64_C(1) << 39)}));
	EXPECT_EQ(seen.bytes, SUPERPAGE_SIZE + 2 * PAGE_SIZE);
	seen = {{}, 0, 2};
	pmap_walk(kernel_pmap, VA, KERNBASE, visit, &seen);
	EXPECT_EQ(seen.addresses.size(), 2u);
	seen = {{}, 0, 10000};
	pmap_walk(kernel_pmap, KERNBASE, UINT64_MAX - PAGE_MASK, visit, &seen);
	ASSERT_FALSE(seen.addresses.empty());
	EXPECT_GE(seen.addresses.front(), KERNBASE);
	EXPECT_EQ(seen.bytes, ptoa(seen.addresses.size()));
	EXPECT_LT(seen.addresses.size(), 10000u) << "it ends at the top of the address space";
}

TEST_F(PmapTest, ZeroedPageIsZero)
{
	boot_pmap(1);
	vm_page_t m = new_page();

	pmap_zero_page(m);
	EXPECT_EQ(*static_cast<uint64_t *>(arch_physmap(VM_PAGE_TO_PHYS(m))), 0u);
}

/* --- Audit --- */

TEST_F(PmapTest, AuditFindsWhatMustNotBe)
{
	const struct {
		pte_t set, clear;
		const char *says;
	} damages[] = {
	    {PTE_WRITE, PTE_NX, "writable and executable"}, {PTE_USER, 0, "a bit that no leaf has"},
	    {(pte_t)1 << 52, 0, "a bit that no leaf has"},  {0, PTE_GLOBAL, "not global"},
	    {0, PTE_PRESENT, "not present, but not empty"},
	};

	boot_pmap(1);
	ASSERT_EQ(enter(VA, new_page(), RW), KERN_SUCCESS);
	ASSERT_TRUE(sound());
	for (const auto &damage : damages) {
		pte_t *entry = raw_entry(VA, 1);
		pte_t before = *entry;

		*entry = (before | damage.set) & ~damage.clear;
		EXPECT_FALSE(sound());
		EXPECT_NE(text().find(damage.says), std::string::npos) << text();
		*entry = before;
		EXPECT_TRUE(sound());
	}
}

TEST_F(PmapTest, AuditFindsAMappedTableAndAForgottenOne)
{
	boot_pmap(1);
	ASSERT_EQ(enter(VA, new_page(), RW), KERN_SUCCESS);
	pte_t *entry = raw_entry(VA, 1);
	pte_t before = *entry;

	*entry = (before & ~PTE_ADDRESS) | (*raw_entry(VA, 2) & PTE_ADDRESS);
	EXPECT_FALSE(sound());
	EXPECT_NE(text().find("nobody may reach"), std::string::npos) << text();
	*entry = before;
	kernel_pmap->table_pages++;
	EXPECT_FALSE(sound());
	EXPECT_NE(text().find("table pages: 4 by the count, 3 found"), std::string::npos) << text();
	kernel_pmap->table_pages--;
	EXPECT_TRUE(sound());
}

} // namespace
} // namespace quire
