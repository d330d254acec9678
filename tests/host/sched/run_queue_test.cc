/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/sched/run_queue.h"

#include "arch/ipi.h"
#include "tests/host/sched/sched_fixture.h"

namespace quire
{

/* Works on the queues alone: nothing here is ever switched to. */
class RunQueueTest : public SmpTest
{
      protected:
	void SetUp() override
	{
		boot(2, 1);
		run_queue_init_all(2);
		arch_irq_disable();
		for (unsigned i = 0; i < 4; i++) {
			threads[i] = {};
			threads[i].priority = THREAD_PRIO_NORMAL;
			threads[i].state = THREAD_RUNNING;
		}
		rq = run_queue_of(0);
		rq->idle = &idle;
		spin_lock(&rq->lock);
	}

	void TearDown() override
	{
		spin_unlock(&rq->lock);
		SmpTest::TearDown();
	}

	struct thread threads[4], idle = {};
	struct run_queue *rq;
};

TEST_F(RunQueueTest, AnEmptyQueueGivesTheIdleThread)
{
	EXPECT_LT(run_queue_best_locked(rq), 0);
	EXPECT_EQ(run_queue_take_locked(rq), &idle);
}

TEST_F(RunQueueTest, HigherPrioritiesComeFirstAndEqualsInTheirOrder)
{
	threads[2].priority = THREAD_PRIO_HIGH;
	threads[3].priority = THREAD_PRIO_IDLE;
	run_queue_insert_locked(rq, &threads[3], RUN_BACK);
	run_queue_insert_locked(rq, &threads[0], RUN_BACK);
	run_queue_insert_locked(rq, &threads[1], RUN_FRONT);
	run_queue_insert_locked(rq, &threads[2], RUN_BACK);
	EXPECT_EQ(threads[2].state, THREAD_READY);
	EXPECT_EQ(run_queue_best_locked(rq), THREAD_PRIO_HIGH);
	for (unsigned i : {2u, 1u, 0u, 3u})
		EXPECT_EQ(run_queue_take_locked(rq), &threads[i]);
	EXPECT_EQ(run_queue_take_locked(rq), &idle);
}

TEST_F(RunQueueTest, StartingAsksForASwitchOnlyIfItMatters)
{
	arch_percpu()->need_resched = 0;
	run_queue_start_locked(rq, &threads[0]); /* this CPU has not begun */
	EXPECT_EQ(arch_percpu()->need_resched, 0u);
	rq->current = &threads[3];
	run_queue_start_locked(rq, &threads[1]); /* an equal */
	EXPECT_EQ(arch_percpu()->need_resched, 0u);
	threads[2].priority = THREAD_PRIO_HIGH;
	run_queue_start_locked(rq, &threads[2]);
	EXPECT_EQ(arch_percpu()->need_resched, 1u);
}

TEST_F(RunQueueTest, StartingWakesAnIdleCpuByAnInterrupt)
{
	struct run_queue *other = run_queue_of(1);
	uint64_t sent = host_ipi_sent(ARCH_IPI_RESCHED);

	spin_unlock(&rq->lock);
	spin_lock(&other->lock);
	other->current = other->idle = &idle;
	threads[0].cpu = 1;
	run_queue_start_locked(other, &threads[0]);
	EXPECT_EQ(host_ipi_sent(ARCH_IPI_RESCHED), sent + 1);
	EXPECT_EQ(arch_percpu()->need_resched, 0u);
	spin_unlock(&other->lock);
	spin_lock(&rq->lock);
}

TEST_F(RunQueueTest, TimeoutsExpireInTheOrderOfTheirDeadlines)
{
	const uint64_t deadlines[] = {30, 10, 20, 0};

	for (unsigned i = 0; i < 4; i++)
		run_queue_sleep_locked(rq, &threads[i], deadlines[i]);
	run_queue_expire_locked(rq, 9);
	EXPECT_LT(run_queue_best_locked(rq), 0);
	run_queue_expire_locked(rq, 20);
	EXPECT_EQ(run_queue_take_locked(rq), &threads[1]);
	EXPECT_EQ(run_queue_take_locked(rq), &threads[2]);
	EXPECT_EQ(run_queue_take_locked(rq), &idle);
	EXPECT_TRUE(threads[1].sleep_timed_out);
	EXPECT_FALSE(threads[0].sleep_timed_out);
	run_queue_expire_locked(rq, UINT64_MAX);
	EXPECT_EQ(run_queue_take_locked(rq), &threads[0]);
	EXPECT_EQ(threads[3].state, THREAD_SLEEPING); /* has no deadline */
}

TEST_F(RunQueueTest, AWakeUpCancelsTheTimeoutAndATimeoutRefusesTheWakeUp)
{
	run_queue_sleep_locked(rq, &threads[0], 10);
	run_queue_sleep_locked(rq, &threads[1], 20);
	spin_unlock(&rq->lock);
	EXPECT_TRUE(run_queue_wake(&threads[0]));
	spin_lock(&rq->lock);
	EXPECT_EQ(run_queue_take_locked(rq), &threads[0]);
	run_queue_expire_locked(rq, 100);
	EXPECT_FALSE(threads[0].sleep_timed_out);
	EXPECT_EQ(run_queue_take_locked(rq), &threads[1]);
	spin_unlock(&rq->lock);
	EXPECT_FALSE(run_queue_wake(&threads[1]));
	spin_lock(&rq->lock);
	EXPECT_EQ(run_queue_take_locked(rq), &idle);
}

TEST_F(RunQueueTest, AWakeUpOfAThreadThatIsStillAwakeChangesNothing)
{
	spin_unlock(&rq->lock);
	EXPECT_TRUE(run_queue_wake(&threads[0]));
	spin_lock(&rq->lock);
	EXPECT_EQ(threads[0].state, THREAD_RUNNING);
	EXPECT_EQ(run_queue_take_locked(rq), &idle);
}

} // namespace quire
