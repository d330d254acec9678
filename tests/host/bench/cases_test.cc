// SPDX-License-Identifier: BSD-2-Clause
#include "bench/cases.h"

#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <string>

namespace
{

const struct {
	int index;
	const char *name;
	const char *operation;
} cases[] = {
#define BENCH_CASE(index, id, name, operation) {BENCH_##id, name, operation},
    BENCH_CASES
#undef BENCH_CASE
};

} // namespace

TEST(BenchCasesTest, IndicesFitTheMarkerAndAreOfOneCaseEach)
{
	std::set<int> seen;

	for (const auto &row : cases) {
		EXPECT_GT(row.index, BENCH_INDEX_EMPTY) << row.name;
		EXPECT_LE(row.index, BENCH_INDEX_MAX) << row.name;
		EXPECT_TRUE(seen.insert(row.index).second) << row.name;
	}
	EXPECT_EQ(BENCH_INDEX_MAX & BENCH_ALL_CPUS, 0);
}

TEST(BenchCasesTest, NamesAreFamilyDotCaseAndDistinct)
{
	const std::regex form("[a-z]+\\.[a-z0-9_]+");
	std::set<std::string> seen;

	for (const auto &row : cases) {
		EXPECT_TRUE(std::regex_match(row.name, form)) << row.name;
		EXPECT_TRUE(seen.insert(row.name).second) << row.name;
		EXPECT_NE(std::string(row.operation), "") << row.name;
	}
}
