/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm/vm_page.h"

#include <cstring>

#include "tests/host/vm/pages_fixture.h"

namespace quire
{
namespace
{

constexpr int NOOBJ = VM_ALLOC_NOOBJ;

class VmPageTest : public PagesTest
{
      protected:
	VmPageTest()
	{
		config_with_holes();
	}

	static vm_page_t alloc_in_object(vm_pindex_t pindex, int req)
	{
		vm_page_t m;

		VM_OBJECT_WLOCK(kernel_object);
		m = vm_page_alloc(kernel_object, pindex, req);
		VM_OBJECT_WUNLOCK(kernel_object);
		return m;
	}

	static vm_page_t alloc_run_in_object(unsigned long npages)
	{
		vm_page_t m;

		VM_OBJECT_WLOCK(kernel_object);
		m = vm_page_alloc_contig(kernel_object, 100, VM_ALLOC_SYSTEM | VM_ALLOC_WIRED,
					 npages, 0, UINT64_MAX, 8 * PAGE_SIZE, 0,
					 VM_MEMATTR_DEFAULT);
		VM_OBJECT_WUNLOCK(kernel_object);
		return m;
	}

	static void free_in_object(vm_page_t m)
	{
		VM_OBJECT_WLOCK(kernel_object);
		vm_page_free(m);
		VM_OBJECT_WUNLOCK(kernel_object);
	}

	static vm_page_t lookup(vm_pindex_t pindex)
	{
		vm_page_t m;

		VM_OBJECT_WLOCK(kernel_object);
		m = vm_page_lookup(kernel_object, pindex);
		VM_OBJECT_WUNLOCK(kernel_object);
		return m;
	}

	static std::vector<vm_page_t> alloc_all(int req)
	{
		std::vector<vm_page_t> pages;

		while (vm_page_t m = vm_page_alloc(nullptr, 0, req | NOOBJ))
			pages.push_back(m);
		return pages;
	}

