// SPDX-License-Identifier: BSD-2-Clause
#include "bench/meter/lines.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace
{

constexpr bool LOAD = false, STORE = true;

// Each test has a page of its own in the one table of the process.
class LinesTest : public testing::Test
{
      protected:
	static void SetUpTestSuite()
	{
		ASSERT_TRUE(lines_init());
	}
	void SetUp() override
	{
		static uint64_t next = UINT64_C(1) << 32;
		at = next += 4096;
	}
	uint64_t at;
};

TEST_F(LinesTest, FirstTouchesAndReadersOfTheUnwrittenAreFree)
{
	EXPECT_FALSE(lines_access(0, at, LOAD));
	EXPECT_FALSE(lines_access(1, at, LOAD));
	EXPECT_FALSE(lines_access(63, at, LOAD));
	EXPECT_FALSE(lines_access(5, at + 64, STORE));
}

TEST_F(LinesTest, AReaderFetchesWhatAnotherWroteOnce)
{
	lines_access(0, at, STORE);
	EXPECT_TRUE(lines_access(1, at + 63, LOAD));
	EXPECT_FALSE(lines_access(1, at, LOAD));
	EXPECT_TRUE(lines_access(2, at, LOAD));
	EXPECT_FALSE(lines_access(0, at, LOAD));
}

TEST_F(LinesTest, AWriterTakesTheLineFromItsHolders)
{
	lines_access(0, at, LOAD);
	EXPECT_TRUE(lines_access(1, at, STORE));
	EXPECT_FALSE(lines_access(1, at, STORE));
	EXPECT_TRUE(lines_access(0, at, LOAD));
	EXPECT_TRUE(lines_access(0, at, STORE));
	EXPECT_TRUE(lines_access(63, at, STORE));
}

TEST_F(LinesTest, UpgradingALineHeldAloneIsFree)
{
	EXPECT_FALSE(lines_access(3, at, LOAD));
	EXPECT_FALSE(lines_access(3, at, STORE));
	EXPECT_TRUE(lines_access(4, at, LOAD)); // so the store was noticed
}

TEST_F(LinesTest, NeighbouringLinesAreApart)
{
	lines_access(0, at, STORE);
	EXPECT_FALSE(lines_access(1, at + 64, LOAD));
	EXPECT_FALSE(lines_access(1, LINES_RAM_MAX - 1, STORE));
	EXPECT_TRUE(lines_access(1, at, LOAD));
}

// Of any number of threads that store to one line n times in all, each change of hands is one
// transfer: never more than stores, and as many as there were other holders at least once each.
TEST_F(LinesTest, ThreadsAtOnceLoseNoHolder)
{
	constexpr unsigned cpus = 8, rounds = 20000;
	std::vector<uint64_t> transfers(cpus);
	std::vector<std::thread> threads;

	for (unsigned cpu = 0; cpu < cpus; cpu++)
		threads.emplace_back([&, cpu] {
			for (unsigned i = 0; i < rounds; i++)
				transfers[cpu] += lines_access(cpu, at, STORE);
		});
	for (std::thread &thread : threads)
		thread.join();
	uint64_t sum = 0;
	for (uint64_t n : transfers)
		sum += n;
	EXPECT_GE(sum, cpus - 1);
	EXPECT_LE(sum, uint64_t{cpus} * rounds);
	unsigned holders = 0;
	for (unsigned cpu = 0; cpu < cpus; cpu++)
		holders += !lines_access(cpu, at, LOAD);
	EXPECT_EQ(1U, holders); // the last one to store
}

} // namespace
