// SPDX-License-Identifier: BSD-2-Clause
// Pages with bad memory leave for good, whoever has them.
#include "vm/vm_page_retire.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "tests/host/vm/pages_fixture.h"
#include "vm/vm_object.h"

namespace quire
{
namespace
{

class VmPageRetireTest : public PagesTest
{
      protected:
	void SetUp() override
	{
		config_one_range(4 * MIB);
		config.cpus = 2;
		PagesTest::SetUp();
	}

	static vm_page_t alloc()
	{
		return vm_page_alloc(nullptr, 0, VM_ALLOC_INTERRUPT | VM_ALLOC_NOOBJ);
	}

	/* All pages that can be had; they are given back. */
	static std::set<vm_paddr_t> obtainable()
	{
		std::vector<vm_page_t> pages;
		std::set<vm_paddr_t> addresses;

		while (vm_page_t m = alloc()) {
			pages.push_back(m);
			addresses.insert(m->phys_addr);
		}
		for (vm_page_t m : pages)
			vm_page_free(m);
		return addresses;
	}

	static uint64_t retired_states()
	{
		return pages_in(VM_PAGE_RETIRED);
	}

	static ::testing::AssertionResult consistent()
	{
		if (vm_page_retire_audit(retired_states(), report_collect) != 0)
			return ::testing::AssertionFailure() << *report_text();
		return audit_ok();
	}
};

TEST_F(VmPageRetireTest, AFreePageLeavesAtOnce)
{
	std::set<vm_paddr_t> before = obtainable();
	vm_paddr_t pa = *std::next(before.begin(), 100);

	vm_magazine_drain();
	ASSERT_EQ(PHYS_TO_VM_PAGE(pa)->state, VM_PAGE_FREE);
	uint64_t free = free_pages();
	EXPECT_EQ(vm_page_retire(pa), VM_PAGE_RETIRE_DONE);
	EXPECT_EQ(free_pages(), free - 1);
	EXPECT_EQ(vm_page_retired_count(), 1u);
	EXPECT_EQ(vm_page_retire_waiting(), 0u);
	EXPECT_TRUE(consistent());

	std::set<vm_paddr_t> after = obtainable();
	before.erase(pa);
	EXPECT_EQ(after, before);
	EXPECT_TRUE(consistent());
}

TEST_F(VmPageRetireTest, AnAddressInsideThePageNamesIt)
{
	vm_paddr_t pa = *obtainable().begin();

	vm_magazine_drain();
	EXPECT_EQ(vm_page_retire(pa + 1234), VM_PAGE_RETIRE_DONE);
	EXPECT_EQ(PHYS_TO_VM_PAGE(pa)->state, VM_PAGE_RETIRED);
}

TEST_F(VmPageRetireTest, APageInAMagazineLeavesAtOnce)
{
	vm_page_t m = alloc();

	vm_page_free(m);
	ASSERT_EQ(m->state, VM_PAGE_MAGAZINE);
	EXPECT_EQ(vm_page_retire(m->phys_addr), VM_PAGE_RETIRE_DONE);
	EXPECT_EQ(m->state, VM_PAGE_RETIRED);
	EXPECT_EQ(obtainable().count(m->phys_addr), 0u);
	EXPECT_TRUE(consistent());
}

TEST_F(VmPageRetireTest, APageInUseLeavesWhenItIsFreed)
{
	vm_page_t m = alloc(), other = alloc();

	EXPECT_EQ(vm_page_retire(m->phys_addr), VM_PAGE_RETIRE_LATER);
	EXPECT_EQ(m->state, VM_PAGE_ALLOCATED);
	EXPECT_EQ(vm_page_retire_waiting(), 1u);
	EXPECT_EQ(vm_page_retire_again(), 1u);
	EXPECT_TRUE(consistent());

	vm_page_free(other);
	vm_page_free(m);
	EXPECT_EQ(m->state, VM_PAGE_RETIRED);
	EXPECT_EQ(vm_page_retire_waiting(), 0u);
	EXPECT_EQ(vm_page_retired_count(), 1u);
	EXPECT_EQ(obtainable().count(m->phys_addr), 0u);
	EXPECT_TRUE(consistent());
}

TEST_F(VmPageRetireTest, AWiredPageOfAnObjectLeavesWhenItIsFreed)
{
	VM_OBJECT_WLOCK(kernel_object);
	vm_page_t m = vm_page_alloc(kernel_object, 5, VM_ALLOC_NORMAL | VM_ALLOC_WIRED);
	VM_OBJECT_WUNLOCK(kernel_object);
	ASSERT_NE(m, nullptr);
	EXPECT_EQ(vm_page_retire(m->phys_addr), VM_PAGE_RETIRE_LATER);
	EXPECT_EQ(m->wire_count, 1u);
	VM_OBJECT_WLOCK(kernel_object);
	EXPECT_EQ(vm_page_lookup(kernel_object, 5), m);
	vm_page_unwire(m);
	vm_page_free(m);
	EXPECT_EQ(vm_page_lookup(kernel_object, 5), nullptr);
	VM_OBJECT_WUNLOCK(kernel_object);
	EXPECT_EQ(m->state, VM_PAGE_RETIRED);
	EXPECT_EQ(m->object, nullptr);
	EXPECT_TRUE(consistent());
}

TEST_F(VmPageRetireTest, ASlabOfAPoolLeavesWhenItIsFreed)
{
	vm_page_t m = vm_page_alloc_internal(VM_PAGE_META, VM_ALLOC_SYSTEM);

	EXPECT_EQ(vm_page_retire(m->phys_addr), VM_PAGE_RETIRE_LATER);
	vm_page_free_internal(m);
	EXPECT_EQ(m->state, VM_PAGE_RETIRED);
	EXPECT_TRUE(consistent());
}

/* The owner stored his word at the moment of the mark: the next try sets it again. */
TEST_F(VmPageRetireTest, ALostMarkIsSetAgain)
{
	vm_page_t m = alloc();

	EXPECT_EQ(vm_page_retire(m->phys_addr), VM_PAGE_RETIRE_LATER);
	m->flags &= static_cast<uint8_t>(~PG_RETIRE);
	EXPECT_EQ(vm_page_retire_again(), 1u);
	EXPECT_NE(m->flags & PG_RETIRE, 0);
	vm_page_free(m);
	EXPECT_EQ(m->state, VM_PAGE_RETIRED);
	EXPECT_TRUE(consistent());
}

TEST_F(VmPageRetireTest, APageThatWasFreedWithoutItsMarkIsTakenByTheNextTry)
{
	vm_page_t m = alloc();

	EXPECT_EQ(vm_page_retire(m->phys_addr), VM_PAGE_RETIRE_LATER);
	m->flags &= static_cast<uint8_t>(~PG_RETIRE);
	vm_page_free(m);
	EXPECT_EQ(m->state, VM_PAGE_MAGAZINE);
	EXPECT_EQ(vm_page_retire_again(), 0u);
	EXPECT_EQ(m->state, VM_PAGE_RETIRED);
	EXPECT_TRUE(consistent());
}

TEST_F(VmPageRetireTest, TwiceIsOnce)
{
	vm_page_t m = alloc();

	EXPECT_EQ(vm_page_retire(m->phys_addr), VM_PAGE_RETIRE_LATER);
	EXPECT_EQ(vm_page_retire(m->phys_addr), VM_PAGE_RETIRE_LATER);
	EXPECT_EQ(vm_page_retire_waiting(), 1u);
	vm_page_free(m);
	EXPECT_EQ(vm_page_retire(m->phys_addr), VM_PAGE_RETIRE_DONE);
	EXPECT_EQ(vm_page_retired_count(), 1u);
	EXPECT_TRUE(consistent());
}

TEST_F(VmPageRetireTest, WhatCannotLeaveStays)
{
	vm_page_t table = vm_page_alloc_internal(VM_PAGE_TABLE, VM_ALLOC_SYSTEM);
	vm_page_t boot = alloc();

	boot->state = VM_PAGE_BOOT;
	EXPECT_EQ(vm_page_retire(table->phys_addr), VM_PAGE_RETIRE_KEPT);
	EXPECT_EQ(vm_page_retire(boot->phys_addr), VM_PAGE_RETIRE_KEPT);
	EXPECT_EQ(vm_page_retire(64 * GIB), VM_PAGE_RETIRE_NONE);
	EXPECT_EQ(vm_page_retire(0), VM_PAGE_RETIRE_NONE);
	EXPECT_EQ(vm_page_retired_count(), 0u);
	boot->state = VM_PAGE_ALLOCATED;
	EXPECT_TRUE(consistent());
}

TEST_F(VmPageRetireTest, TheTableIsBoundedAndFreesItself)
{
	std::vector<vm_page_t> pages;

	for (unsigned i = 0; i < VM_PAGE_RETIRE_MAX; i++) {
		pages.push_back(alloc());
		EXPECT_EQ(vm_page_retire(pages[i]->phys_addr), VM_PAGE_RETIRE_LATER);
	}
	vm_page_t more = alloc();
	EXPECT_EQ(vm_page_retire(more->phys_addr), VM_PAGE_RETIRE_FULL);
	EXPECT_EQ(more->flags & PG_RETIRE, 0);
	vm_page_free(pages[0]);
	EXPECT_EQ(vm_page_retire(more->phys_addr), VM_PAGE_RETIRE_LATER);
	for (unsigned i = 1; i < VM_PAGE_RETIRE_MAX; i++)
		vm_page_free(pages[i]);
	vm_page_free(more);
	EXPECT_EQ(vm_page_retired_count(), VM_PAGE_RETIRE_MAX + 1u);
	EXPECT_TRUE(consistent());
}

/* A run goes around it, and memory with holes is still joined. */
TEST_F(VmPageRetireTest, RunsGoAroundIt)
{
	std::set<vm_paddr_t> before = obtainable();
	vm_paddr_t bad = *std::next(before.begin(), static_cast<long>(before.size() / 2));

	vm_magazine_drain();
	ASSERT_EQ(vm_page_retire(bad), VM_PAGE_RETIRE_DONE);
	for (unsigned long npages : {2ul, 8ul, 64ul}) {
		vm_page_t run = vm_page_alloc_contig(
		    nullptr, 0, VM_ALLOC_INTERRUPT | VM_ALLOC_NOOBJ, npages,
		    bad & ~UINT64_C(0xffff), bad + MIB, PAGE_SIZE, 0, VM_MEMATTR_DEFAULT);
		if (run == nullptr)
			continue;
		EXPECT_FALSE(run->phys_addr <= bad && bad < run->phys_addr + ptoa(npages));
		for (unsigned long i = 0; i < npages; i++)
			vm_page_free(run + i);
	}
	EXPECT_TRUE(consistent());
}

TEST_F(VmPageRetireTest, TheAuditSeesAPageThatOnlySaysSo)
{
	vm_page_t m = alloc();

	m->state = VM_PAGE_RETIRED;
	EXPECT_EQ(vm_page_retire_audit(retired_states(), report_collect), 1u);
	EXPECT_NE(report_text()->find("1 say that they are retired, 0 were"), std::string::npos);
}

} // namespace
} // namespace quire
