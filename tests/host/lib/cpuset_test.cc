// SPDX-License-Identifier: BSD-2-Clause
#include "lib/cpuset.h"

#include <vector>

#include "gtest/gtest.h"

namespace
{

std::vector<unsigned> members(const cpuset &set)
{
	std::vector<unsigned> all;

	CPUSET_FOREACH (cpu, &set)
		all.push_back(cpu);
	return all;
}

TEST(Cpuset, StartsEmpty)
{
	cpuset set;

	cpuset_zero(&set);
	EXPECT_TRUE(cpuset_empty(&set));
	EXPECT_EQ(cpuset_count(&set), 0u);
	EXPECT_EQ(cpuset_next(&set, 0), MAXCPU);
	EXPECT_TRUE(members(set).empty());
}

TEST(Cpuset, HoldsTheFirstTheLastAndTheEdgesOfWords)
{
	const std::vector<unsigned> cpus = {0, 1, 63, 64, 127, 128, MAXCPU - 1};
	cpuset set;

	cpuset_zero(&set);
	for (unsigned cpu : cpus)
		cpuset_add(&set, cpu);
	EXPECT_EQ(members(set), cpus);
	EXPECT_EQ(cpuset_count(&set), cpus.size());
	EXPECT_FALSE(cpuset_has(&set, 2));
	for (unsigned cpu : cpus) {
		EXPECT_TRUE(cpuset_has(&set, cpu));
		cpuset_del(&set, cpu);
		EXPECT_FALSE(cpuset_has(&set, cpu));
	}
	EXPECT_TRUE(cpuset_empty(&set));
}

TEST(Cpuset, NextSkipsWhatIsBelow)
{
	cpuset set;

	cpuset_zero(&set);
	cpuset_add(&set, 5);
	cpuset_add(&set, 200);
	EXPECT_EQ(cpuset_next(&set, 5), 5u);
	EXPECT_EQ(cpuset_next(&set, 6), 200u);
	EXPECT_EQ(cpuset_next(&set, 201), MAXCPU);
	EXPECT_EQ(cpuset_next(&set, MAXCPU), MAXCPU);
}

} // namespace
