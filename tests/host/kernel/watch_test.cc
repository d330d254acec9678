// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/watch.h"

#include <gtest/gtest.h>

#include <vector>

namespace quire
{
namespace
{

constexpr uint32_t LIMIT = 3;

std::vector<enum watch_verdict> looks(struct watch *watch, const std::vector<uint64_t> &counters)
{
	std::vector<enum watch_verdict> verdicts;

	for (uint64_t counter : counters)
		verdicts.push_back(watch_look(watch, counter, LIMIT));
	return verdicts;
}

using Verdicts = std::vector<enum watch_verdict>;

TEST(WatchTest, ACounterThatMovesIsFine)
{
	struct watch watch = {};

	EXPECT_EQ(looks(&watch, {1, 2, 3, 500, 501, 502}), Verdicts(6, WATCH_FINE));
}

TEST(WatchTest, OneThatStandsStillIsAskedAndThenToldOnce)
{
	struct watch watch = {};

	EXPECT_EQ(looks(&watch, {7, 7, 7, 7, 7, 7, 7}),
		  (Verdicts{WATCH_FINE, WATCH_FINE, WATCH_FINE, WATCH_ASK, WATCH_STOPPED,
			    WATCH_SILENT, WATCH_SILENT}));
}

TEST(WatchTest, ItsReturnIsToldIfItsAbsenceWas)
{
	struct watch watch = {};

	looks(&watch, {7, 7, 7, 7, 7});
	EXPECT_EQ(looks(&watch, {8, 9}), (Verdicts{WATCH_BACK, WATCH_FINE}));
}

TEST(WatchTest, AShortBreakIsNoNews)
{
	struct watch watch = {};

	/* Asked already, but it moved before it was told. */
	EXPECT_EQ(looks(&watch, {7, 7, 7, 7, 8, 8, 8}),
		  (Verdicts{WATCH_FINE, WATCH_FINE, WATCH_FINE, WATCH_ASK, WATCH_FINE, WATCH_FINE,
			    WATCH_FINE}));
}

TEST(WatchTest, OneThatNeverBeganIsToldToo)
{
	struct watch watch = {};

	EXPECT_EQ(looks(&watch, {0, 0, 0, 0}),
		  (Verdicts{WATCH_FINE, WATCH_FINE, WATCH_ASK, WATCH_STOPPED}));
}

TEST(WatchTest, ASecondStopIsToldAgain)
{
	struct watch watch = {};

	looks(&watch, {7, 7, 7, 7, 7, 8});
	EXPECT_EQ(looks(&watch, {8, 8, 8, 8}),
		  (Verdicts{WATCH_FINE, WATCH_FINE, WATCH_ASK, WATCH_STOPPED}));
}

TEST(WatchTest, ACounterThatWrapsMoves)
{
	struct watch watch = {};

	EXPECT_EQ(looks(&watch, {UINT64_MAX, 0, 1}), Verdicts(3, WATCH_FINE));
}

TEST(WatchTest, ALimitOfOneIsTheShortest)
{
	struct watch watch = {};

	EXPECT_EQ(watch_look(&watch, 5, 1), WATCH_FINE);
	EXPECT_EQ(watch_look(&watch, 5, 1), WATCH_ASK);
	EXPECT_EQ(watch_look(&watch, 5, 1), WATCH_STOPPED);
}

} // namespace
} // namespace quire