	static void free_all(std::vector<vm_page_t> *pages)
	{
		for (vm_page_t m : *pages)
			vm_page_free(m);
		pages->clear();
	}
};

TEST_F(VmPageTest, DescriptorIsOneCacheLine)
{
	EXPECT_EQ(sizeof(struct vm_page), 64u);
	EXPECT_EQ((uintptr_t)PHYS_TO_VM_PAGE(5 * MIB) % 64, 0u);
}

TEST_F(VmPageTest, PageEntersItsObjectBusy)
{
	vm_page_t m = alloc_in_object(7, VM_ALLOC_NORMAL);

	ASSERT_NE(m, nullptr);
	EXPECT_EQ(lookup(7), m);
	EXPECT_EQ(m->object, kernel_object);
	EXPECT_EQ(m->pindex, 7u);
	EXPECT_EQ(m->oflags, VPO_BUSY | VPO_UNMANAGED);
	EXPECT_EQ(m->wire_count, 0u);
	EXPECT_EQ(m->valid, 0);
	EXPECT_EQ(m->state, VM_PAGE_ALLOCATED);
	vm_page_wakeup(m);
	EXPECT_EQ(m->oflags, VPO_UNMANAGED);
	free_in_object(m);
	EXPECT_EQ(lookup(7), nullptr);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmPageTest, FlagsOfTheRequestAreHonoured)
{
	vm_page_t m = alloc_in_object(1, VM_ALLOC_NOBUSY | VM_ALLOC_WIRED | VM_ALLOC_NODUMP);

	ASSERT_NE(m, nullptr);
	EXPECT_EQ(m->oflags, VPO_UNMANAGED);
	EXPECT_EQ(m->wire_count, 1u);
	EXPECT_EQ(m->flags, PG_NODUMP);
	vm_page_unwire(m);
	free_in_object(m);
	m = vm_page_alloc(nullptr, 0, NOOBJ);
	ASSERT_NE(m, nullptr);
	EXPECT_EQ(m->object, nullptr);
	EXPECT_EQ(m->oflags, VPO_UNMANAGED);
	EXPECT_EQ(m->flags & PG_NODUMP, 0);
	vm_page_free(m);
}

TEST_F(VmPageTest, WhatTheOwnerSetIsGoneAtTheNextAllocation)
{
	vm_page_t m = vm_page_alloc(nullptr, 0, NOOBJ | VM_ALLOC_NODUMP), again;

	m->valid = VM_PAGE_BITS_ALL;
	vm_page_free(m);
	EXPECT_EQ(m->flags & (PG_ZERO | PG_NODUMP), 0);
	again = vm_page_alloc(nullptr, 0, NOOBJ);
	ASSERT_EQ(again, m) << "a CPU gets back what it freed last";
	EXPECT_EQ(m->valid, 0);
	EXPECT_EQ(m->memattr, VM_MEMATTR_DEFAULT);
	EXPECT_EQ(m->flags, 0);
	vm_page_free(m);
}

TEST_F(VmPageTest, ZeroIsClaimedOnlyOfPagesThatAreZero)
{
	std::vector<vm_page_t> pages;

	config.fill_ram = true;
	restart();
	for (int round = 0; round < 2; round++) {
		pages = alloc_all(VM_ALLOC_INTERRUPT | VM_ALLOC_ZERO);
		for (vm_page_t m : pages) {
			for (unsigned i = 0; i < PAGE_SIZE && (m->flags & PG_ZERO) != 0; i++)
				ASSERT_EQ(bytes_of(m)[i], 0);
			m->flags |= PG_ZERO; /* was true once, perhaps; is not now */
			memset(bytes_of(m), 0x5a, PAGE_SIZE);
		}
		free_all(&pages);
	}
}

TEST_F(VmPageTest, ClassesLeaveTheirFloors)
{
	std::vector<vm_page_t> normal = alloc_all(VM_ALLOC_NORMAL);
	uint64_t after_normal = vm_page_free_count();
	std::vector<vm_page_t> system = alloc_all(VM_ALLOC_SYSTEM);
	uint64_t after_system = vm_page_free_count();
	std::vector<vm_page_t> interrupt = alloc_all(VM_ALLOC_INTERRUPT);

	EXPECT_EQ(after_normal, vm_page_limits.free_reserved);
	EXPECT_EQ(after_system, vm_page_limits.interrupt_free_min);
	EXPECT_EQ(vm_page_free_count(), 0u);
	EXPECT_GT(vm_page_limits.free_reserved, vm_page_limits.interrupt_free_min);
	EXPECT_GE(vm_page_limits.interrupt_free_min, 2u);
	EXPECT_TRUE(audit_ok());
	free_all(&normal);
	free_all(&system);
	free_all(&interrupt);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmPageTest, FloorsLeaveASmallMachineAlmostAll)
{
	config_one_range(64 * MIB);
	restart();
	EXPECT_LT(vm_page_limits.free_reserved, atop(64 * MIB) / 100);
	EXPECT_GE(vm_page_limits.free_reserved, 32u);
}

TEST_F(VmPageTest, AllDomainsServe)
{
	std::vector<vm_page_t> pages = alloc_all(VM_ALLOC_INTERRUPT);
	bool seen[2] = {};

	for (vm_page_t m : pages)
		seen[m->domain] = true;
	EXPECT_TRUE(seen[0] && seen[1]);
	EXPECT_EQ(pages[0]->domain, 0);
	EXPECT_EQ(pages.back()->domain, 1);
	free_all(&pages);
	vm_magazine_drain();
	EXPECT_EQ(pages_in(VM_PAGE_ALLOCATED), 0u);
}

TEST_F(VmPageTest, PagesInAnotherCpusMagazineAreFound)
{
	config.cpus = 2;
	restart();
	std::vector<vm_page_t> pages = alloc_all(VM_ALLOC_INTERRUPT);
	vm_page_t last = pages.back(), m;

	pages.pop_back();
	on_cpu(1, [last] { vm_page_free(last); });
	EXPECT_EQ(last->state, VM_PAGE_MAGAZINE);
	m = vm_page_alloc(nullptr, 0, NOOBJ | VM_ALLOC_INTERRUPT);
	EXPECT_EQ(m, last);
	EXPECT_EQ(vm_page_alloc(nullptr, 0, NOOBJ | VM_ALLOC_INTERRUPT), nullptr);
	pages.push_back(m);
	free_all(&pages);
}

TEST_F(VmPageTest, RunsAreFoundBehindMagazines)
{
	config_one_range(4 * MIB);
	config.cpus = 2;
	restart();
	std::vector<vm_page_t> pages = alloc_all(VM_ALLOC_INTERRUPT);
	vm_page_t four = PHYS_TO_VM_PAGE(3 * MIB), m;

	for (unsigned i = 0; i < 4; i++)
		run_on(i % 2, [four, i] { vm_page_free(four + i); });
	m = vm_page_alloc_contig(nullptr, 0, NOOBJ | VM_ALLOC_INTERRUPT, 4, 0, UINT64_MAX, 1, 0,
				 VM_MEMATTR_DEFAULT);
	EXPECT_EQ(m, four);
}

TEST_F(VmPageTest, RunEntersItsObjectPageByPage)
{
	vm_page_t run = alloc_run_in_object(20);

	ASSERT_NE(run, nullptr);
	EXPECT_EQ(VM_PAGE_TO_PHYS(run) % (8 * PAGE_SIZE), 0u);
	for (unsigned i = 0; i < 20; i++) {
		EXPECT_EQ(lookup(100 + i), &run[i]);
		EXPECT_EQ(run[i].wire_count, 1u);
		EXPECT_EQ(run[i].oflags, VPO_BUSY | VPO_UNMANAGED);
	}
	for (unsigned i = 0; i < 20; i++) {
		vm_page_unwire(&run[i]);
		free_in_object(&run[i]);
		EXPECT_EQ(run[i].memattr, VM_MEMATTR_DEFAULT);
	}
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmPageTest, RunsRespectTheClass)
{
	std::vector<vm_page_t> pages = alloc_all(VM_ALLOC_SYSTEM);

	EXPECT_EQ(vm_page_alloc_contig(nullptr, 0, NOOBJ | VM_ALLOC_SYSTEM, 1, 0, UINT64_MAX, 1, 0,
				       VM_MEMATTR_DEFAULT),
		  nullptr);
	vm_page_t m = vm_page_alloc_contig(nullptr, 0, NOOBJ | VM_ALLOC_INTERRUPT, 1, 0, UINT64_MAX,
					   1, 0, VM_MEMATTR_DEFAULT);
	ASSERT_NE(m, nullptr);
	vm_page_free(m);
	free_all(&pages);
}

TEST_F(VmPageTest, BadRunsAreRefused)
{
	uint64_t before = vm_page_free_count();

	EXPECT_EQ(vm_page_alloc_contig(nullptr, 0, NOOBJ, 0, 0, UINT64_MAX, 1, 0, 0), nullptr);
	EXPECT_EQ(vm_page_alloc_contig(nullptr, 0, NOOBJ, 1, 9, 9, 1, 0, 0), nullptr);
	EXPECT_EQ(vm_page_alloc_contig(nullptr, 0, NOOBJ, 1, 0, UINT64_MAX, 3, 0, 0), nullptr);
	EXPECT_EQ(vm_page_alloc_contig(nullptr, 0, NOOBJ, 2, 0, UINT64_MAX, 1, 4096, 0), nullptr);
	EXPECT_EQ(vm_page_free_count(), before);
}

TEST_F(VmPageTest, InternalPagesAreWiredAndOfTheirState)
{
	vm_page_t table = vm_page_alloc_internal(VM_PAGE_TABLE, VM_ALLOC_SYSTEM);
	vm_page_t slab = vm_page_alloc_internal(VM_PAGE_META, VM_ALLOC_SYSTEM);

	ASSERT_TRUE(table != nullptr && slab != nullptr);
	EXPECT_EQ(table->state, VM_PAGE_TABLE);
	EXPECT_EQ(slab->state, VM_PAGE_META);
	EXPECT_EQ(table->wire_count, 1u);
	EXPECT_EQ(table->object, nullptr);
	EXPECT_TRUE(audit_ok());
	vm_page_free_internal(slab);
	EXPECT_EQ(slab->state, VM_PAGE_MAGAZINE);
	EXPECT_EQ(pages_in(VM_PAGE_TABLE), 1u);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmPageTest, StatesSumUpToAllOfRam)
{
	std::array<uint64_t, VM_PAGE_STATES> states;
	std::vector<vm_page_t> pages = alloc_all(VM_ALLOC_NORMAL);
	uint64_t sum = 0, bytes = 0;

	pages.resize(pages.size() / 2);
	free_all(&pages);
	vm_page_count_states(states.data());
	for (uint64_t count : states)
		sum += count;
	for (unsigned i = 0; i < arch_boot_info()->range_count; i++)
		bytes += arch_boot_info()->ranges[i].end - arch_boot_info()->ranges[i].start;
	EXPECT_EQ(ptoa(sum), bytes);
	EXPECT_EQ(states[VM_PAGE_FREE] + states[VM_PAGE_MAGAZINE], vm_page_free_count());
}

/* --- Failure --- */

/* What is there, apart from which allocator holds it. */
struct Holdings {
	uint64_t allocated, tables, meta, in_object;
	bool operator==(const Holdings &o) const
	{
		return allocated == o.allocated && tables == o.tables && meta == o.meta &&
		       in_object == o.in_object;
	}
};

class VmPageFaultTest : public VmPageTest
{
      protected:
	static Holdings holdings()
	{
		return {pages_in(VM_PAGE_ALLOCATED), pages_in(VM_PAGE_TABLE),
			pages_in(VM_PAGE_META), kernel_object->resident_page_count};
	}

