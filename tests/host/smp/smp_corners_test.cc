/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What mutants of smp/ showed to be untested: bounds and messages where one more or one less makes
 * a difference.
 */
#include <set>

#include "arch/clock.h"
#include "smp/patience.h"
#include "smp/preempt.h"
#include "tests/host/smp/smp_fixture.h"

namespace quire
{

class SmpCornersTest : public SmpTest
{
};

/* Run first by GoogleTest: a death test forks, before other tests have made threads. */
using SmpCornersDeathTest = SmpCornersTest;

/* The last lock that is not the interlock is the one to blame, wherever the interlock stands. */
TEST_F(SmpCornersDeathTest, SleepingBlamesTheLastOtherLock)
{
	struct spinlock a, b, c;

	boot(1, 1);
	arch_percpu()->thread = this;
	spin_init(&a, "first", LOCK_RANK_MAP, 0);
	spin_init(&b, "second", LOCK_RANK_OBJECT, 0);
	spin_init(&c, "third", LOCK_RANK_KEG, 0);
	spin_lock(&a);
	spin_lock(&b);
	EXPECT_DEATH(sleep_check_holding("test", &a), "\"second\", taken at");
	EXPECT_DEATH(sleep_check_holding("test", &b), "\"first\", taken at");
	spin_lock(&c);
	EXPECT_DEATH(sleep_check_holding("test", &c), "\"second\", taken at");
	EXPECT_DEATH(sleep_check_holding("test", &a), "\"third\", taken at");
	spin_unlock(&c);
	spin_unlock(&b);
	spin_unlock(&a);
	arch_percpu()->thread = nullptr;
}

TEST_F(SmpCornersTest, AllLinesButTheFirstAreGivenOutOnce)
{
	boot(2, 1);
	unsigned used = percpu_lines_used();
	std::set<uint32_t> given;
	uint32_t offset;

	while ((offset = percpu_lines_alloc(1)) != 0) {
		EXPECT_GT(offset, PERCPU_ZERO_OFFSET);
		EXPECT_LT(offset, sizeof(struct percpu));
		EXPECT_TRUE(given.insert(offset).second);
		ASSERT_EQ(percpu_lines_used(), used + given.size());
	}
	EXPECT_EQ(used + given.size(), PERCPU_LINES - 1u);
	for (uint32_t one : given) {
		percpu_lines_free(one, 1);
		EXPECT_EQ(percpu_lines_alloc(1), one);
	}
	for (uint32_t one : given)
		percpu_lines_free(one, 1);
	EXPECT_EQ(percpu_lines_used(), used);
}

TEST_F(SmpCornersTest, AFreshMachineHasNoLinesInUse)
{
	boot(1, 1);
	EXPECT_EQ(percpu_lines_used(), 0u);
}

TEST_F(SmpCornersTest, NeighbouringLinesDoNotOverlap)
{
	boot(1, 1);
	std::set<uint32_t> given;
	unsigned lines = 0;
	uint32_t offset;

	while ((offset = percpu_lines_alloc(5)) != 0) {
		for (unsigned i = 0; i < 5; i++)
			EXPECT_TRUE(given.insert(offset + i * CACHE_LINE).second);
		lines += 5;
		ASSERT_EQ(percpu_lines_used(), lines);
	}
	/* Twelve groups of five in each word of 64, of which the first has one line less. */
	EXPECT_EQ(lines, PERCPU_LINES / 64 * 12 * 5u);
}

TEST_F(SmpCornersTest, WithoutAHandlerNobodySwitches)
{
	boot(1, 1);
	preempt_set_handler(nullptr);
	arch_percpu()->need_resched = 1;
	preempt_disable();
	preempt_enable();
	EXPECT_EQ(arch_percpu()->need_resched, 1u);
	EXPECT_TRUE(arch_irq_enabled());
	arch_percpu()->need_resched = 0;
}

/* The clock is dear: it is read now and then only. */
TEST_F(SmpCornersTest, PatienceLooksAtTheClockNowAndThen)
{
	struct patience patience;

	boot(1, 1);
	patience_start(&patience, NS_PER_SECOND, 2 * NS_PER_SECOND);
	EXPECT_EQ(patience_turn(&patience), PATIENCE_WAIT);
	EXPECT_EQ(patience.start_ns, 0u);
	EXPECT_EQ(patience_waited_ns(&patience), 0u);
}

} // namespace quire
