// SPDX-License-Identifier: BSD-2-Clause
#include "bench/kernel/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <vector>

namespace
{

struct bench_random seeded(uint64_t seed, uint64_t stream)
{
	struct bench_random random;

	bench_random_seed(&random, seed, stream);
	return random;
}

std::vector<uint64_t> first_numbers(uint64_t seed, uint64_t stream, int count)
{
	struct bench_random random = seeded(seed, stream);
	std::vector<uint64_t> numbers;

	for (int i = 0; i < count; i++)
		numbers.push_back(bench_random_next(&random));
	return numbers;
}

void exchange(void *ctx, uint32_t i, uint32_t j)
{
	auto &things = *static_cast<std::vector<int> *>(ctx);

	ASSERT_GT(i, j);
	std::swap(things.at(i), things.at(j));
}

std::vector<int> shuffled(struct bench_random *random, int count)
{
	std::vector<int> things(count);

	std::iota(things.begin(), things.end(), 0);
	bench_random_shuffle(random, count, exchange, &things);
	return things;
}

} // namespace

TEST(BenchRandomTest, OneSeedGivesOneSequence)
{
	EXPECT_EQ(first_numbers(7, 3, 100), first_numbers(7, 3, 100));
}

TEST(BenchRandomTest, SeedsAndStreamsDoNotMeet)
{
	std::set<uint64_t> seen;

	for (uint64_t seed = 0; seed < 8; seed++)
		for (uint64_t stream = 0; stream < 8; stream++)
			for (uint64_t number : first_numbers(seed, stream, 100))
				EXPECT_TRUE(seen.insert(number).second) << seed << " " << stream;
}

TEST(BenchRandomTest, BelowStaysBelowAndReachesEverything)
{
	struct bench_random random = seeded(1, 1);
	std::map<uint32_t, int> counts;

	for (int i = 0; i < 10000; i++)
		counts[bench_random_below(&random, 10)]++;
	ASSERT_EQ(counts.size(), 10u);
	EXPECT_EQ(counts.rbegin()->first, 9u);
	for (const auto &[number, count] : counts) {
		EXPECT_GT(count, 800) << number;
		EXPECT_LT(count, 1200) << number;
	}
	for (int i = 0; i < 100; i++)
		EXPECT_EQ(bench_random_below(&random, 1), 0u);
}

TEST(BenchRandomTest, BetweenIncludesBothEnds)
{
	struct bench_random random = seeded(2, 1);
	std::set<uint32_t> seen;

	for (int i = 0; i < 1000; i++)
		seen.insert(bench_random_between(&random, 5, 8));
	EXPECT_EQ(seen, (std::set<uint32_t>{5, 6, 7, 8}));
	EXPECT_EQ(bench_random_between(&random, 3, 3), 3u);
}

TEST(BenchRandomTest, ShuffleLosesAndDoublesNothing)
{
	struct bench_random random = seeded(3, 1);

	for (int count : {0, 1, 2, 1000}) {
		std::vector<int> things = shuffled(&random, count);
		std::set<int> distinct(things.begin(), things.end());

		EXPECT_EQ(things.size(), static_cast<size_t>(count));
		EXPECT_EQ(distinct.size(), things.size());
	}
}

TEST(BenchRandomTest, ShuffleMakesEveryOrderEquallyOften)
{
	struct bench_random random = seeded(4, 1);
	std::map<std::vector<int>, int> orders;

	for (int i = 0; i < 6000; i++)
		orders[shuffled(&random, 3)]++;
	ASSERT_EQ(orders.size(), 6u);
	for (const auto &[order, count] : orders) {
		EXPECT_GT(count, 850);
		EXPECT_LT(count, 1150);
	}
}

TEST(BenchRandomDeathTest, BelowNothingIsRefused)
{
	struct bench_random random = seeded(1, 1);

	EXPECT_DEATH(bench_random_below(&random, 0), "");
}