	/* Fails the 1st, 2nd, ... allocation inside of op() until it no longer asks for so many. */
	template <typename Op> void fail_each(enum host_fault_policy policy, Op op)
	{
		for (uint64_t nth = 1;; nth++) {
			struct host_fault_plan plan = {policy, nth, 0, nullptr};
			Holdings before = holdings();
			bool done, failed;

			host_fault_arm(&plan);
			done = op();
			failed = host_fault_failures() != 0;
			host_fault_disarm();
			ASSERT_TRUE(holdings() == before) << "after failure " << nth;
			ASSERT_TRUE(audit_ok()) << "after failure " << nth;
			if (!failed) {
				ASSERT_TRUE(done);
				ASSERT_GT(nth, 1u);
				return;
			}
			ASSERT_LT(nth, 1000u);
		}
	}
};

TEST_F(VmPageFaultTest, FailedAllocationLeavesNothingBehind)
{
	for (auto policy : {HOST_FAULT_NTH, HOST_FAULT_FROM_NTH})
		fail_each(policy, [] {
			vm_page_t m = alloc_in_object(5, VM_ALLOC_SYSTEM | VM_ALLOC_WIRED);

			if (m == nullptr)
				return false;
			vm_page_unwire(m);
			free_in_object(m);
			return true;
		});
}

TEST_F(VmPageFaultTest, FailedRunLeavesNothingBehind)
{
	/* 200 pages lie in four index nodes at least: failures in the middle of the run. */
	for (auto policy : {HOST_FAULT_NTH, HOST_FAULT_FROM_NTH})
		fail_each(policy, [] {
			vm_page_t run = alloc_run_in_object(200);

			if (run == nullptr)
				return false;
			for (unsigned i = 0; i < 200; i++) {
				vm_page_unwire(&run[i]);
				free_in_object(&run[i]);
			}
			return true;
		});
}

TEST_F(VmPageFaultTest, FailedInternalAllocationLeavesNothingBehind)
{
	for (auto policy : {HOST_FAULT_NTH, HOST_FAULT_FROM_NTH})
		fail_each(policy, [] {
			vm_page_t m = vm_page_alloc_internal(VM_PAGE_META, VM_ALLOC_SYSTEM);

			if (m == nullptr)
				return false;
			vm_page_free_internal(m);
			return true;
		});
}

TEST_F(VmPageFaultTest, ARefillThatFailsOnceIsTriedAgain)
{
	struct host_fault_plan plan = {HOST_FAULT_NTH, 1, 0, "vm_phys_alloc_batch"};
	vm_page_t m;

	host_fault_arm(&plan);
	m = vm_page_alloc(nullptr, 0, NOOBJ);
	host_fault_disarm();
	ASSERT_NE(m, nullptr);
	vm_page_free(m);
}

/* --- Misuse --- */

using VmPageDeathTest = VmPageTest;

TEST_F(VmPageDeathTest, DoubleFreeIsNamed)
{
	vm_page_t m = vm_page_alloc(nullptr, 0, NOOBJ);

	vm_page_free(m);
	EXPECT_DEATH(vm_page_free(m), "vm_page_free: page .* is in a magazine");
	vm_magazine_drain();
	EXPECT_DEATH(vm_page_free(m), "vm_page_free: page .* is free");
}

TEST_F(VmPageDeathTest, WiredPageCannotBeFreed)
{
	vm_page_t m = vm_page_alloc(nullptr, 0, NOOBJ | VM_ALLOC_WIRED);

	vm_page_wire(m);
	EXPECT_DEATH(vm_page_free(m), "is wired 2 times");
}

TEST_F(VmPageDeathTest, BootMemoryCannotBeFreed)
{
	const struct vm_phys_segment *last = vm_phys_segment(vm_phys_segment_count() - 1);
	vm_page_t m = PHYS_TO_VM_PAGE(last->end - PAGE_SIZE);

	ASSERT_EQ(m->state, VM_PAGE_BOOT);
	EXPECT_DEATH(vm_page_free(m), "is boot memory");
}

TEST_F(VmPageDeathTest, PageTablesAreNeverFreed)
{
	vm_page_t m = vm_page_alloc_internal(VM_PAGE_TABLE, VM_ALLOC_SYSTEM);

	EXPECT_DEATH(vm_page_free_internal(m), "is a page table");
	EXPECT_DEATH(vm_page_free(m), "is a page table");
}

TEST_F(VmPageDeathTest, UnwiringBelowZeroIsCaught)
{
	vm_page_t m = vm_page_alloc(nullptr, 0, NOOBJ);

	EXPECT_DEATH(vm_page_unwire(m), "is not wired");
}

TEST_F(VmPageDeathTest, RequestWithoutAClassIsCaught)
{
	EXPECT_DEATH(vm_page_alloc(nullptr, 0, NOOBJ | 3), "has no class");
}

TEST_F(VmPageDeathTest, ObjectMustBeLocked)
{
	vm_page_t m = alloc_in_object(3, VM_ALLOC_NORMAL);

	EXPECT_DEATH(vm_page_alloc(kernel_object, 4, 0), "spin_owned");
	EXPECT_DEATH(vm_page_free(m), "spin_owned");
	EXPECT_DEATH(vm_page_lookup(kernel_object, 4), "spin_owned");
}

/* A page that a TLB still has must not reach any allocator. */
TEST_F(VmPageDeathTest, PageThatACpuStillTranslatesIsNotFreed)
{
	vm_page_t m = vm_page_alloc(nullptr, 0, NOOBJ);
	pte_t *table = static_cast<pte_t *>(arch_physmap(arch_mmu_kernel_root())), *entry;

	for (unsigned level = MMU_LEVELS; level > 1; level--) {
		vm_page_t below = vm_page_alloc_internal(VM_PAGE_TABLE, VM_ALLOC_SYSTEM);

		arch_page_zero(VM_PAGE_TO_PHYS(below));
		entry = &table[MMU_INDEX(VM_MIN_KERNEL_ADDRESS, level)];
		ASSERT_EQ(*entry, 0u);
		arch_pte_write(entry, VM_PAGE_TO_PHYS(below) | PTE_PRESENT | PTE_WRITE);
		table = reinterpret_cast<pte_t *>(bytes_of(below));
	}
	entry = &table[MMU_INDEX(VM_MIN_KERNEL_ADDRESS, 1)];
	arch_pte_write(entry, VM_PAGE_TO_PHYS(m) | PTE_PRESENT | PTE_WRITE | PTE_NX);
	host_store64(VM_MIN_KERNEL_ADDRESS, 1);
	arch_pte_write(entry, 0);
	EXPECT_DEATH(vm_page_free(m), "panic");
	arch_tlb_invalidate_page(VM_MIN_KERNEL_ADDRESS);
	vm_page_free(m);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmPageDeathTest, WriteToAFreePageIsFoundAtAllocation)
{
	vm_page_t m = vm_page_alloc(nullptr, 0, NOOBJ);

	vm_page_free(m);
	bytes_of(m)[PAGE_SIZE - 60] = 0x41;
	EXPECT_FALSE(audit_ok());
	EXPECT_DEATH(vm_page_alloc(nullptr, 0, NOOBJ),
		     "page .* was written while it was free: offset 4032, expected 0x[0-9a-f]+, "
		     "found 0x[0-9a-f]*41[0-9a-f]*");
	vm_magazine_drain();
	EXPECT_FALSE(audit_ok());
}

} // namespace
} // namespace quire
