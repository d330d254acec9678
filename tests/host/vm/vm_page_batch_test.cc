// SPDX-License-Identifier: BSD-2-Clause
#include "tests/host/vm/pages_fixture.h"
#include "vm/vm_page_retire.h"

namespace quire
{
namespace
{

constexpr int WIRED = VM_ALLOC_SYSTEM | VM_ALLOC_WIRED;

class VmPageBatchTest : public PagesTest
{
      protected:
	VmPageBatchTest()
	{
		config_with_holes();
	}

	static unsigned alloc(vm_pindex_t pindex, unsigned n, int req = WIRED)
	{
		unsigned got;

		VM_OBJECT_WLOCK(kernel_object);
		got = vm_page_alloc_run(kernel_object, pindex, req, n);
		VM_OBJECT_WUNLOCK(kernel_object);
		return got;
	}

	static void remove(vm_pindex_t start, vm_pindex_t end)
	{
		VM_OBJECT_WLOCK(kernel_object);
		vm_object_page_remove(kernel_object, start, end);
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

	static uint64_t pages_left()
	{
		(void)vm_page_reclaim_caches();
		return free_pages();
	}
};

using VmPageBatchDeathTest = VmPageBatchTest;

TEST_F(VmPageBatchTest, EachIndexHasAPageOfItsOwn)
{
	/* From inside of one leaf of the index to inside of another. */
	constexpr vm_pindex_t FIRST = 100, END = 100 + 150;
	uint64_t before = pages_left();
	std::vector<vm_page_t> seen;

	ASSERT_EQ(alloc(FIRST, END - FIRST), END - FIRST);
	EXPECT_EQ(lookup(FIRST - 1), nullptr);
	EXPECT_EQ(lookup(END), nullptr);
	for (vm_pindex_t i = FIRST; i < END; i++) {
		vm_page_t m = lookup(i);

		ASSERT_NE(m, nullptr) << i;
		EXPECT_EQ(m->object, kernel_object);
		EXPECT_EQ(m->pindex, i);
		EXPECT_EQ(m->state, VM_PAGE_ALLOCATED);
		EXPECT_EQ(m->wire_count, 1u);
		EXPECT_EQ(m->valid, VM_PAGE_BITS_ALL);
		EXPECT_EQ(m->oflags, VPO_UNMANAGED | VPO_BUSY);
		seen.push_back(m);
	}
	std::sort(seen.begin(), seen.end());
	EXPECT_EQ(std::unique(seen.begin(), seen.end()), seen.end());
	EXPECT_EQ(kernel_object->resident_page_count, END - FIRST);
	EXPECT_TRUE(audit_ok());

	remove(FIRST, END);
	EXPECT_EQ(kernel_object->resident_page_count, 0u);
	EXPECT_LE(before, pages_left() + 2) << "but for what the pools keep";
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmPageBatchTest, LeafStaysWhereItIs)
{
	unsigned n = 10;

	VM_OBJECT_WLOCK(kernel_object);
	vm_page_t const *pages = vm_page_alloc_leaf(kernel_object, 64 + 54, WIRED, &n);
	VM_OBJECT_WUNLOCK(kernel_object);
	ASSERT_EQ(n, 10u);
	/* The index grows above it, gets neighbours, and shrinks again. */
	ASSERT_EQ(alloc(100000, 1), 1u);
	ASSERT_EQ(alloc(64, 54), 54u);
	remove(100000, 100001);
	remove(64, 64 + 54);
	for (unsigned i = 0; i < n; i++) {
		EXPECT_EQ(pages[i], lookup(64 + 54 + i));
		EXPECT_EQ(pages[i]->pindex, 64 + 54 + i);
	}
	remove(0, 1000);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmPageBatchTest, PageThatIsToBeRetiredDoesNotComeBack)
{
	ASSERT_EQ(alloc(0, 5), 5u);
	vm_paddr_t bad = VM_PAGE_TO_PHYS(lookup(2));
	uint64_t before = vm_page_retired_count();

	ASSERT_EQ(vm_page_retire(bad), VM_PAGE_RETIRE_LATER);
	remove(0, 5);
	EXPECT_EQ(vm_page_retired_count(), before + 1);
	EXPECT_EQ(vm_page_retire_again(), 0u);
	EXPECT_EQ(kernel_object->resident_page_count, 0u);
	EXPECT_TRUE(audit_ok());
	unsigned all = alloc(0, (unsigned)pages_left() + 1000);
	for (vm_pindex_t i = 0; i < all; i++)
		ASSERT_NE(VM_PAGE_TO_PHYS(lookup(i)), bad);
	remove(0, all);
}

TEST_F(VmPageBatchTest, RequestIsHonoured)
{
	ASSERT_EQ(alloc(0, 3, VM_ALLOC_SYSTEM | VM_ALLOC_NOBUSY | VM_ALLOC_NODUMP), 3u);
	for (vm_pindex_t i = 0; i < 3; i++) {
		EXPECT_EQ(lookup(i)->wire_count, 0u);
		EXPECT_EQ(lookup(i)->oflags, VPO_UNMANAGED);
		EXPECT_EQ(lookup(i)->flags, PG_NODUMP);
	}
	remove(0, 3);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmPageBatchTest, KnownZeroPagesAreMarkedAndZero)
{
	unsigned ready = 0, marked = 0;

	while (ready < 8 && vm_magazine_zero_one())
		ready++;
	ASSERT_GT(ready, 0u);
	ASSERT_EQ(alloc(0, 2 * ready, WIRED | VM_ALLOC_ZERO), 2 * ready);
	for (vm_pindex_t i = 0; i < 2 * ready; i++) {
		if (!(lookup(i)->flags & PG_ZERO))
			continue;
		marked++;
		for (unsigned k = 0; k < PAGE_SIZE; k++)
			ASSERT_EQ(bytes_of(lookup(i))[k], 0);
	}
	EXPECT_EQ(marked, ready);
	remove(0, 2 * ready);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmPageBatchTest, ShortageGivesWhatThereIs)
{
	uint64_t all = pages_left();
	unsigned got = alloc(7, (unsigned)all + 1000);

	/* All but what the class leaves and the nodes of the index take. */
	EXPECT_LT(got, all);
	EXPECT_GT(got, all * 9 / 10);
	EXPECT_NE(lookup(7 + got - 1), nullptr);
	EXPECT_EQ(lookup(7 + got), nullptr);
	EXPECT_EQ(kernel_object->resident_page_count, got);
	EXPECT_EQ(vm_page_alloc(nullptr, 0, VM_ALLOC_SYSTEM | VM_ALLOC_NOOBJ), nullptr);
	EXPECT_TRUE(audit_ok());
	remove(0, 7 + got);
	EXPECT_EQ(kernel_object->resident_page_count, 0u);
	EXPECT_LE(all, pages_left() + 2);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmPageBatchTest, PagesGoHomeToTheirDomains)
{
	ASSERT_EQ(vm_phys_domain_count(), 2u);
	uint64_t before[2], free = pages_left();

	for (unsigned d = 0; d < 2; d++)
		before[d] = vm_phys_free_pages(d);
	/* More than the first domain has. */
	unsigned want = (unsigned)(std::max(before[0], before[1]) + 50);
	ASSERT_LT(want, free);
	ASSERT_EQ(alloc(0, want), want);
	remove(0, want);
	(void)pages_left();
	for (unsigned d = 0; d < 2; d++)
		EXPECT_LE(before[d], vm_phys_free_pages(d) + 2) << d;
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmPageBatchTest, FailureAtAnyPointKeepsWhatCameBefore)
{
	struct host_fault_plan plan = {};
	unsigned got;

	plan.policy = HOST_FAULT_NTH;
	for (plan.nth = 1;; plan.nth++) {
		uint64_t before = pages_left();

		host_fault_arm(&plan);
		got = alloc(60, 70);
		host_fault_disarm();
		EXPECT_EQ(kernel_object->resident_page_count, got);
		if (got != 0) {
			EXPECT_NE(lookup(60 + got - 1), nullptr);
		}
		EXPECT_EQ(lookup(60 + got), nullptr);
		ASSERT_TRUE(audit_ok()) << plan.nth;
		remove(60, 60 + 70);
		EXPECT_LE(before, pages_left() + 2);
		if (host_fault_failures() == 0)
			break;
		ASSERT_LT(plan.nth, 1000u);
	}
	EXPECT_EQ(got, 70u);
	EXPECT_GT(plan.nth, 70u) << "each page could fail";
}

TEST_F(VmPageBatchDeathTest, TakenIndexIsCaught)
{
	ASSERT_EQ(alloc(5, 1), 1u);
	EXPECT_DEATH(alloc(0, 64), "one is taken");
}

TEST_F(VmPageBatchDeathTest, IndexBehindTheObjectIsCaught)
{
	EXPECT_DEATH(alloc(kernel_object->size - 1, 2), "check failed");
}

} // namespace
} // namespace quire
