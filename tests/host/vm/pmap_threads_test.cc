// SPDX-License-Identifier: BSD-2-Clause
/* Page tables changed by CPUs that really run at once: for the thread sanitizer. */
#include "tests/host/vm/pmap_fixture.h"

namespace quire
{
namespace
{

class PmapThreadsTest : public PmapTest
{
      protected:
	/* A CPU's own 16 pages; neighbours share their tables. */
	static vm_offset_t own(unsigned i)
	{
		return VA + ptoa(arch_cpu_id() * 16 + i);
	}

	static void map_use_unmap(vm_page_t m)
	{
		for (unsigned i = 0; i < 16; i++)
			ASSERT_EQ(enter(own(i), m, RW), KERN_SUCCESS);
		for (unsigned i = 0; i < 16; i++)
			EXPECT_EQ(host_load64(own(i)), VM_PAGE_TO_PHYS(m));
		ASSERT_EQ(pmap_protect(kernel_pmap, own(0), own(8), R), KERN_SUCCESS);
		EXPECT_FALSE(may(own(0), HOST_WRITE));
		ASSERT_EQ(pmap_remove(kernel_pmap, own(0), own(16)), KERN_SUCCESS);
		host_assert_no_translation(own(0), own(16));
	}
};

TEST_F(PmapThreadsTest, OwnersOfNeighbouringRangesDoNotDisturbEachOther)
{
	for (unsigned cpus : {2u, 4u}) {
		boot_pmap(cpus, 1, HOST_THREADS);
		run_all([] {
			for (unsigned round = 0; round < 20; round++) {
				vm_page_t m = new_page();

				ASSERT_NE(m, nullptr);
				map_use_unmap(m);
				give_back(m);
			}
		});
		EXPECT_TRUE(sound());
	}
}

TEST_F(PmapThreadsTest, AllGrowTheSameRangeAtOnce)
{
	boot_pmap(4, 1, HOST_THREADS);
	run_all([] { EXPECT_EQ(pmap_growkernel(VA, VA + 16 * SUPERPAGE_SIZE), KERN_SUCCESS); });
	EXPECT_EQ(kernel_pmap->table_pages, 2 + 16u);
	EXPECT_TRUE(sound());
}

TEST_F(PmapThreadsTest, OwnersOfTheTwoHalvesOfALargePageMaySplitItAtOnce)
{
	for (unsigned round = 0; round < 10; round++) {
		boot_pmap(2, 1, HOST_THREADS);
		ASSERT_EQ(pmap_enter_large(kernel_pmap, VA, new_run(), RW, true), KERN_SUCCESS);
		run_all([] {
			vm_offset_t start = VA + ptoa(arch_cpu_id() * 256 + 10);

			EXPECT_TRUE(may(start, HOST_WRITE));
			EXPECT_EQ(pmap_remove(kernel_pmap, start, start + 10 * PAGE_SIZE),
				  KERN_SUCCESS);
			EXPECT_FALSE(may(start, HOST_READ));
			EXPECT_TRUE(may(start + 10 * PAGE_SIZE, HOST_WRITE));
		});
		EXPECT_EQ(kernel_pmap->demotions, 1u);
		EXPECT_TRUE(sound());
	}
}

} // namespace
} // namespace quire
