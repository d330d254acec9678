/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waiting for a map, and what is said about one.
 */
#include <string>

#include "kernel/sched/sleepq.h"
#include "tests/host/vm/vm_fixture.h"
#include "vm/pmap.h"
#include "vm/vm_map_private.h"

namespace
{

constexpr vm_offset_t MAP_START = VM_MIN_KERNEL_ADDRESS + (UINT64_C(1) << 39);
constexpr vm_size_t MAP_PAGES = 64;

class VmMapWaitTest : public quire::VmTest
{
      protected:
	void make_map(bool system_map)
	{
		boot(2);
		vm_map_init(&map_, "test map", kernel_pmap, MAP_START, MAP_START + ptoa(MAP_PAGES),
			    system_map);
	}

	void TearDown() override
	{
		EXPECT_EQ(vm_map_remove(&map_, map_.min_offset, map_.max_offset), KERN_SUCCESS);
		VmTest::TearDown();
	}

	void insert(vm_size_t first, vm_size_t pages)
	{
		vm_offset_t start = MAP_START + ptoa(first);

		vm_map_lock(&map_);
		ASSERT_EQ(vm_map_insert(&map_, nullptr, 0, start, start + ptoa(pages), VM_PROT_RW,
					VM_PROT_RW, MAP_NOFAULT),
			  KERN_SUCCESS);
		vm_map_unlock(&map_);
	}

	std::string summary(size_t room = 512)
	{
		std::string text(room, '\0');

		vm_map_lock(&map_);
		vm_map_summary(&map_, text.data(), room);
		vm_map_unlock(&map_);
		return text.c_str();
	}

	/* A thread waits on CPU 1 and is woken; others may use the map in between. */
	void expect_wait_ends()
	{
		uint32_t before = 0, after = 0;
		quire::TestThread waiter(1, [&] {
			vm_map_lock(&map_);
			before = map_.timestamp;
			vm_map_unlock_and_wait(&map_, "test");
			after = map_.timestamp;
			EXPECT_TRUE(vm_map_locked(&map_));
			vm_map_unlock(&map_);
		});

		while (sleepq_count(&map_) == 0)
			thread_sleep_ns(1000000);
		insert(0, 1);
		vm_map_wakeup(&map_);
		waiter.join();
		EXPECT_GT(after, before + 1) << "the waiter can tell that others were there";
	}

	struct vm_map map_ = {};
};

TEST_F(VmMapWaitTest, SystemMapsAreWaitedForWithTheirSpinlock)
{
	make_map(true);
	expect_wait_ends();
}

TEST_F(VmMapWaitTest, OtherMapsAreWaitedForWithTheirMutex)
{
	make_map(false);
	expect_wait_ends();
}

TEST_F(VmMapWaitTest, SummaryOfAnEmptyMap)
{
	make_map(true);
	EXPECT_EQ(summary(),
		  "262144 of 262144 bytes free in 0 entries, largest hole 262144; largest:");
}

TEST_F(VmMapWaitTest, SummaryNamesTheLargestUsersLargestFirst)
{
	make_map(true);
	insert(1, 2);
	insert(5, 6);
	insert(12, 1);
	insert(14, 9);
	insert(24, 3);
	insert(50, 4);
	std::string text = summary();

	EXPECT_EQ(text, "159744 of 262144 bytes free in 6 entries, largest hole 94208; largest:"
			" 0xfffffe800000e000+36864 (no-fault range)"
			" 0xfffffe8000005000+24576 (no-fault range)"
			" 0xfffffe8000032000+16384 (no-fault range)"
			" 0xfffffe8000018000+12288 (no-fault range)");
	EXPECT_EQ(summary(100), text.substr(0, 99)) << "cut where the room ends";
	EXPECT_EQ(summary(20), text.substr(0, 19));
}

TEST_F(VmMapWaitTest, DescriptionsOfEachKind)
{
	char text[128];

	make_map(true);
	insert(1, 2);
	vm_map_describe(&map_, MAP_START - 1, text, sizeof(text));
	EXPECT_STREQ(text, "outside test map");
	vm_map_describe(&map_, map_.max_offset, text, sizeof(text));
	EXPECT_STREQ(text, "outside test map");
	vm_map_describe(&map_, MAP_START, text, sizeof(text));
	EXPECT_STREQ(text, "test map: free, after 0xfffffe8000000000");
	vm_map_describe(&map_, MAP_START + ptoa(3), text, sizeof(text));
	EXPECT_STREQ(text, "test map: free, after 0xfffffe8000003000");
	vm_map_describe(&map_, MAP_START + ptoa(2) + 5, text, sizeof(text));
	EXPECT_STREQ(text, "test map [0xfffffe8000001000, 0xfffffe8000003000) no-fault range");
	vm_map_describe(kernel_map, pipe_map->min_offset, text, sizeof(text));
	EXPECT_NE(std::string(text).find(" pipe_map"), std::string::npos) << text;
}

} // namespace
