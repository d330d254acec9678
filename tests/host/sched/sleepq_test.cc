/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/sched/sleepq.h"

#include "smp/preempt.h"
#include "tests/host/sched/sched_fixture.h"

namespace quire
{

class SleepqTest : public SchedTest
{
      protected:
	SleepqTest()
	{
		spin_init(&lock, "condition", LOCK_RANK_OBJECT, 0);
		mutex_init(&mutex, "guard", LOCK_RANK_MAP);
	}

	/* Until so many threads sleep on the channel. */
	static void wait_for_sleepers(const void *channel, unsigned count)
	{
		while (sleepq_count(channel) != count)
			thread_yield_or_relax();
	}
	static void thread_yield_or_relax()
	{
		thread_yield();
		arch_cpu_relax();
	}

	struct spinlock lock;
	struct mutex mutex;
};

/* Run first by GoogleTest: a death test forks, before other tests have made threads. */
using SleepqDeathTest = SleepqTest;

/* Each item is put once and taken once; a lost wake-up is a test that never ends. */
TEST_F(SleepqTest, NoWakeUpIsLostUnderAnySchedule)
{
	for_machines(2000, [&] {
		unsigned items = 0, taken = 0;

		on_threads(2, [&](unsigned index) {
			bool producer = index < config.cpus;

			for (unsigned i = 0; i < 3; i++) {
				spin_lock(&lock);
				if (producer) {
					items++;
					wakeup_one(&items);
				} else {
					while (items == 0)
						sleep_on_spin(&items, &lock, "items",
							      SLEEP_FOREVER);
					items--;
					taken++;
				}
				spin_unlock(&lock);
			}
		});
		EXPECT_EQ(taken, 3 * config.cpus);
		EXPECT_EQ(items, 0u);
	});
}

TEST_F(SleepqTest, NoWakeUpIsLostWithAMutexForInterlock)
{
	for_machines(500, [&] {
		unsigned turn = 0, total = 2 * config.cpus;

		/* All take their turns, each waking all. */
		on_threads(2, [&](unsigned index) {
			mutex_lock(&mutex);
			while (turn != index)
				sleep_on_mutex(&turn, &mutex, "turn", SLEEP_FOREVER);
			EXPECT_TRUE(mutex_owned(&mutex));
			turn++;
			wakeup(&turn);
			mutex_unlock(&mutex);
		});
		EXPECT_EQ(turn, total);
	});
}

TEST_F(SleepqTest, WakingAllWakesAllOfThatChannelOnly)
{
	boot_all(3, 1);
	int one, other;
	unsigned woken = 0;
	std::list<Thread> threads;

	for (unsigned i = 0; i < 6; i++) {
		threads.emplace_back(i % 3, [&, i] {
			spin_lock(&lock);
			sleep_on_spin(i < 4 ? &one : &other, &lock, "one or other", SLEEP_FOREVER);
			EXPECT_TRUE(spin_owned(&lock));
			woken++;
			spin_unlock(&lock);
		});
	}
	wait_for_sleepers(&one, 4);
	wait_for_sleepers(&other, 2);
	wakeup(&one);
	EXPECT_EQ(sleepq_count(&one), 0u);
	EXPECT_EQ(sleepq_count(&other), 2u);
	wakeup(&other);
	for (auto &thread : threads)
		thread.join();
	EXPECT_EQ(woken, 6u);
}

TEST_F(SleepqTest, WakingOneWakesTheOneThatHasWaitedLongest)
{
	boot_all(2, 1);
	int channel;
	std::string order;
	std::list<Thread> threads;

	for (unsigned i = 0; i < 4; i++) {
		threads.emplace_back(i % 2, [&, i] {
			spin_lock(&lock);
			sleep_on_spin(&channel, &lock, "its turn", SLEEP_FOREVER);
			order += std::to_string(i);
			spin_unlock(&lock);
		});
		wait_for_sleepers(&channel, i + 1);
	}
	for (auto &thread : threads) {
		wakeup_one(&channel);
		thread.join();
	}
	EXPECT_EQ(order, "0123");
}

TEST_F(SleepqTest, WakingNobodyIsNothing)
{
	int channel;

	boot_all(1, 1);
	wakeup(&channel);
	wakeup_one(&channel);
	EXPECT_EQ(sleepq_count(&channel), 0u);
}

TEST_F(SleepqTest, ATimeoutComesNotBeforeItsTime)
{
	boot_all(2, 1);
	on_threads(2, [&](unsigned index) {
		uint64_t ns = (index + 1) * 3 * MS, before = arch_clock_ns();

		spin_lock(&lock);
		EXPECT_EQ(sleep_on_spin(&lock, &lock, "nothing", ns), SLEEP_TIMED_OUT);
		EXPECT_TRUE(spin_owned(&lock));
		spin_unlock(&lock);
		EXPECT_GE(arch_clock_ns() - before, ns);
		EXPECT_LE(arch_clock_ns() - before, ns + 3 * TICK_NS);
	});
	mutex_lock(&mutex);
	EXPECT_EQ(sleep_on_mutex(&lock, &mutex, "nothing", MS), SLEEP_TIMED_OUT);
	EXPECT_TRUE(mutex_owned(&mutex));
	mutex_unlock(&mutex);
	EXPECT_EQ(sleepq_count(&lock), 0u);
}

/*
 * Wake-ups and timeouts meet. Every token is one wakeup_one(), and there is a thread that waits
 * without limit: were a wake-up spent on a thread that says it timed out, that one would stay.
 */
TEST_F(SleepqTest, AWakeUpAndATimeoutOfOneSleepAreOneOfTheTwo)
{
	unsigned woken = 0, timed_out = 0;

	for_machines(500, [&] {
		unsigned tokens = 0, waiters = 0, missed = 0;
		Thread patient(config.cpus - 1, [&] {
			spin_lock(&lock);
			while (tokens == 0)
				sleep_on_spin(&tokens, &lock, "token", SLEEP_FOREVER);
			tokens--;
			spin_unlock(&lock);
		});

		on_threads(2, [&](unsigned index) {
			if (index < config.cpus) {
				spin_lock(&lock);
				waiters++;
				enum sleep_result result =
				    sleep_on_spin(&tokens, &lock, "token", 2 * TICK_NS);
				if (result == SLEEP_WOKEN) {
					EXPECT_GT(tokens, 0u);
					if (tokens > 0)
						tokens--;
					woken++;
				} else {
					missed++;
					timed_out++;
				}
				spin_unlock(&lock);
				return;
			}
			thread_sleep_ns((1 + index % 2) * TICK_NS);
			spin_lock(&lock);
			tokens++;
			wakeup_one(&tokens);
			spin_unlock(&lock);
		});
		/* One token for each timeout, and none for the patient one yet at worst. */
		spin_lock(&lock);
		tokens++;
		wakeup_one(&tokens);
		spin_unlock(&lock);
		patient.join();
		EXPECT_EQ(waiters, config.cpus);
		EXPECT_EQ(tokens, missed);
	});
	EXPECT_GT(woken, 0u);
	EXPECT_GT(timed_out, 0u);
}

/* The first waiter has timed out and not run since: the wake-up is for the second. */
TEST_F(SleepqTest, AWakeUpPassesOverAThreadThatHasTimedOut)
{
	int channel;
	enum sleep_result first = SLEEP_WOKEN, second = SLEEP_TIMED_OUT;

	boot_all(1, 1);
	Thread hasty(0, [&] {
		sleepq_prepare(&channel, "first");
		first = sleepq_commit(TICK_NS);
	});
	wait_for_sleepers(&channel, 1);
	Thread patient(0, [&] {
		sleepq_prepare(&channel, "second");
		second = sleepq_commit(SLEEP_FOREVER);
	});
	wait_for_sleepers(&channel, 2);
	preempt_disable();
	host_clock_advance(3 * TICK_NS);
	for (unsigned i = 0; i < 100; i++)
		arch_cpu_relax();
	wakeup_one(&channel);
	preempt_enable();
	hasty.join();
	patient.join();
	EXPECT_EQ(first, SLEEP_TIMED_OUT);
	EXPECT_EQ(second, SLEEP_WOKEN);
}

TEST_F(SleepqTest, InterruptsMayWake)
{
	static int channel;

	boot_all(2, 1);
	Thread sleeper(1, [&] {
		spin_lock(&lock);
		EXPECT_EQ(sleep_on_spin(&channel, &lock, "interrupt", SLEEP_FOREVER), SLEEP_WOKEN);
		spin_unlock(&lock);
	});
	wait_for_sleepers(&channel, 1);
	arch_timer_set_handler([] {
		sched_tick();
		wakeup(&channel);
	});
	sleeper.join();
}

TEST_F(SleepqTest, AWakeUpCountsFromPrepareOn)
{
	int channel;

	boot_all(1, 1);
	sleepq_prepare(&channel, "channel");
	EXPECT_EQ(sleepq_count(&channel), 1u);
	wakeup_one(&channel);
	EXPECT_EQ(sleepq_commit(SLEEP_FOREVER), SLEEP_WOKEN);

	sleepq_prepare(&channel, "channel");
	sleepq_cancel();
	EXPECT_EQ(sleepq_count(&channel), 0u);

	sleepq_prepare(&channel, "channel");
	wakeup(&channel);
	sleepq_cancel(); /* off it already */
}

TEST_F(SleepqDeathTest, PreparingTwicePanics)
{
	int channel, other;

	boot_all(1, 1);
	sleepq_prepare(&channel, "channel");
	EXPECT_DEATH(sleepq_prepare(&other, "other"),
		     "thread \"boot\" sleeps on \"other\" while it prepares to sleep on "
		     "\"channel\"");
	sleepq_cancel();
	EXPECT_DEATH(sleepq_cancel(), "check failed: queue != NULL");
}

TEST_F(SleepqDeathTest, SleepingWhereItIsForbiddenNamesTheReason)
{
	struct spinlock other;

	boot_all(1, 1);
	spin_init(&other, "other", LOCK_RANK_PMAP, 0);
	EXPECT_DEATH(sleep_on_spin(&lock, &lock, "page", 0), "page: cpu 0 does not hold");
	spin_lock(&lock);
	spin_lock(&other);
	EXPECT_DEATH(sleep_on_spin(&lock, &lock, "page", 0),
		     "page may not sleep with a spinlock held \\(\"other\"");
	spin_unlock(&other);
	spin_unlock(&lock);
	preempt_disable();
	EXPECT_DEATH(sleepq_prepare(&lock, "page"), "page may not sleep with preemption disabled");
	preempt_enable();
	arch_timer_set_handler([] { sleepq_prepare(thread_current(), "page"); });
	EXPECT_DEATH(
	    {
		    host_clock_advance(2 * TICK_NS);
		    for (unsigned i = 0; i < 1000; i++)
			    arch_cpu_relax();
	    },
	    "page may not sleep in an interrupt handler");
	arch_timer_set_handler(sched_tick);
}

} // namespace quire
