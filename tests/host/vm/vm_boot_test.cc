/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm/vm_boot.h"

#include <cstring>
#include <vector>

#include "arch/bootinfo.h"
#include "arch/physmap.h"
#include "tests/host/machine_fixture.h"

namespace
{

struct Given {
	vm_paddr_t start, end;
	unsigned domain;
};

std::vector<Given> given;

void give(vm_paddr_t start, vm_paddr_t end, unsigned domain)
{
	given.push_back({start, end, domain});
}

class VmBootTest : public MachineTest
{
      protected:
	VmBootTest()
	{
		config.ranges[0] = {0x100000, 0x180000, 0};
		config.ranges[1] = {0x200000, 0x203000, 0};
		config.ranges[2] = {0x400000, 0x440000, 1};
		config.range_count = 3;
		config.image_size = 0x10000;
		config.fill_ram = true;
	}

	void SetUp() override
	{
		MachineTest::SetUp();
		given.clear();
		vm_boot_init();
		info = arch_boot_info();
	}

	uint64_t bytes_of_ranges() const
	{
		uint64_t sum = 0;

		for (unsigned i = 0; i < info->range_count; i++)
			sum += info->ranges[i].end - info->ranges[i].start;
		return sum;
	}

	const struct boot_range &last_range() const
	{
		return info->ranges[info->range_count - 1];
	}

	uint64_t largest_range() const
	{
		uint64_t largest = 0;

		for (unsigned i = 0; i < info->range_count; i++)
			largest = std::max(largest, info->ranges[i].end - info->ranges[i].start);
		return largest;
	}

	static uint64_t bytes_given()
	{
		uint64_t sum = 0;

		for (const Given &g : given)
			sum += g.end - g.start;
		return sum;
	}

	const struct boot_info *info = nullptr;
};

TEST_F(VmBootTest, MemoryIsZeroed)
{
	auto *bytes = static_cast<unsigned char *>(vm_boot_alloc(5000, 1, "test"));

	for (unsigned i = 0; i < 5000; i++)
		ASSERT_EQ(bytes[i], 0) << i;
}

TEST_F(VmBootTest, MemoryIsAligned)
{
	for (size_t align = 1; align <= 0x8000; align *= 2) {
		void *ptr = vm_boot_alloc(3, align, "test");

		EXPECT_EQ(arch_physmap_paddr(ptr) % align, 0u) << align;
	}
}

TEST_F(VmBootTest, PiecesDoNotOverlap)
{
	std::vector<char *> pieces;

	for (unsigned i = 0; i < 50; i++) {
		pieces.push_back(static_cast<char *>(vm_boot_alloc(100 + i, 4, "test")));
		memset(pieces.back(), (int)i, 100 + i);
	}
	for (unsigned i = 0; i < 50; i++)
		for (unsigned k = 0; k < 100 + i; k++)
			ASSERT_EQ(pieces[i][k], (char)i);
}

TEST_F(VmBootTest, TakesFromTheTopOfTheHighestRange)
{
	void *ptr = vm_boot_alloc(PAGE_SIZE, PAGE_SIZE, "test");

	EXPECT_EQ(arch_physmap_paddr(ptr), last_range().end - PAGE_SIZE);
}

TEST_F(VmBootTest, FallsBackToALowerRangeAndComesBackForSmallThings)
{
	uint64_t last = last_range().end - last_range().start;
	vm_paddr_t large = arch_physmap_paddr(vm_boot_alloc(last + 1, 1, "large"));
	vm_paddr_t small = arch_physmap_paddr(vm_boot_alloc(16, 1, "small"));

	EXPECT_LT(large, last_range().start);
	EXPECT_GE(small, last_range().start);
}

TEST_F(VmBootTest, AWholeRangeCanBeTaken)
{
	vm_boot_alloc(last_range().end - last_range().start, PAGE_SIZE, "test");
	vm_boot_hand_over(give);
	for (const Given &g : given)
		EXPECT_LE(g.end, last_range().start);
}

TEST_F(VmBootTest, NothingIsLost)
{
	vm_boot_alloc(10, 1, "test");
	vm_boot_alloc(3 * PAGE_SIZE + 1, 64, "test");
	vm_boot_alloc(last_range().end - last_range().start - PAGE_SIZE, 16, "test");
	vm_boot_hand_over(give);
	EXPECT_EQ(vm_boot_taken_bytes() + bytes_given(), bytes_of_ranges());
}

TEST_F(VmBootTest, TakenBytesAreThoseOfThePagesTouched)
{
	EXPECT_EQ(vm_boot_taken_bytes(), 0u);
	vm_boot_alloc(1, 1, "test");
	EXPECT_EQ(vm_boot_taken_bytes(), PAGE_SIZE);
	vm_boot_alloc(PAGE_SIZE - 1, 1, "test");
	EXPECT_EQ(vm_boot_taken_bytes(), PAGE_SIZE);
	vm_boot_alloc(1, 1, "test");
	EXPECT_EQ(vm_boot_taken_bytes(), 2 * PAGE_SIZE);
}

TEST_F(VmBootTest, RestsAreWholePagesAscendingWithTheirDomain)
{
	vm_paddr_t last = 0;

	vm_boot_alloc(10, 1, "test");
	vm_boot_hand_over(give);
	ASSERT_EQ(given.size(), info->range_count);
	for (unsigned i = 0; i < given.size(); i++) {
		EXPECT_EQ((given[i].start | given[i].end) & PAGE_MASK, 0u);
		EXPECT_LE(last, given[i].start);
		EXPECT_LT(given[i].start, given[i].end);
		EXPECT_EQ(given[i].domain, info->ranges[i].domain);
		last = given[i].end;
	}
}

TEST_F(VmBootTest, TooMuchIsRefusedByName)
{
	EXPECT_DEATH(vm_boot_alloc(largest_range() + 1, 1, "far too many things"),
		     "far too many things needs");
}

TEST_F(VmBootTest, AlignmentThatLeavesNoRoomIsRefused)
{
	/* Fits by its size, but not at such an address. */
	EXPECT_DEATH(vm_boot_alloc(PAGE_SIZE, UINT64_C(1) << 30, "aligned thing"),
		     "too little memory: aligned thing needs 4096 bytes");
}

TEST_F(VmBootTest, SizesThatWrapAreRefused)
{
	EXPECT_DEATH(vm_boot_alloc(SIZE_MAX, 4096, "everything"), "everything needs");
}

TEST_F(VmBootTest, NothingIsHandedOutAfterTheHandOver)
{
	vm_boot_hand_over(give);
	EXPECT_DEATH(vm_boot_alloc(1, 1, "late thing"), "late thing");
}

} // namespace
