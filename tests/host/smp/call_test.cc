/* SPDX-License-Identifier: BSD-2-Clause */
#include "smp/call.h"

#include "arch/ipi.h"
#include "smp/patience.h"
#include "smp/preempt.h"
#include "tests/host/smp/smp_fixture.h"

namespace quire
{

class CallTest : public SmpTest
{
      protected:
	static struct cpuset everybody()
	{
		struct cpuset set;

		smp_online_set(&set);
		return set;
	}

	/* What each CPU has seen of a call; written by that CPU only. */
	struct Seen {
		unsigned runs[16];
	};

	static void see(void *arg)
	{
		EXPECT_FALSE(arch_irq_enabled());
		static_cast<Seen *>(arg)->runs[arch_cpu_id()]++;
	}
};

/* Run first by GoogleTest: a death test forks, before other tests have made threads. */
using CallDeathTest = CallTest;

TEST_F(CallTest, RunsOnceOnEachMemberAndOnNobodyElse)
{
	boot_all(8, 1);
	for (unsigned mask = 0; mask < 256; mask++) {
		Seen seen = {};
		struct cpuset set;

		cpuset_zero(&set);
		set.words[0] = mask;
		smp_call(&set, see, &seen);
		for (unsigned cpu = 0; cpu < 8; cpu++)
			EXPECT_EQ(seen.runs[cpu], mask >> cpu & 1) << mask;
	}
	EXPECT_TRUE(arch_irq_enabled());
}

TEST_F(CallTest, CpusThatAreNotOnlineArePassedOver)
{
	Seen seen = {};
	struct cpuset set;

	boot(3, 1);
	host_cpu_set_silent(1);
	start();
	for (auto &word : set.words)
		word = ~UINT64_C(0);
	smp_call(&set, see, &seen);
	EXPECT_EQ(seen.runs[0], 1u);
	EXPECT_EQ(seen.runs[1], 0u);
	EXPECT_EQ(seen.runs[2], 1u);
}

TEST_F(CallTest, OneCpuMayBeAnyIncludingTheCaller)
{
	boot_all(3, 1);
	for (unsigned cpu = 0; cpu < 3; cpu++) {
		Seen seen = {};

		smp_call_one(cpu, see, &seen);
		for (unsigned i = 0; i < 3; i++)
			EXPECT_EQ(seen.runs[i], i == cpu);
	}
}

/* Plain memory: under the thread sanitizer this says that a call orders both ways. */
TEST_F(CallTest, WhatEitherSideWroteIsVisibleToTheOther)
{
	struct Message {
		unsigned question, answer;
	} message = {};

	boot_all(2, 1);
	for (unsigned i = 0; i < 100; i++) {
		message.question = i;
		smp_call_one(
		    1,
		    [](void *arg) {
			    auto *m = static_cast<Message *>(arg);
			    m->answer = m->question + 1;
		    },
		    &message);
		EXPECT_EQ(message.answer, i + 1);
	}
}

TEST_F(CallTest, AllCallAllAtOnceUnderAnySchedule)
{
	for_machines(2000, [&] {
		Seen seen = {};

		run_all([&] {
			for (unsigned i = 0; i < 2; i++) {
				struct cpuset set = everybody();

				smp_call(&set, see, &seen);
			}
		});
		for (unsigned cpu = 0; cpu < config.cpus; cpu++)
			EXPECT_EQ(seen.runs[cpu], 2 * config.cpus);
	});
}

TEST_F(CallTest, AFunctionMayTakeSpinlocks)
{
	static struct spinlock lock;
	static unsigned counter;

	for_machines(500, [&] {
		counter = 0;
		spin_init(&lock, "counter", LOCK_RANK_OBJECT, 0);
		run_all([&] {
			struct cpuset set = everybody();

			spin_lock(&lock);
			counter++;
			spin_unlock(&lock);
			smp_call(
			    &set,
			    [](void *) {
				    spin_lock(&lock);
				    counter++;
				    spin_unlock(&lock);
			    },
			    nullptr);
		});
		EXPECT_EQ(counter, config.cpus * (1 + config.cpus));
	});
}

TEST_F(CallTest, InterruptsSentTwiceOrForNothingRunACallOnce)
{
	boot_all(4, 1);
	host_ipi_duplicate(ARCH_IPI_CALL, true);
	for (unsigned i = 0; i < 50; i++) {
		Seen seen = {};
		struct cpuset set = everybody();

		host_ipi_spurious(1 + i % 3, ARCH_IPI_CALL);
		smp_call(&set, see, &seen);
		for (unsigned cpu = 0; cpu < 4; cpu++)
			EXPECT_EQ(seen.runs[cpu], 1u);
	}
}

TEST_F(CallTest, LateInterruptsAreWaitedFor)
{
	Seen seen = {};

	boot_all(3, 1);
	host_ipi_delay(ARCH_IPI_CALL, 10 * 1000);
	struct cpuset set = everybody();
	smp_call(&set, see, &seen);
	for (unsigned cpu = 0; cpu < 3; cpu++)
		EXPECT_EQ(seen.runs[cpu], 1u);
}

/* Makes time pass while CPU 0 waits. */
static void hurry(enum arch_hook_kind, const volatile void *, void *)
{
	if (arch_cpu_id() == 0)
		host_clock_advance(NS_PER_MS);
}

TEST_F(CallTest, ALostInterruptIsReportedAndSentAgain)
{
	Seen seen = {};

	boot_all(3, 1);
	host_ipi_drop_next(ARCH_IPI_CALL, 1);
	host_set_watch(hurry, nullptr);
	struct cpuset set = everybody();
	smp_call(&set, see, &seen);
	host_set_watch(nullptr, nullptr);
	for (unsigned cpu = 0; cpu < 3; cpu++)
		EXPECT_EQ(seen.runs[cpu], 1u);
	EXPECT_TRUE(logged("has not taken a call of cpu 0 in ")) << host_log();
}

TEST_F(CallDeathTest, ACpuThatNeverAnswersStopsTheMachineByName)
{
	Seen seen = {};

	boot_all(3, 1);
	struct cpuset set = everybody();
	EXPECT_DEATH(
	    {
		    host_ipi_drop_all(ARCH_IPI_CALL, true);
		    host_set_watch(hurry, nullptr);
		    smp_call(&set, see, &seen);
	    },
	    "smp: cpu 1 does not answer cpu 0");
}

TEST_F(CallDeathTest, ItIsRefusedWhereTheCallerCouldNotServeOthers)
{
	struct spinlock lock;

	boot_all(2, 1);
	spin_init(&lock, "held", LOCK_RANK_OBJECT, 0);
	EXPECT_DEATH(
	    {
		    spin_lock(&lock);
		    smp_call_one(1, see, nullptr);
	    },
	    "check failed: spin_held_count");
	EXPECT_DEATH(
	    {
		    arch_irq_disable();
		    smp_call_one(1, see, nullptr);
	    },
	    "check failed: arch_irq_enabled");
	EXPECT_DEATH(smp_call_one(
			 1, [](void *) { smp_call_one(0, see, nullptr); }, nullptr),
		     "check failed: !in_interrupt");
	EXPECT_DEATH(smp_call_one(MAXCPU, see, nullptr), "check failed: cpu < ");
}

TEST_F(CallTest, IpisAreCountedWhereTheyArrive)
{
	Seen seen = {};

	boot_all(2, 1);
	uint64_t before = percpu_of(1)->ipi_count;

	smp_call_one(1, see, &seen);
	EXPECT_EQ(percpu_of(1)->ipi_count, before + 1);
}

} // namespace quire
