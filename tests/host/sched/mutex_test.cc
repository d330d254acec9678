/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/sched/mutex.h"

#include "kernel/sched/sleepq.h"
#include "smp/preempt.h"
#include "tests/host/sched/sched_fixture.h"

namespace quire
{

class MutexTest : public SchedTest
{
      protected:
	MutexTest()
	{
		mutex_init(&map, "map", LOCK_RANK_MAP);
		mutex_init(&object, "object", LOCK_RANK_OBJECT);
		spin_init(&low, "low", LOCK_RANK_KERNEL, 0);
		spin_init(&high, "high", LOCK_RANK_PMAP, 0);
	}

	struct mutex map, object;
	struct spinlock low, high;
};

/* Run first by GoogleTest: a death test forks, before other tests have made threads. */
using MutexDeathTest = MutexTest;

TEST_F(MutexTest, ExcludesThreadsOfAllCpusUnderAnySchedule)
{
	for_machines(2000, [&] {
		unsigned inside = 0, entered = 0;

		on_threads(2, [&](unsigned) {
			for (unsigned i = 0; i < 3; i++) {
				mutex_lock(&map);
				EXPECT_EQ(inside++, 0u);
				entered++;
				if (i == 1)
					thread_yield(); /* the owner may lose its CPU */
				EXPECT_TRUE(mutex_owned(&map));
				EXPECT_EQ(--inside, 0u);
				mutex_unlock(&map);
			}
		});
		EXPECT_EQ(entered, 6 * config.cpus);
		EXPECT_EQ(map.waiters, 0u);
		EXPECT_EQ(map.impatient, 0u);
		EXPECT_EQ(sleepq_count(&map), 0u);
	});
}

TEST_F(MutexTest, AnOwnerMaySleep)
{
	boot_all(2, 1);
	on_threads(2, [&](unsigned) {
		mutex_lock(&map);
		mutex_lock(&object);
		thread_sleep_ns(MS);
		mutex_unlock(&map);
		mutex_unlock(&object);
	});
	EXPECT_FALSE(mutex_owned(&map));
}

TEST_F(MutexTest, TrylockNeverWaits)
{
	boot_all(2, 1);
	ASSERT_TRUE(mutex_trylock(&map));
	EXPECT_TRUE(mutex_owned(&map));
	Thread other(1, [&] {
		EXPECT_FALSE(mutex_owned(&map));
		EXPECT_FALSE(mutex_trylock(&map));
		EXPECT_EQ(thread_current()->mutex_count, 0u);
	});
	other.join();
	mutex_unlock(&map);
}

/*
 * Others run only where the greedy thread holds the mutex, so whoever is woken finds it taken. Only
 * impatience makes the greedy one wait.
 */
TEST_F(MutexTest, AWaiterIsNotStarvedByAThreadThatAlwaysComesBack)
{
	boot_all(2, 1);
	host_set_switch_ppm(0);
	struct atomic32 holds = {0}, got_it = {0};
	unsigned uses = 0;
	Thread greedy(1, [&] {
		while (uses < 1000 && atomic32_load(&got_it, MO_ACQUIRE) == 0) {
			mutex_lock(&map);
			uses++;
			atomic32_store(&holds, 1, MO_RELEASE);
			for (unsigned i = 0; i < 20; i++)
				arch_cpu_relax();
			mutex_unlock(&map);
		}
	});
	while (atomic32_load(&holds, MO_ACQUIRE) == 0)
		arch_cpu_relax();
	mutex_lock(&map);
	EXPECT_LE(uses, 20u);
	atomic32_store(&got_it, 1, MO_RELEASE);
	mutex_unlock(&map);
	greedy.join();
}

TEST_F(MutexTest, MutexesMayBeReleasedInAnyOrder)
{
	boot_all(1, 1);
	mutex_lock(&map);
	mutex_lock(&object);
	EXPECT_EQ(mutex_highest_held().lock, &object);
	mutex_unlock(&map);
	EXPECT_EQ(mutex_highest_held().lock, &object);
	mutex_unlock(&object);
	EXPECT_EQ(mutex_highest_held().lock, nullptr);
	EXPECT_EQ(thread_current()->mutex_count, 0u);
}

TEST_F(MutexDeathTest, TakingItTwiceNamesBothPlaces)
{
	boot_all(1, 1);
	mutex_lock(&map);
	const char *message = "mutex \"map\" taken twice by thread \"boot\": at .*mutex_test.cc:"
			      "[0-9]+, and first at .*mutex_test.cc:[0-9]+";
	EXPECT_DEATH(mutex_lock(&map), message);
	EXPECT_DEATH((void)!mutex_trylock(&map), message);
	mutex_unlock(&map);
}

TEST_F(MutexDeathTest, OnlyTheOwnerReleases)
{
	boot_all(2, 1);
	EXPECT_DEATH(mutex_unlock(&map), "mutex \"map\" released by a thread that does not hold");
	mutex_lock(&map);
	EXPECT_DEATH(Thread(1, [&] { mutex_unlock(&map); }).join(),
		     "mutex \"map\" released by a thread that does not hold it \\(last taken at "
		     ".*mutex_test.cc");
	mutex_unlock(&map);
}

TEST_F(MutexDeathTest, RanksRiseAmongMutexes)
{
	boot_all(1, 1);
	mutex_lock(&object);
	EXPECT_DEATH(mutex_lock(&map), "lock order: \"map\" \\(rank 100\\) wanted at .* while "
				       "\"object\" \\(rank 200\\) is held from .*mutex_test.cc");
	struct mutex twin;
	mutex_init(&twin, "twin", LOCK_RANK_OBJECT);
	EXPECT_DEATH(mutex_lock(&twin), "lock order: \"twin\"");
	mutex_unlock(&object);
}

TEST_F(MutexDeathTest, RanksRiseFromMutexesToSpinlocks)
{
	boot_all(1, 1);
	mutex_lock(&map);
	spin_lock(&high);
	spin_unlock(&high);
	EXPECT_DEATH(spin_lock(&low), "lock order: \"low\" \\(rank 50\\).* while \"map\"");
	mutex_unlock(&map);
	spin_lock(&low);
	spin_unlock(&low);
}

/* Another thread's mutexes, and the ones of a thread that an interrupt meets, do not count. */
TEST_F(MutexTest, TheOrderIsThatOfOneThread)
{
	boot_all(1, 1);
	Thread other(0, [&] {
		mutex_lock(&object);
		thread_sleep_ns(3 * TICK_NS);
		mutex_unlock(&object);
	});
	thread_yield();
	mutex_lock(&map);
	mutex_unlock(&map);
	other.join();
}

TEST_F(MutexDeathTest, NoMutexIsTakenWhereSleepingIsForbidden)
{
	boot_all(1, 1);
	spin_lock(&low);
	EXPECT_DEATH(mutex_lock(&map), "mutex_lock may not sleep with a spinlock held \\(\"low\"");
	EXPECT_DEATH((void)!mutex_trylock(&map), "mutex_trylock may not sleep");
	spin_unlock(&low);
	preempt_disable();
	EXPECT_DEATH(mutex_lock(&map), "mutex_lock may not sleep with preemption disabled");
	preempt_enable();
}

TEST_F(MutexDeathTest, TooManyAtOncePanic)
{
	struct mutex many[THREAD_MUTEX_MAX + 1];

	boot_all(1, 1);
	for (auto &mutex : many)
		mutex_init(&mutex, "one of many", LOCK_RANK_NONE);
	EXPECT_DEATH(
	    {
		    for (auto &mutex : many)
			    mutex_lock(&mutex);
	    },
	    "thread \"boot\" holds 8 mutexes and takes \"one of many\"");
}

TEST_F(MutexDeathTest, ARankAboveItsOwnSpinlockIsRefused)
{
	struct mutex mutex;

	boot_all(1, 1);
	EXPECT_DEATH(mutex_init(&mutex, "log", LOCK_RANK_LOG), "check failed: rank < MUTEX_LOCK");
}

TEST_F(MutexTest, BeforeThreadsRunNobodyIsExcluded)
{
	boot(1, 1);
	mutex_lock(&object);
	EXPECT_TRUE(mutex_owned(&object));
	ASSERT_TRUE(mutex_trylock(&map));
	mutex_unlock(&map);
	mutex_unlock(&object);
	EXPECT_EQ(object.waiters, 0u);
}

} // namespace quire
