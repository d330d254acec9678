/* SPDX-License-Identifier: BSD-2-Clause */
#include "smp/patience.h"

#include "tests/host/machine_fixture.h"

namespace
{

class PatienceTest : public MachineTest
{
      protected:
	/* Turns until the next verdict that is not to go on, or `max`. */
	static enum patience_verdict next_verdict(struct patience *patience, unsigned max)
	{
		for (unsigned i = 0; i < max; i++) {
			enum patience_verdict verdict = patience_turn(patience);

			if (verdict != PATIENCE_WAIT)
				return verdict;
		}
		return PATIENCE_WAIT;
	}
};

TEST_F(PatienceTest, WaitsWhileNoTimeHasPassed)
{
	struct patience patience;

	patience_start(&patience, 1000 * NS_PER_SECOND, 2000 * NS_PER_SECOND);
	EXPECT_EQ(patience_waited_ns(&patience), 0u);
	EXPECT_EQ(next_verdict(&patience, 100000), PATIENCE_WAIT);
}

TEST_F(PatienceTest, WarnsEveryTimeThatTheFirstBoundPassesAndThenGivesUp)
{
	struct patience patience;

	patience_start(&patience, 10 * NS_PER_SECOND, 35 * NS_PER_SECOND);
	EXPECT_EQ(next_verdict(&patience, 100000), PATIENCE_WAIT);
	for (unsigned i = 0; i < 3; i++) {
		host_clock_advance(10 * NS_PER_SECOND);
		EXPECT_EQ(next_verdict(&patience, 1000), PATIENCE_WARN);
		EXPECT_EQ(next_verdict(&patience, 1000), PATIENCE_WAIT);
	}
	host_clock_advance(5 * NS_PER_SECOND);
	EXPECT_EQ(next_verdict(&patience, 1000), PATIENCE_OUT);
	EXPECT_GE(patience_waited_ns(&patience), 35 * NS_PER_SECOND);
}

TEST_F(PatienceTest, AClockThatJumpsIsNoVerdictBeforeTheOthersHadTheirTurn)
{
	struct patience patience;

	patience_start(&patience, NS_PER_SECOND, 2 * NS_PER_SECOND);
	EXPECT_EQ(next_verdict(&patience, 1000), PATIENCE_WAIT);
	host_clock_advance(1000 * NS_PER_SECOND);
	EXPECT_EQ(next_verdict(&patience, 10000), PATIENCE_WAIT);
	EXPECT_EQ(next_verdict(&patience, 100000), PATIENCE_OUT);
}

} // namespace
