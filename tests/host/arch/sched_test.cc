/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/machine_fixture.h"

#include <vector>

#include "arch/atomic.h"
#include "arch/clock.h"

namespace
{

class SchedTest : public MachineTest
{
      protected:
	SchedTest()
	{
		config.cpus = 3;
		config.switch_ppm = 200000;
	}

	struct Run {
		std::vector<uint32_t> order;
		uint64_t trace, steps;

		bool operator==(const Run &other) const
		{
			return order == other.order && trace == other.trace && steps == other.steps;
		}
	};

	/* Three CPUs take tickets; who gets which is the schedule. */
	Run run(uint64_t seed)
	{
		static struct atomic32 ticket;
		static struct atomic32 owner[300];
		Run result;

		config.seed = seed;
		recreate();
		atomic32_store(&ticket, 0, MO_RELAXED);
		on_all_cpus([] {
			for (unsigned i = 0; i < 100; i++) {
				uint32_t t = atomic32_add(&ticket, 1, MO_RELAXED);

				atomic32_store(&owner[t], arch_cpu_id(), MO_RELAXED);
			}
		});
		for (auto &o : owner)
			result.order.push_back(o.value);
		result.trace = host_trace();
		result.steps = host_steps();
		return result;
	}
};

TEST_F(SchedTest, OneSeedIsOneRun)
{
	Run first = run(11);

	EXPECT_TRUE(first == run(11));
	EXPECT_TRUE(first == run(11));
}

TEST_F(SchedTest, AnotherSeedIsAnotherRun)
{
	if (getenv("QUIRE_SEED") != nullptr)
		GTEST_SKIP() << "the seed is given";
	Run first = run(11), second = run(12);

	EXPECT_NE(first.trace, second.trace);
	EXPECT_NE(first.order, second.order);
}

TEST_F(SchedTest, AllCpusMoveForward)
{
	Run result = run(3);
	unsigned switches = 0;

	for (size_t i = 1; i < result.order.size(); i++)
		switches += result.order[i] != result.order[i - 1];
	EXPECT_GT(switches, 20u);
}

TEST_F(SchedTest, ALostUpdateIsFound)
{
	static struct atomic32 counter;
	unsigned lost = 0;

	for (uint64_t seed = 1; seed <= 20; seed++) {
		config.seed = seed;
		recreate();
		atomic32_store(&counter, 0, MO_RELAXED);
		on_all_cpus([] {
			for (unsigned i = 0; i < 5; i++)
				atomic32_store(&counter, atomic32_load(&counter, MO_RELAXED) + 1,
					       MO_RELAXED);
		});
		lost += atomic32_load(&counter, MO_RELAXED) != 15;
	}
	EXPECT_GT(lost, 10u);
}

TEST_F(SchedTest, WithoutChanceOnlyWaitingHandsOver)
{
	static struct atomic32 started;

	config.switch_ppm = 0;
	recreate();
	atomic32_store(&started, 0, MO_RELAXED);
	auto set = [] { atomic32_store(&started, 1, MO_RELAXED); };
	start_on_cpu(1, set);
	for (unsigned i = 0; i < 1000; i++)
		EXPECT_EQ(atomic32_load(&started, MO_RELAXED), 0u);
	host_switch_to(1);
	EXPECT_EQ(atomic32_load(&started, MO_RELAXED), 1u);
	host_cpu_wait(1);
	EXPECT_EQ(host_cpu_state(1), HOST_CPU_IDLE);
}

TEST_F(SchedTest, AWatcherScriptsTheInterleaving)
{
	static struct atomic32 value;

	config.switch_ppm = 0;
	recreate();
	atomic32_store(&value, 0, MO_RELAXED);
	auto intrude = [] { atomic32_store(&value, 100, MO_RELAXED); };
	start_on_cpu(1, intrude);
	host_set_watch(
	    [](enum arch_hook_kind kind, const volatile void *where, void *) {
		    if (kind == ARCH_HOOK_ATOMIC && where == &value && arch_cpu_id() == 0)
			    host_switch_to(1);
	    },
	    nullptr);
	EXPECT_EQ(atomic32_load(&value, MO_RELAXED), 100u) << "CPU 1 came first";
	host_set_watch(nullptr, nullptr);
}

TEST_F(SchedTest, EverybodyIdleWithNothingDueIsADeadlock)
{
	arch_irq_enable();
	on_cpu(1, [] {});
	arch_irq_disable();
	EXPECT_DEATH(arch_cpu_idle(), "deadlock: no CPU can run(.|\n)*seed 1, coroutines"
				      "(.|\n)*CPU 0 .this.: idle(.|\n)*CPU 1: idle"
				      "(.|\n)*CPU 2: off");
}

TEST_F(SchedTest, TicksAloneAreADeadlockInTheEnd)
{
	config.quiet_ticks_max = 100;
	recreate();
	EXPECT_DEATH(
	    {
		    arch_timer_start(100);
		    for (;;)
			    arch_cpu_idle();
	    },
	    "deadlock: nothing but 100 ticks");
}

TEST_F(SchedTest, ALonelySpinnerIsReported)
{
	EXPECT_DEATH(for (;;) arch_cpu_relax(), "CPU 0 spins, and no other CPU can run");
}

TEST_F(SchedTest, StepsCanBeLimited)
{
	static struct atomic32 never;

	config.max_steps = 1000;
	recreate();
	EXPECT_DEATH(while (atomic32_load(&never, MO_RELAXED) == 0);, "no end after 1001 steps");
}

TEST_F(SchedTest, TimePassesForOneThatSpins)
{
	uint64_t start = arch_clock_ns();

	while (arch_clock_ns() - start < 1000000000)
		arch_cpu_relax();
	EXPECT_LT(host_steps(), 1000000u) << "and fast, when nobody else wants to run";
}

#ifdef __SANITIZE_THREAD__
TEST_F(SchedTest, TheThreadSanitizerSeesCpusAsUnordered)
{
	static int plain;

	EXPECT_EXIT(
	    {
		    on_all_cpus([] {
			    for (unsigned i = 0; i < 10; i++) {
				    plain++;
				    arch_hook(ARCH_HOOK_ATOMIC, nullptr);
			    }
		    });
		    exit(0);
	    },
	    testing::ExitedWithCode(66), "data race");
}
#endif

TEST_F(SchedTest, ChanceIsSeeded)
{
	uint64_t a = host_random(1000000), b = host_random(1000000);

	recreate();
	EXPECT_EQ(host_random(1000000), a);
	EXPECT_EQ(host_random(1000000), b);
	EXPECT_NE(a, b);
}

} // namespace
