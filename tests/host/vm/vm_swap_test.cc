/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm/vm_swap.h"

#include <atomic>
#include <random>

#include "kernel/registry/sysctl.h"
#include "tests/host/vm/pageable_fixture.h"

namespace
{

constexpr vm_size_t PAGES = 64;

class VmSwapTest : public quire::PageableTest
{
      protected:
	void SetUp() override
	{
		boot(1);
		ASSERT_EQ(swap_reserved(), 0u);
		swap_set_limit(ptoa(PAGES));
	}
};

using VmSwapDeathTest = VmSwapTest;

TEST_F(VmSwapTest, ReservesUpToTheLimitAndNotAByteMore)
{
	EXPECT_TRUE(swap_reserve(ptoa(PAGES - 1)));
	EXPECT_FALSE(swap_reserve(ptoa(2)));
	EXPECT_EQ(swap_reserved(), ptoa(PAGES - 1));
	EXPECT_TRUE(swap_reserve(PAGE_SIZE));
	EXPECT_FALSE(swap_reserve(PAGE_SIZE));
	EXPECT_TRUE(swap_reserve(0));
	swap_release(ptoa(PAGES));
	EXPECT_EQ(swap_reserved(), 0u);
}

TEST_F(VmSwapTest, SizesNearTheLargestNumberDoNotWrap)
{
	EXPECT_TRUE(swap_reserve(PAGE_SIZE));
	EXPECT_FALSE(swap_reserve(~(vm_size_t)PAGE_MASK));
	EXPECT_EQ(swap_reserved(), PAGE_SIZE);
	swap_release(PAGE_SIZE);
}

TEST_F(VmSwapTest, ALowerLimitLeavesWhatIsTaken)
{
	EXPECT_TRUE(swap_reserve(ptoa(10)));
	swap_set_limit(ptoa(5));
	EXPECT_EQ(swap_limit(), ptoa(5));
	EXPECT_EQ(swap_reserved(), ptoa(10));
	EXPECT_FALSE(swap_reserve(PAGE_SIZE));
	swap_release(ptoa(6));
	EXPECT_TRUE(swap_reserve(PAGE_SIZE));
	swap_release(ptoa(5));
}

TEST_F(VmSwapDeathTest, ReleasingWhatWasNotTakenPanics)
{
	EXPECT_TRUE(swap_reserve(PAGE_SIZE));
	EXPECT_DEATH(swap_release(ptoa(2)), "swap_release.*only 0x1000 bytes are reserved");
	swap_release(PAGE_SIZE);
}

TEST_F(VmSwapDeathTest, SizesAreWholePages)
{
	EXPECT_DEATH(EXPECT_FALSE(swap_reserve(100)), "check failed.*0x64");
}

TEST_F(VmSwapTest, LimitAndReservationHaveNames)
{
	char text[SYSCTL_TEXT_MAX];

	EXPECT_TRUE(swap_reserve(ptoa(3)));
	ASSERT_EQ(sysctl_read("vm.swap_reserved", text, sizeof(text)), SYSCTL_OK);
	EXPECT_STREQ(text, "12288");
	ASSERT_EQ(sysctl_read("vm.swap_limit", text, sizeof(text)), SYSCTL_OK);
	EXPECT_STREQ(text, "262144");
	EXPECT_EQ(sysctl_write("vm.swap_limit", "1M"), SYSCTL_OK);
	EXPECT_EQ(swap_limit(), 1u << 20);
	EXPECT_EQ(sysctl_write("vm.swap_reserved", "0"), SYSCTL_READ_ONLY);
	EXPECT_EQ(swap_reserved(), ptoa(3));
	swap_release(ptoa(3));
}

/* --- Charges of ranges --- */

TEST_F(VmSwapTest, PageableRangesAreChargedAndOthersAreNot)
{
	vm_offset_t wired = kmem_alloc(kernel_map, ptoa(3));
	vm_offset_t addresses = kmem_alloc_nofault(kernel_map, ptoa(3));
	vm_offset_t pageable;

	EXPECT_EQ(swap_reserved(), 0u);
	pageable = alloc(5);
	ASSERT_NE(pageable, 0u);
	EXPECT_EQ(swap_reserved(), ptoa(5));
	EXPECT_TRUE(audit_ok());
	free(pageable, 5);
	EXPECT_EQ(swap_reserved(), 0u);
	kmem_free(kernel_map, wired, ptoa(3));
	kmem_free(kernel_map, addresses, ptoa(3));
}

TEST_F(VmSwapTest, PartOfARangeReturnsItsPartOfTheCharge)
{
	vm_offset_t addr = alloc(8);

	read_pages(addr, 8);
	free(addr + ptoa(2), 3);
	EXPECT_EQ(swap_reserved(), ptoa(5));
	EXPECT_TRUE(audit_ok());
	free(addr, 2);
	free(addr + ptoa(5), 3);
	EXPECT_EQ(swap_reserved(), 0u);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmSwapTest, AFullLimitRefusesARangeAndLeavesNothing)
{
	vm_offset_t addr = alloc(PAGES);

	ASSERT_NE(addr, 0u);
	EXPECT_EQ(alloc(1), 0u);
	EXPECT_EQ(swap_reserved(), ptoa(PAGES));
	EXPECT_TRUE(audit_ok());
	free(addr, PAGES);
	addr = alloc(1);
	EXPECT_NE(addr, 0u);
	free(addr, 1);
}

TEST_F(VmSwapTest, InsertChargesUnlessToldOtherwise)
{
	for (int cow : {0, MAP_ACC_NO_CHARGE}) {
		vm_offset_t addr = kernel_map->min_offset;

		ASSERT_EQ(vm_map_find(kernel_map, nullptr, 0, &addr, ptoa(2), VMFS_ANY_SPACE,
				      VM_PROT_RW, VM_PROT_ALL, cow),
			  KERN_SUCCESS);
		EXPECT_EQ(swap_reserved(), cow == 0 ? ptoa(2) : 0);
		read_pages(addr, 2);
		EXPECT_TRUE(audit_ok());
		vm_map_remove(kernel_map, addr, addr + ptoa(2));
		EXPECT_EQ(swap_reserved(), 0u);
		EXPECT_TRUE(audit_ok());
	}
}

TEST_F(VmSwapTest, FailedReservationIsARefusalLikeAnyOther)
{
	fail(1, HOST_FAULT_NTH, "swap_reserve");
	EXPECT_EQ(alloc(1), 0u);
	EXPECT_EQ(host_fault_failures(), 1u);
	host_fault_disarm();
	EXPECT_EQ(swap_reserved(), 0u);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmSwapTest, AuditSeesALostCharge)
{
	vm_offset_t addr = alloc(2);

	ASSERT_TRUE(swap_reserve(PAGE_SIZE));
	EXPECT_FALSE(audit_ok());
	swap_release(PAGE_SIZE);
	EXPECT_TRUE(audit_ok());
	free(addr, 2);
}

TEST_F(VmSwapTest, RandomRangesSumToWhatIsReserved)
{
	std::mt19937_64 random(7);
	std::vector<std::pair<vm_offset_t, vm_size_t>> ranges;
	vm_size_t pages = 0;

	for (unsigned n = 0; n < 3000; n++) {
		if (random() % 2 == 0 || ranges.empty()) {
			vm_size_t size = 1 + random() % 8;
			vm_offset_t addr = alloc(size);

			ASSERT_EQ(addr != 0, pages + size <= PAGES);
			if (addr == 0)
				continue;
			ranges.emplace_back(addr, size);
			pages += size;
			host_store64(addr + ptoa(random() % size), n);
		} else {
			size_t i = random() % ranges.size();

			free(ranges[i].first, ranges[i].second);
			pages -= ranges[i].second;
			ranges[i] = ranges.back();
			ranges.pop_back();
		}
		ASSERT_EQ(swap_reserved(), ptoa(pages));
		if (n % 256 == 0) {
			ASSERT_TRUE(audit_ok());
		}
	}
	for (auto &range : ranges)
		free(range.first, range.second);
	EXPECT_EQ(swap_reserved(), 0u);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmSwapTest, CpusThatReserveAtOnceNeverPassTheLimit)
{
	shut_down();
	for (unsigned cpus : {2u, 4u, 8u}) {
		std::atomic<vm_size_t> held{0};

		boot(cpus, cpus);
		swap_set_limit(ptoa(PAGES));
		host_set_switch_ppm(200000);
		on_all_cpus([&](unsigned) {
			for (unsigned i = 0; i < 300; i++) {
				vm_size_t size = ptoa(1 + i % 40);

				if (!swap_reserve(size))
					continue;
				EXPECT_LE(held += size, ptoa(PAGES));
				if (i % 3 == 0)
					thread_yield();
				held -= size;
				swap_release(size);
			}
		});
		EXPECT_EQ(swap_reserved(), 0u);
		shut_down();
	}
}

} // namespace
