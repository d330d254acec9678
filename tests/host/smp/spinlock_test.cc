/* SPDX-License-Identifier: BSD-2-Clause */
#include "smp/spinlock.h"

#include "smp/patience.h"
#include "smp/preempt.h"
#include "tests/host/smp/smp_fixture.h"

namespace quire
{

class SpinlockTest : public SmpTest
{
      protected:
	SpinlockTest()
	{
		spin_init(&low, "low", LOCK_RANK_MAP, 0);
		spin_init(&high, "high", LOCK_RANK_OBJECT, 0);
	}

	/* Every CPU adds to a plain counter under the lock; the sum says whether it excludes. */
	void count_together(unsigned rounds)
	{
		unsigned counter = 0;

		run_all([&] {
			for (unsigned i = 0; i < rounds; i++) {
				spin_lock(&low);
				unsigned value = counter;
				arch_hook(ARCH_HOOK_ATOMIC, &counter);
				counter = value + 1;
				spin_unlock(&low);
			}
		});
		EXPECT_EQ(counter, rounds * smp_online_count());
	}

	struct spinlock low, high;
};

/* Run first by GoogleTest: a death test forks, before other tests have made threads. */
using SpinlockDeathTest = SpinlockTest;

TEST_F(SpinlockTest, ExcludesOtherCpusUnderAnySchedule)
{
	for_machines(2000, [&] { count_together(4); });
}

TEST_F(SpinlockTest, TrylockExcludesAndNeverWaits)
{
	for_machines(500, [&] {
		unsigned counter = 0;
		struct atomic32 taken = {0};

		run_all([&] {
			for (unsigned i = 0; i < 4; i++) {
				if (!spin_trylock(&low))
					continue;
				counter++;
				spin_unlock(&low);
				atomic32_add(&taken, 1, MO_RELAXED);
			}
		});
		EXPECT_EQ(counter, atomic32_load(&taken, MO_RELAXED));
		EXPECT_GE(counter, 1u);
	});
}

TEST_F(SpinlockTest, InterruptsAreOffUntilTheLastLockIsReleased)
{
	boot(1, 1);
	EXPECT_TRUE(arch_irq_enabled());
	spin_lock(&low);
	EXPECT_FALSE(arch_irq_enabled());
	spin_lock(&high);
	EXPECT_EQ(spin_held_count(), 2u);
	spin_unlock(&low); /* in the order of taking */
	EXPECT_FALSE(arch_irq_enabled());
	EXPECT_TRUE(spin_owned(&high));
	EXPECT_FALSE(spin_owned(&low));
	spin_unlock(&high);
	EXPECT_TRUE(arch_irq_enabled());
	EXPECT_EQ(spin_held_count(), 0u);
}

TEST_F(SpinlockTest, InterruptsThatWereOffStayOff)
{
	boot(1, 1);
	arch_irq_disable();
	spin_lock(&low);
	spin_unlock(&low);
	EXPECT_FALSE(arch_irq_enabled());
	ASSERT_TRUE(spin_trylock(&low));
	spin_unlock(&low);
	EXPECT_FALSE(arch_irq_enabled());
}

TEST_F(SpinlockTest, LocksMayBeReleasedInAnyOrder)
{
	struct spinlock locks[3];

	boot(1, 1);
	for (unsigned i = 0; i < 3; i++)
		spin_init(&locks[i], "one of three", (enum lock_rank)(100 + i), 0);
	const unsigned orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
				      {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	for (auto &order : orders) {
		for (auto &lock : locks)
			spin_lock(&lock);
		for (unsigned i : order) {
			EXPECT_FALSE(arch_irq_enabled());
			spin_unlock(&locks[i]);
			EXPECT_FALSE(spin_owned(&locks[i]));
		}
		EXPECT_EQ(spin_held_count(), 0u);
		EXPECT_TRUE(arch_irq_enabled());
	}
}

TEST_F(SpinlockTest, AFailedTrylockLeavesInterruptsAsTheyWere)
{
	boot_all(2, 1);
	spin_lock(&low);
	const std::function<void()> other = [&] {
		if (arch_cpu_id() == 0)
			return;
		EXPECT_FALSE(spin_trylock(&low));
		EXPECT_TRUE(arch_irq_enabled());
		EXPECT_EQ(spin_held_count(), 0u);
	};
	run_all(other);
	EXPECT_TRUE(spin_owned(&low));
	spin_unlock(&low);
}

TEST_F(SpinlockTest, WaitersAreCounted)
{
	boot_all(2, 1);
	run_all([&] {
		for (unsigned i = 0; i < 50; i++) {
			spin_lock(&low);
			arch_hook(ARCH_HOOK_LOCK, &low);
			spin_unlock(&low);
		}
	});
	EXPECT_GT(low.contended, 0u);
}

TEST_F(SpinlockDeathTest, TakingItTwiceNamesBothPlaces)
{
	boot(1, 1);
	EXPECT_DEATH(
	    {
		    spin_lock(&low);
		    spin_lock(&low);
	    },
	    "spinlock \"low\" taken twice by cpu 0: at .*spinlock_test.cc:[0-9]+, and first at "
	    ".*spinlock_test.cc:[0-9]+");
}

TEST_F(SpinlockDeathTest, ReleasingWhatIsNotHeldPanics)
{
	boot(1, 1);
	EXPECT_DEATH(spin_unlock(&low), "spinlock \"low\" released by cpu 0, which does not hold");
}

TEST_F(SpinlockDeathTest, ReleasingAnotherCpusLockPanics)
{
	boot_all(2, 1);
	spin_lock(&low);
	EXPECT_DEATH(run_all([&] {
			     if (arch_cpu_id() == 1)
				     spin_unlock(&low);
		     }),
		     "released by cpu 1, which does not hold it \\(last taken at .*cc:[0-9]+\\)");
	spin_unlock(&low);
}

TEST_F(SpinlockDeathTest, TooManyAtOncePanic)
{
	struct spinlock locks[SPIN_HELD_MAX + 1];

	boot(1, 1);
	for (auto &lock : locks)
		spin_init(&lock, "one of many", LOCK_RANK_NONE, 0);
	EXPECT_DEATH(
	    {
		    for (auto &lock : locks)
			    spin_lock(&lock);
	    },
	    "cpu 0 holds 16 spinlocks and takes \"one of many\"");
}

TEST_F(SpinlockTest, AWaiterThatWaitsTooLongSaysForWhom)
{
	boot_all(2, 1);
	spin_lock(&low);
	run_all([&] {
		if (arch_cpu_id() == 1) {
			spin_lock(&low);
			spin_unlock(&low);
			return;
		}
		while (!logged("spinlock \"low\": cpu 1 waits at ")) {
			host_clock_advance(NS_PER_MS / 5);
			arch_cpu_relax();
		}
		spin_unlock(&low);
	});
	EXPECT_TRUE(logged(" for cpu 0, which took it at "));
}

TEST_F(SpinlockDeathTest, AWaiterGivesUpInTheEnd)
{
	boot_all(2, 1);
	EXPECT_DEATH(
	    {
		    spin_lock(&low);
		    host_set_watch(
			[](enum arch_hook_kind, const volatile void *, void *) {
				if (arch_cpu_id() == 1)
					host_clock_advance(NS_PER_MS);
			},
			nullptr);
		    run_all([&] {
			    if (arch_cpu_id() == 1)
				    spin_lock(&low);
		    });
	    },
	    "spinlock \"low\": cpu 1 gives up at .*cc:[0-9]+, cpu 0 took it at .*cc:[0-9]+");
}

TEST_F(SpinlockTest, ACpuThatPanicsTakesEveryLock)
{
	boot_all(2, 1);
	run_all([&] {
		if (arch_cpu_id() == 1)
			spin_lock(&low);
	});
	spin_break_all();
	spin_lock(&low);
	EXPECT_TRUE(spin_owned(&low));
	EXPECT_TRUE(spin_trylock(&low));
	spin_unlock(&low);
	spin_unlock(&low);
	EXPECT_FALSE(arch_irq_enabled());
	EXPECT_EQ(spin_held_count(), 0u);
}

TEST_F(SpinlockTest, ReleasingTheLastOneLetsAPendingSwitchHappen)
{
	static unsigned switches;

	boot(1, 1);
	switches = 0;
	preempt_set_handler([] {
		switches++;
		arch_percpu()->need_resched = 0;
		EXPECT_FALSE(arch_irq_enabled());
	});
	spin_lock(&low);
	spin_lock(&high);
	arch_percpu()->need_resched = 1;
	spin_unlock(&high);
	EXPECT_EQ(switches, 0u);
	spin_unlock(&low);
	EXPECT_EQ(switches, 1u);
	EXPECT_TRUE(arch_irq_enabled());
	preempt_set_handler(nullptr);
}

} // namespace quire
