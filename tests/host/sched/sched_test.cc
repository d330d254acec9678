/* SPDX-License-Identifier: BSD-2-Clause */
/* The switch itself, preemption and the tick. */
#include "kernel/sched/sleepq.h"
#include "smp/preempt.h"
#include "tests/host/sched/sched_fixture.h"

namespace quire
{

class SwitchTest : public SchedTest
{
      protected:
	static bool is_set(const struct atomic32 *flag)
	{
		return atomic32_load(flag, MO_ACQUIRE) != 0;
	}
	static void set(struct atomic32 *flag)
	{
		atomic32_store(flag, 1, MO_RELEASE);
	}
	static void spin_until(const struct atomic32 *flag)
	{
		while (!is_set(flag))
			arch_cpu_relax();
	}
};

TEST_F(SwitchTest, TheFirstFlowIsAThreadCalledBoot)
{
	boot_all(2, 1);
	ASSERT_EQ(thread_current(), &boot_thread);
	EXPECT_STREQ(thread_current()->name, "boot");
	EXPECT_EQ(thread_current()->state, THREAD_RUNNING);
	EXPECT_TRUE(sleep_allowed());
}

TEST_F(SwitchTest, ThreadsOfAllCpusRunUnderAnySchedule)
{
	for_machines(500, [&] {
		std::vector<unsigned> ran(2 * config.cpus);

		on_threads(2, [&](unsigned index) {
			EXPECT_EQ(arch_cpu_id(), index % config.cpus);
			EXPECT_TRUE(sleep_allowed());
			thread_yield();
			ran[index]++;
		});
		for (unsigned count : ran)
			EXPECT_EQ(count, 1u);
	});
}

/* Pieces of work that idle threads have done, of `pieces_max`. */
static struct atomic32 pieces, pieces_max;

static bool idle_piece()
{
	EXPECT_TRUE(arch_irq_enabled());
	EXPECT_EQ(arch_percpu()->preempt_count, 0u);
	EXPECT_EQ(thread_current(), &idle_threads[arch_cpu_id()]);
	if (atomic32_load(&pieces, MO_RELAXED) >= atomic32_load(&pieces_max, MO_RELAXED))
		return false;
	atomic32_add(&pieces, 1, MO_RELAXED);
	return true;
}

TEST_F(SwitchTest, IdleThreadsDoTheWorkThatThereIs)
{
	for_machines(50, [&] {
		atomic32_store(&pieces, 0, MO_RELAXED);
		atomic32_store(&pieces_max, 100, MO_RELAXED);
		sched_set_idle_work(idle_piece);
		while (atomic32_load(&pieces, MO_RELAXED) < 100)
			thread_sleep_ns(MS);
		sched_set_idle_work(nullptr);
	});
}

/* Even if there is no end of work, threads run when they are ready. */
TEST_F(SwitchTest, IdleWorkGivesWayToThreads)
{
	for_machines(4, [&] {
		atomic32_store(&pieces_max, UINT32_MAX, MO_RELAXED);
		sched_set_idle_work(idle_piece);
		on_threads(2, [&](unsigned) {
			thread_sleep_ns(MS);
			thread_yield();
		});
		sched_set_idle_work(nullptr);
	});
}

TEST_F(SwitchTest, AHigherPriorityPreemptsOnItsOwnCpuAtOnce)
{
	bool ran = false;

	boot_all(1, 1);
	Thread high(0, THREAD_PRIO_HIGH, [&] { ran = true; });
	high.start();
	EXPECT_TRUE(ran);
	high.join();
}

TEST_F(SwitchTest, AHigherPriorityPreemptsAnotherCpuWithoutATick)
{
	struct atomic32 busy = {0}, ran = {0};

	boot_all(2, 1);
	Thread low(1, [&] {
		set(&busy);
		spin_until(&ran); /* never yields */
	});
	spin_until(&busy);
	uint64_t before = arch_clock_ns();
	Thread high(1, THREAD_PRIO_HIGH, [&] { set(&ran); });
	high.start();
	spin_until(&ran);
	EXPECT_LT(arch_clock_ns() - before, TICK_NS / 2);
	high.join();
	low.join();
}

TEST_F(SwitchTest, EqualsShareTheirCpuByTheTick)
{
	struct atomic32 stop = {0};
	unsigned rounds[3] = {};

	boot_all(2, 1);
	std::list<Thread> threads;
	for (auto &count : rounds) {
		threads.emplace_back(1, [&] {
			while (!is_set(&stop)) {
				count++;
				arch_cpu_relax();
			}
		});
	}
	thread_sleep_ns(60 * TICK_NS);
	set(&stop);
	for (auto &thread : threads) {
		thread.join();
		/* A third each, give or take. */
		EXPECT_GT(thread.thread.run_ns, 10 * TICK_NS);
		EXPECT_LT(thread.thread.run_ns, 30 * TICK_NS);
		EXPECT_GE(thread.thread.switches, 10u);
	}
	for (unsigned count : rounds)
		EXPECT_GT(count, 0u);
}

TEST_F(SwitchTest, ALowerPriorityRunsOnlyWhenNobodyElseWantsTo)
{
	std::string order;

	boot_all(1, 1);
	Thread low(0, THREAD_PRIO_IDLE, [&] { order += "low "; });
	Thread normal(0, THREAD_PRIO_NORMAL, [&] { order += "normal "; });
	low.start();
	normal.start();
	for (unsigned i = 0; i < 3; i++)
		thread_yield();
	EXPECT_EQ(order, "normal ");
	low.join();
	EXPECT_EQ(order, "normal low ");
	normal.join();
}

TEST_F(SwitchTest, NoThreadIsTakenOffWherePreemptionIsDisabled)
{
	bool ran = false;

	boot_all(1, 1);
	Thread high(0, THREAD_PRIO_HIGH, [&] { ran = true; });
	preempt_disable();
	high.start();
	host_clock_advance(10 * TICK_NS);
	for (unsigned i = 0; i < 1000; i++)
		arch_cpu_relax();
	EXPECT_FALSE(ran);
	preempt_enable();
	EXPECT_TRUE(ran);
	high.join();
}

TEST_F(SwitchTest, NoThreadIsTakenOffWithASpinlockHeld)
{
	struct spinlock lock;
	bool ran = false;

	boot_all(1, 1);
	spin_init(&lock, "held", LOCK_RANK_OBJECT, 0);
	Thread high(0, THREAD_PRIO_HIGH, [&] { ran = true; });
	spin_lock(&lock);
	high.start();
	EXPECT_FALSE(ran);
	spin_unlock(&lock);
	EXPECT_TRUE(ran);
	high.join();
}

TEST_F(SwitchTest, TheInterruptFlagBelongsToTheThread)
{
	for_machines(500, [&] {
		on_threads(3, [&](unsigned) {
			for (unsigned i = 0; i < 3; i++) {
				EXPECT_TRUE(arch_irq_enabled());
				thread_yield();
			}
		});
		EXPECT_TRUE(arch_irq_enabled());
	});
}

TEST_F(SwitchTest, TicksAndIdleTimeAreCounted)
{
	boot_all(2, 1);
	uint64_t ticks = percpu_of(0)->tick_count, idle = percpu_of(0)->idle_count;

	thread_sleep_ns(20 * TICK_NS);
	EXPECT_GE(percpu_of(0)->tick_count, ticks + 19);
	EXPECT_GT(percpu_of(0)->idle_count, idle);
}

} // namespace quire
