// SPDX-License-Identifier: BSD-2-Clause
#include "tests/host/vm/pmap_fixture.h"

namespace quire
{
namespace
{

/* Across the edge of a leaf table. */
constexpr unsigned PAGES = 20;
constexpr vm_offset_t START = VA + SUPERPAGE_SIZE - ptoa(7), END = START + ptoa(PAGES);

class PmapBatchTest : public PmapTest
{
      protected:
	void boot_grown(unsigned cpus)
	{
		boot_pmap(cpus);
		ASSERT_EQ(pmap_growkernel(VA, VA + 2 * SUPERPAGE_SIZE), KERN_SUCCESS);
		for (unsigned i = 0; i < PAGES; i++)
			pages_.push_back(new_page());
	}

	std::vector<vm_page_t> pages_;
};

using PmapBatchDeathTest = PmapBatchTest;

TEST_F(PmapBatchTest, RunEqualsPagesEnteredOneByOne)
{
	boot_grown(2);
	for (vm_prot_t prot : {R, RW, RX}) {
		pmap_enter_run(kernel_pmap, START, pages_.data(), PAGES, prot);
		for (unsigned i = 0; i < PAGES; i++) {
			pte_t entered = leaf(START + ptoa(i));

			/* The same page again changes nothing when it is the same leaf. */
			ASSERT_EQ(enter(START + ptoa(i), pages_[i], prot, true), KERN_SUCCESS);
			EXPECT_EQ(leaf(START + ptoa(i)), entered);
			EXPECT_EQ(pmap_kextract(START + ptoa(i)), VM_PAGE_TO_PHYS(pages_[i]));
		}
		EXPECT_EQ(leaf(START - PAGE_SIZE), 0u);
		EXPECT_EQ(leaf(END), 0u);
		on_each(
		    [&] { EXPECT_EQ(host_load64(END - PAGE_SIZE), VM_PAGE_TO_PHYS(pages_[19])); });
		EXPECT_TRUE(sound());
		ASSERT_EQ(pmap_remove(kernel_pmap, START, END), KERN_SUCCESS);
		EXPECT_EQ(leaf(END - PAGE_SIZE), 0u);
	}
}

TEST_F(PmapBatchTest, EmptyIsWhatHasNothingMapped)
{
	boot_grown(1);
	EXPECT_TRUE(pmap_is_empty(kernel_pmap, START, END));
	EXPECT_TRUE(pmap_is_empty(kernel_pmap, VA, VA + 2 * SUPERPAGE_SIZE));
	/* Where no table is, at any level. */
	EXPECT_TRUE(pmap_is_empty(kernel_pmap, VA + SUPERPAGE_SIZE, VA + MMU_LEVEL_SIZE(4) * 2));
	for (vm_offset_t va : {START, VA + SUPERPAGE_SIZE, END - PAGE_SIZE}) {
		pmap_enter_run(kernel_pmap, va, pages_.data(), 1, RW);
		EXPECT_FALSE(pmap_is_empty(kernel_pmap, START, END)) << std::hex << va;
		EXPECT_FALSE(pmap_is_empty(kernel_pmap, va, va + PAGE_SIZE));
		EXPECT_TRUE(pmap_is_empty(kernel_pmap, va + PAGE_SIZE, va + ptoa(2)));
		EXPECT_TRUE(pmap_is_empty(kernel_pmap, va - PAGE_SIZE, va));
		ASSERT_EQ(pmap_remove(kernel_pmap, va, va + PAGE_SIZE), KERN_SUCCESS);
	}
	EXPECT_TRUE(pmap_is_empty(kernel_pmap, START, END));
}

TEST_F(PmapBatchTest, LargeLeafIsNotEmpty)
{
	boot_grown(1);
	ASSERT_EQ(pmap_enter_large(kernel_pmap, VA, new_run(), RW, true), KERN_SUCCESS);
	EXPECT_FALSE(pmap_is_empty(kernel_pmap, VA + ptoa(3), VA + ptoa(4)));
	EXPECT_FALSE(pmap_is_empty(kernel_pmap, VA + SUPERPAGE_SIZE - PAGE_SIZE,
				   VA + SUPERPAGE_SIZE + PAGE_SIZE));
	EXPECT_TRUE(pmap_is_empty(kernel_pmap, VA + SUPERPAGE_SIZE, VA + 2 * SUPERPAGE_SIZE));
}

TEST_F(PmapBatchDeathTest, MappingIsNeverReplaced)
{
	boot_grown(1);
	ASSERT_EQ(enter(START + ptoa(9), pages_[0], RW), KERN_SUCCESS);
	EXPECT_DEATH(pmap_enter_run(kernel_pmap, START, pages_.data(), PAGES, RW),
		     "another page cannot be entered");
}

TEST_F(PmapBatchDeathTest, RangeMustBeGrownAndRightsAllowed)
{
	boot_grown(1);
	EXPECT_DEATH(pmap_enter_run(kernel_pmap, VA + MMU_LEVEL_SIZE(3), pages_.data(), 1, RW),
		     "no table of small pages");
	EXPECT_DEATH(pmap_enter_run(kernel_pmap, START, pages_.data(), 1, RWX), "check failed");
}

} // namespace
} // namespace quire
