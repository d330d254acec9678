/* SPDX-License-Identifier: BSD-2-Clause */
#include "smp/preempt.h"

#include "arch/ipi.h"
#include "tests/host/smp/smp_fixture.h"

namespace quire
{

class PreemptTest : public SmpTest
{
      protected:
	void SetUp() override
	{
		boot(1, 1);
		spin_init(&lock, "condition", LOCK_RANK_MAP, 0);
		switches() = 0;
		preempt_set_handler([] {
			switches()++;
			arch_percpu()->need_resched = 0;
			EXPECT_FALSE(arch_irq_enabled());
		});
		arch_percpu()->thread = this; /* any flow that is somebody's */
	}

	void TearDown() override
	{
		preempt_set_handler(nullptr);
		SmpTest::TearDown();
	}

	static unsigned &switches()
	{
		static unsigned count;
		return count;
	}

	static void ask()
	{
		arch_percpu()->need_resched = 1;
	}

	struct spinlock lock;
};

/* Run first by GoogleTest: a death test forks, before other tests have made threads. */
using PreemptDeathTest = PreemptTest;

TEST_F(PreemptTest, TheLastEnableSwitchesIfAsked)
{
	preempt_disable();
	preempt_disable();
	ask();
	preempt_enable();
	EXPECT_EQ(switches(), 0u);
	preempt_enable();
	EXPECT_EQ(switches(), 1u);
	EXPECT_TRUE(arch_irq_enabled());
	preempt_disable();
	preempt_enable();
	EXPECT_EQ(switches(), 1u);
}

TEST_F(PreemptTest, NoSwitchWithInterruptsOffOrInsideOfOne)
{
	ask();
	arch_irq_disable();
	preempt_check();
	EXPECT_EQ(switches(), 0u);
	arch_irq_enable();
	arch_percpu()->irq_depth = 1;
	preempt_check();
	EXPECT_EQ(switches(), 0u);
	arch_percpu()->irq_depth = 0;
	preempt_check();
	EXPECT_EQ(switches(), 1u);
}

TEST_F(PreemptTest, AnInterruptThatAsksSwitchesAtItsEndUnlessForbidden)
{
	arch_ipi_set_handler(ARCH_IPI_RESCHED, ask);
	arch_ipi_send(0, ARCH_IPI_RESCHED);
	for (unsigned i = 0; i < 100 && switches() == 0; i++)
		arch_cpu_relax();
	EXPECT_EQ(switches(), 1u);

	preempt_disable();
	arch_ipi_send(0, ARCH_IPI_RESCHED);
	for (unsigned i = 0; i < 100; i++)
		arch_cpu_relax();
	EXPECT_EQ(switches(), 1u);
	preempt_enable();
	EXPECT_EQ(switches(), 2u);
}

TEST_F(PreemptDeathTest, OneEnableTooManyPanics)
{
	EXPECT_DEATH(preempt_enable(), "check failed.*preempt_count");
}

TEST_F(PreemptTest, AThreadMaySleep)
{
	EXPECT_TRUE(sleep_allowed());
	sleep_check("test");
	spin_lock(&lock);
	sleep_check_holding("test", &lock);
	EXPECT_FALSE(sleep_allowed());
	spin_unlock(&lock);
}

TEST_F(PreemptDeathTest, NobodySleepsInAnInterrupt)
{
	arch_percpu()->irq_depth = 1;
	EXPECT_TRUE(in_interrupt());
	EXPECT_FALSE(sleep_allowed());
	EXPECT_DEATH(sleep_check("test"), "test may not sleep in an interrupt handler");
	arch_percpu()->irq_depth = 0;
}

TEST_F(PreemptDeathTest, NobodySleepsWithASpinlock)
{
	struct spinlock other;

	spin_init(&other, "other", LOCK_RANK_OBJECT, 0);
	spin_lock(&lock);
	EXPECT_DEATH(sleep_check("test"), "test may not sleep with a spinlock held "
					  "\\(\"condition\", taken at .*preempt_test.cc");
	spin_lock(&other);
	EXPECT_DEATH(sleep_check_holding("test", &lock),
		     "test may not sleep with a spinlock held \\(\"other\"");
	spin_unlock(&other);
	spin_unlock(&lock);
	EXPECT_DEATH(sleep_check_holding("test", &lock), "test: cpu 0 does not hold \"condition\"");
}

TEST_F(PreemptDeathTest, NobodySleepsWithPreemptionOff)
{
	preempt_disable();
	EXPECT_DEATH(sleep_check("test"), "test may not sleep with preemption disabled");
	preempt_enable();
}

TEST_F(PreemptDeathTest, NobodySleepsWithInterruptsOff)
{
	arch_irq_disable();
	EXPECT_DEATH(sleep_check("test"), "test may not sleep with interrupts disabled");
	spin_lock(&lock);
	EXPECT_DEATH(sleep_check_holding("test", &lock),
		     "test may not sleep with interrupts disabled");
	spin_unlock(&lock);
	arch_irq_enable();
}

TEST_F(PreemptDeathTest, NobodySleepsBeforeThereAreThreads)
{
	arch_percpu()->thread = nullptr;
	EXPECT_FALSE(sleep_allowed());
	EXPECT_DEATH(sleep_check("test"), "test may not sleep before threads run");
}

} // namespace quire
