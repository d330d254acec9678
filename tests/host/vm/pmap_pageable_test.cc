/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm/pmap_pageable.h"

#include "tests/host/vm/pmap_fixture.h"

namespace
{

using namespace quire;

class PmapPageableTest : public PmapTest
{
      protected:
	static int enter_pageable(vm_page_t m, vm_prot_t prot, bool written)
	{
		return pmap_enter_pageable(kernel_pmap, VA, m, prot, written);
	}
};

using PmapPageableDeathTest = PmapPageableTest;

TEST_F(PmapPageableTest, ALeafIsAccessedCleanAndNotWired)
{
	boot_pmap(1);
	vm_page_t m = new_page();

	ASSERT_EQ(enter_pageable(m, RW, false), KERN_SUCCESS);
	EXPECT_EQ(leaf(VA), VM_PAGE_TO_PHYS(m) | PTE_PRESENT | PTE_GLOBAL | PTE_ACCESSED |
				PTE_WRITE | PTE_NX);
	EXPECT_EQ(enter_pageable(m, RW, true), KERN_SUCCESS); /* what is there stays */
	EXPECT_EQ(leaf(VA) & PTE_DIRTY, 0u);
	EXPECT_TRUE(sound());
	EXPECT_EQ(pmap_remove(kernel_pmap, VA, VA + PAGE_SIZE), KERN_SUCCESS);
	EXPECT_EQ(enter_pageable(m, R, true), KERN_SUCCESS);
	EXPECT_EQ(leaf(VA) & (PTE_DIRTY | PTE_WRITE), PTE_DIRTY);
}

TEST_F(PmapPageableTest, FlagsAreClearedTakenAndPutBack)
{
	boot_pmap(1);
	vm_page_t m = new_page();
	pte_t taken;

	ASSERT_EQ(enter_pageable(m, RW, false), KERN_SUCCESS);
	pmap_clear_accessed(kernel_pmap, VA);
	EXPECT_EQ(leaf(VA) & PTE_ACCESSED, 0u);
	EXPECT_TRUE(may(VA, HOST_WRITE));
	EXPECT_EQ(leaf(VA) & (PTE_ACCESSED | PTE_DIRTY), PTE_ACCESSED | PTE_DIRTY);
	taken = pmap_take_leaf(kernel_pmap, VA);
	EXPECT_NE(taken & PTE_DIRTY, 0u);
	EXPECT_EQ(leaf(VA), 0u);
	pmap_put_leaf_back(kernel_pmap, VA, taken);
	EXPECT_EQ(leaf(VA), taken);
}

TEST_F(PmapPageableTest, ProtectingKeepsTheDirtyFlagAndItsAbsence)
{
	boot_pmap(2);
	vm_page_t m = new_page();

	ASSERT_EQ(enter_pageable(m, RW, false), KERN_SUCCESS);
	EXPECT_EQ(pmap_protect(kernel_pmap, VA, VA + PAGE_SIZE, R), KERN_SUCCESS);
	EXPECT_EQ(leaf(VA) & PTE_DIRTY, 0u);
	EXPECT_EQ(pmap_protect(kernel_pmap, VA, VA + PAGE_SIZE, RW), KERN_SUCCESS);
	EXPECT_TRUE(may(VA, HOST_WRITE));
	EXPECT_EQ(pmap_protect(kernel_pmap, VA, VA + PAGE_SIZE, R), KERN_SUCCESS);
	EXPECT_NE(leaf(VA) & PTE_DIRTY, 0u);
}

TEST_F(PmapPageableTest, WiringAPageableLeafIsNoConflict)
{
	boot_pmap(1);
	vm_page_t m = new_page();

	ASSERT_EQ(enter_pageable(m, RW, false), KERN_SUCCESS);
	pmap_clear_accessed(kernel_pmap, VA);
	EXPECT_EQ(enter(VA, m, RW), KERN_SUCCESS);
	EXPECT_NE(leaf(VA) & PTE_WIRED, 0u);
	EXPECT_NE(leaf(VA) & PTE_DIRTY, 0u);
	EXPECT_EQ(enter_pageable(m, RW, false), KERN_SUCCESS); /* a fault that came late */
	EXPECT_NE(leaf(VA) & PTE_WIRED, 0u);
}

TEST_F(PmapPageableTest, WritableAndExecutableIsRefusedAndSoIsAMissingTable)
{
	boot_pmap(1);
	vm_page_t m = new_page();

	EXPECT_EQ(enter_pageable(m, RWX, false), KERN_PROTECTION_FAILURE);
	fail_tables(1);
	EXPECT_EQ(enter_pageable(m, RW, false), KERN_RESOURCE_SHORTAGE);
	host_fault_disarm();
	EXPECT_EQ(leaf(VA), 0u);
}

TEST_F(PmapPageableDeathTest, AnotherPageOrOtherRightsAreACallersError)
{
	boot_pmap(1);
	vm_page_t m = new_page(), other = new_page();

	ASSERT_EQ(enter_pageable(m, RW, false), KERN_SUCCESS);
	EXPECT_DEATH(enter_pageable(other, RW, false), "is mapped.*it cannot become");
	EXPECT_DEATH(enter_pageable(m, R, false), "is mapped.*it cannot become");
	EXPECT_DEATH(pmap_put_leaf_back(kernel_pmap, VA, leaf(VA)), "check failed");
}

} // namespace
