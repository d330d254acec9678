/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/sched/thread.h"

#include "kernel/sched/mutex.h"
#include "smp/preempt.h"
#include "tests/host/sched/sched_fixture.h"

namespace quire
{

class ThreadTest : public SchedTest
{
};

/* Run first by GoogleTest: a death test forks, before other tests have made threads. */
using ThreadDeathTest = ThreadTest;

TEST_F(ThreadTest, RunsItsEntryWithItsArgumentOnItsCpu)
{
	boot_all(3, 1);
	unsigned seen = MAXCPU;
	Thread thread(2, [&] { seen = arch_cpu_id(); });
	thread.join();
	EXPECT_EQ(seen, 2u);
	EXPECT_EQ(thread.thread.state, THREAD_DEAD);
}

/* Poisoning what was joined, at once, finds a CPU that is still on that stack. */
TEST_F(ThreadTest, AStackIsFreeWhenJoinReturnsUnderAnySchedule)
{
	for_machines(2000, [&] {
		size_t size = HOST_STACK_MIN;
		void *stack = std::aligned_alloc(CACHE_LINE, size);
		struct thread thread;

		for (unsigned round = 0; round < 3; round++) {
			thread_create(
			    &thread, "short", [](void *) {}, nullptr, round % config.cpus,
			    THREAD_PRIO_NORMAL, stack, size);
			thread_start(&thread);
			thread_join(&thread);
			std::memset(stack, 0xa5, size);
			std::memset(static_cast<void *>(&thread), 0xa5, sizeof(thread));
		}
		std::free(stack);
	});
}

TEST_F(ThreadTest, ManyMayJoinOne)
{
	for_machines(500, [&] {
		bool ended = false;
		Thread target(config.cpus - 1, [&] {
			thread_yield();
			ended = true;
		});

		on_threads(2, [&](unsigned) {
			target.join();
			EXPECT_TRUE(ended);
		});
		target.join();
	});
}

TEST_F(ThreadTest, ExitEndsItFromAnywhere)
{
	boot_all(2, 1);
	bool after = false;
	Thread thread(1, [&] {
		thread_exit();
		after = true;
	});
	thread.join();
	EXPECT_FALSE(after);
}

TEST_F(ThreadTest, SleepLastsAtLeastAsLongAsAskedFor)
{
	boot_all(3, 1);
	on_threads(3, [&](unsigned index) {
		uint64_t ns = (1 + index) * 7 * MS, before = arch_clock_ns();

		thread_sleep_ns(ns);
		uint64_t slept = arch_clock_ns() - before;
		EXPECT_GE(slept, ns);
		EXPECT_LE(slept, ns + 3 * TICK_NS);
	});
	thread_sleep_ns(0);
}

TEST_F(ThreadTest, AThreadThatSleepsLongIsAsleep)
{
	boot_all(1, 1);
	auto *forever = new Thread(0, [] { thread_sleep_ns(UINT64_MAX); });
	thread_sleep_ns(1000 * TICK_NS);
	EXPECT_EQ(forever->thread.state, THREAD_SLEEPING);
	EXPECT_STREQ(forever->thread.sleep_message, "time");
	halt();
	delete forever;
}

TEST_F(ThreadTest, NamesAreCut)
{
	boot_all(1, 1);
	struct thread thread;
	void *stack = std::aligned_alloc(CACHE_LINE, HOST_STACK_MIN);

	thread_create(
	    &thread, "a name that is longer than the room for it", [](void *) {}, nullptr, 0,
	    THREAD_PRIO_NORMAL, stack, HOST_STACK_MIN);
	EXPECT_STREQ(thread.name, "a name that is longer t");
	thread_start(&thread);
	thread_join(&thread);
	std::free(stack);
}

TEST_F(ThreadDeathTest, StartingItTwicePanics)
{
	boot_all(1, 1);
	EXPECT_DEATH(
	    {
		    Thread thread(0, [] {});
		    thread.start();
	    },
	    "check failed: thread->state == THREAD_NEW");
}

TEST_F(ThreadDeathTest, ACpuThatIsNotOnlineIsRefused)
{
	boot_all(1, 1);
	EXPECT_DEATH(Thread(1, [] {}), "check failed: smp_cpu_online");
}

TEST_F(ThreadDeathTest, EndingWithALockPanics)
{
	struct spinlock spin;
	struct mutex mutex;

	boot_all(1, 1);
	spin_init(&spin, "spin", LOCK_RANK_OBJECT, 0);
	mutex_init(&mutex, "mutex", LOCK_RANK_MAP);
	EXPECT_DEATH(Thread(0, [&] { spin_lock(&spin); }).join(),
		     "thread_exit may not sleep with a spinlock held \\(\"spin\"");
	EXPECT_DEATH(Thread(0, [&] { mutex_lock(&mutex); }).join(),
		     "thread \"test\" ends with a mutex held");
}

TEST_F(ThreadDeathTest, YieldingWherePreemptionIsOffPanics)
{
	boot_all(1, 1);
	preempt_disable();
	EXPECT_DEATH(thread_yield(), "thread_yield may not sleep with preemption disabled");
	preempt_enable();
}

TEST_F(ThreadDeathTest, JoiningItselfPanics)
{
	boot_all(1, 1);
	EXPECT_DEATH(thread_join(thread_current()), "check failed: thread != thread_current");
}

} // namespace quire
