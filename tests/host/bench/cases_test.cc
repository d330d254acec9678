// SPDX-License-Identifier: BSD-2-Clause
#include "bench/cases.h"

#include <gtest/gtest.h>

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

/* Lower-case letters, a dot, then such letters, digits and underscores. */
bool is_family_dot_case(const std::string &name)
{
	const std::string letters = "abcdefghijklmnopqrstuvwxyz";
	size_t dot = name.find_first_not_of(letters);

	return dot != 0 && dot != std::string::npos && name[dot] == '.' && dot + 1 < name.size() &&
	       name.find_first_not_of(letters + "0123456789_", dot + 1) == std::string::npos;
}

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
	EXPECT_FALSE(is_family_dot_case("page"));
	EXPECT_FALSE(is_family_dot_case(".pair"));
	EXPECT_FALSE(is_family_dot_case("page."));
	EXPECT_FALSE(is_family_dot_case("page.Pair"));
	std::set<std::string> seen;

	for (const auto &row : cases) {
		EXPECT_TRUE(is_family_dot_case(row.name)) << row.name;
		EXPECT_TRUE(seen.insert(row.name).second) << row.name;
		EXPECT_NE(std::string(row.operation), "") << row.name;
	}
}
