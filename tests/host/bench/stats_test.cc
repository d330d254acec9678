// SPDX-License-Identifier: BSD-2-Clause
#include "bench/kernel/stats.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace
{

struct bench_stats stats_of(std::vector<uint64_t> samples)
{
	return bench_stats(samples.data(), samples.size());
}

void expect_stats(std::vector<uint64_t> samples, uint64_t min, uint64_t median, uint64_t max)
{
	struct bench_stats stats = stats_of(samples);

	EXPECT_EQ(stats.min, min);
	EXPECT_EQ(stats.median, median);
	EXPECT_EQ(stats.max, max);
}

} // namespace

TEST(BenchStatsTest, NoSamplesAreZeroes)
{
	struct bench_stats stats = bench_stats(nullptr, 0);

	EXPECT_EQ(stats.min, 0u);
	EXPECT_EQ(stats.median, 0u);
	EXPECT_EQ(stats.max, 0u);
}

TEST(BenchStatsTest, SmallCounts)
{
	expect_stats({5}, 5, 5, 5);
	expect_stats({9, 5}, 5, 5, 9);
	expect_stats({9, 1, 5}, 1, 5, 9);
	expect_stats({4, 3, 2, 1}, 1, 2, 4);
}

TEST(BenchStatsTest, TheLargestNumberIsANumber)
{
	expect_stats({UINT64_MAX, 0, UINT64_MAX}, 0, UINT64_MAX, UINT64_MAX);
}

TEST(BenchStatsTest, AgreesWithSortingForEveryCount)
{
	std::mt19937_64 engine(1);

	for (size_t count = 1; count < 300; count++) {
		std::vector<uint64_t> samples(count);

		for (uint64_t &sample : samples)
			sample = engine() % 50; /* with equals */
		std::vector<uint64_t> sorted = samples;
		std::sort(sorted.begin(), sorted.end());

		struct bench_stats stats = bench_stats(samples.data(), samples.size());

		ASSERT_EQ(samples, sorted) << count;
		EXPECT_EQ(stats.min, sorted.front());
		EXPECT_EQ(stats.median, sorted[(count - 1) / 2]);
		EXPECT_EQ(stats.max, sorted.back());
	}
}
