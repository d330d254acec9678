/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/machine_fixture.h"

#include <string>
#include <vector>

namespace
{

class FaultPointTest : public MachineTest
{
      protected:
	/* Which of ten calls fail, alternating between two sites. */
	static std::vector<int> failures()
	{
		std::vector<int> failed;

		for (int i = 1; i <= 10; i++)
			if (arch_fault_point(i % 2 ? "odd" : "even"))
				failed.push_back(i);
		return failed;
	}

	static std::vector<int> failures(enum host_fault_policy policy, uint64_t nth,
					 const char *site = nullptr)
	{
		struct host_fault_plan plan = {policy, nth, 0, site};

		host_fault_arm(&plan);
		return failures();
	}
};

using List = std::vector<int>;

TEST_F(FaultPointTest, UnarmedNothingFailsOrIsCounted)
{
	EXPECT_EQ(failures(), List{});
	EXPECT_EQ(host_fault_calls(), 0u);
	EXPECT_EQ(host_fault_site_count(), 0u);
}

TEST_F(FaultPointTest, ObservingCountsEverySite)
{
	struct host_fault_site site;

	EXPECT_EQ(failures(HOST_FAULT_OBSERVE, 0), List{});
	EXPECT_EQ(host_fault_calls(), 10u);
	ASSERT_EQ(host_fault_site_count(), 2u);
	ASSERT_TRUE(host_fault_site_get(0, &site));
	EXPECT_STREQ(site.name, "odd");
	EXPECT_EQ(site.calls, 5u);
	EXPECT_FALSE(host_fault_site_get(2, &site));
}

TEST_F(FaultPointTest, FailsTheNthCallOnce)
{
	EXPECT_EQ(failures(HOST_FAULT_NTH, 3), List{3});
	EXPECT_EQ(host_fault_failures(), 1u);
	EXPECT_EQ(failures(HOST_FAULT_NTH, 1), List{1}) << "arming counts afresh";
	EXPECT_EQ(failures(HOST_FAULT_NTH, 11), List{});
}

TEST_F(FaultPointTest, FailsFromTheNthOn)
{
	EXPECT_EQ(failures(HOST_FAULT_FROM_NTH, 8), (List{8, 9, 10}));
}

TEST_F(FaultPointTest, FailsOneSiteOnly)
{
	struct host_fault_site site;

	EXPECT_EQ(failures(HOST_FAULT_FROM_NTH, 4, "even"), (List{8, 10}));
	EXPECT_EQ(host_fault_calls(), 5u);
	ASSERT_TRUE(host_fault_site_get(1, &site));
	EXPECT_EQ(site.failures, 2u);
}

TEST_F(FaultPointTest, FailsByChanceAndRepeatably)
{
	struct host_fault_plan plan = {HOST_FAULT_PROBABILITY, 0, 300000, nullptr};
	List first;

	host_fault_arm(&plan);
	first = failures();
	for (int i = 0; i < 99; i++)
		(void)failures();
	EXPECT_NEAR((double)host_fault_failures(), 300, 60);
	recreate();
	host_fault_arm(&plan);
	EXPECT_EQ(failures(), first);
}

TEST_F(FaultPointTest, DisarmingKeepsTheCounts)
{
	(void)failures(HOST_FAULT_FROM_NTH, 1);
	host_fault_disarm();
	EXPECT_EQ(failures(), List{});
	EXPECT_EQ(host_fault_failures(), 10u);
}

} // namespace
