/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/machine_fixture.h"

#include "arch/atomic.h"
#include "arch/clock.h"
#include "arch/host/director.h"

namespace
{

struct atomic32 handled[ARCH_IPI_COUNT];
struct atomic32 ticks, exits;

template <enum arch_ipi IPI> void handle()
{
	EXPECT_FALSE(arch_irq_enabled());
	EXPECT_EQ(arch_percpu()->irq_depth, 1u);
	atomic32_add(&handled[IPI], 1, MO_RELAXED);
}

uint32_t count(enum arch_ipi ipi)
{
	return atomic32_load(&handled[ipi], MO_RELAXED);
}

class IrqTest : public MachineTest
{
      protected:
	IrqTest()
	{
		config.cpus = 4;
	}

	void SetUp() override
	{
		MachineTest::SetUp();
		set_up_handlers();
	}

	void set_up_handlers()
	{
		for (auto &h : handled)
			atomic32_store(&h, 0, MO_RELAXED);
		atomic32_store(&ticks, 0, MO_RELAXED);
		atomic32_store(&exits, 0, MO_RELAXED);
		arch_ipi_set_handler(ARCH_IPI_SHOOTDOWN, handle<ARCH_IPI_SHOOTDOWN>);
		arch_ipi_set_handler(ARCH_IPI_CALL, handle<ARCH_IPI_CALL>);
		arch_ipi_set_handler(ARCH_IPI_RESCHED, handle<ARCH_IPI_RESCHED>);
		arch_timer_set_handler([] { atomic32_add(&ticks, 1, MO_RELAXED); });
	}

	/* CPUs 1 to 3 take interrupts from here on. */
	void start_others()
	{
		for (unsigned i = 1; i < config.cpus; i++)
			on_cpu(i, [] {});
	}

	static void relax(unsigned turns = 100)
	{
		for (unsigned i = 0; i < turns; i++)
			arch_cpu_relax();
	}
};

TEST_F(IrqTest, BeginsDisabledAndNests)
{
	EXPECT_FALSE(arch_irq_enabled());
	EXPECT_FALSE(arch_irq_save());
	arch_irq_enable();
	EXPECT_TRUE(arch_irq_save());
	EXPECT_FALSE(arch_irq_save());
	arch_irq_restore(false);
	EXPECT_FALSE(arch_irq_enabled());
	arch_irq_restore(true);
	EXPECT_TRUE(arch_irq_enabled());
}

TEST_F(IrqTest, InterruptWaitsWhileDisabled)
{
	arch_ipi_send(0, ARCH_IPI_CALL);
	relax();
	EXPECT_EQ(count(ARCH_IPI_CALL), 0u);
	arch_irq_enable();
	EXPECT_EQ(count(ARCH_IPI_CALL), 1u);
	arch_ipi_send(0, ARCH_IPI_CALL);
	EXPECT_EQ(count(ARCH_IPI_CALL), 2u) << "at once when enabled";
	EXPECT_EQ(arch_percpu()->irq_depth, 0u);
}

TEST_F(IrqTest, OnePendingInterruptStandsForSeveral)
{
	arch_ipi_send(0, ARCH_IPI_CALL);
	arch_ipi_send(0, ARCH_IPI_CALL);
	arch_ipi_send(0, ARCH_IPI_RESCHED);
	arch_irq_enable();
	EXPECT_EQ(count(ARCH_IPI_CALL), 1u);
	EXPECT_EQ(count(ARCH_IPI_RESCHED), 1u);
	EXPECT_EQ(host_ipi_sent(ARCH_IPI_CALL), 2u);
	EXPECT_EQ(host_ipi_delivered(0, ARCH_IPI_COUNT), 2u);
}

TEST_F(IrqTest, SetReachesEveryMemberButTheSender)
{
	struct cpuset set;

	start_others();
	cpuset_zero(&set);
	for (unsigned i = 0; i < 4; i++)
		cpuset_add(&set, i);
	arch_irq_enable();
	arch_ipi_send_set(&set, ARCH_IPI_SHOOTDOWN);
	relax();
	EXPECT_EQ(count(ARCH_IPI_SHOOTDOWN), 3u);
	EXPECT_EQ(host_ipi_delivered(0, ARCH_IPI_SHOOTDOWN), 0u);
	EXPECT_EQ(arch_ipi_commands(), 1u) << "all others: one command";
	cpuset_del(&set, 3);
	arch_ipi_send_set(&set, ARCH_IPI_SHOOTDOWN);
	EXPECT_EQ(arch_ipi_commands(), 3u);
}

TEST_F(IrqTest, AnInterruptForACpuThatIsNotThereIsLost)
{
	arch_ipi_send(1, ARCH_IPI_CALL);
	EXPECT_EQ(host_ipi_dropped(ARCH_IPI_CALL), 1u);
	start_others();
	relax();
	EXPECT_EQ(count(ARCH_IPI_CALL), 0u);
}

TEST_F(IrqTest, AnInterruptForACpuThatWasJustStartedArrives)
{
	auto nothing = [] {};

	start_on_cpu(1, nothing);
	arch_ipi_send(1, ARCH_IPI_CALL);
	host_cpu_wait(1);
	EXPECT_EQ(count(ARCH_IPI_CALL), 1u);
}

TEST_F(IrqTest, DropsTheNextOnes)
{
	arch_irq_enable();
	host_ipi_drop_next(ARCH_IPI_CALL, 2);
	for (unsigned i = 0; i < 3; i++)
		arch_ipi_send(0, ARCH_IPI_CALL);
	EXPECT_EQ(count(ARCH_IPI_CALL), 1u);
	EXPECT_EQ(host_ipi_dropped(ARCH_IPI_CALL), 2u);
}

TEST_F(IrqTest, DropsAllOfAKind)
{
	arch_irq_enable();
	host_ipi_drop_all(ARCH_IPI_SHOOTDOWN, true);
	arch_ipi_send(0, ARCH_IPI_SHOOTDOWN);
	arch_ipi_send(0, ARCH_IPI_CALL);
	EXPECT_EQ(count(ARCH_IPI_SHOOTDOWN), 0u);
	EXPECT_EQ(count(ARCH_IPI_CALL), 1u);
	host_ipi_drop_all(ARCH_IPI_COUNT, false);
	arch_ipi_send(0, ARCH_IPI_SHOOTDOWN);
	EXPECT_EQ(count(ARCH_IPI_SHOOTDOWN), 1u);
}

TEST_F(IrqTest, DelaysThem)
{
	arch_irq_enable();
	host_ipi_delay(ARCH_IPI_CALL, 1000000);
	arch_ipi_send(0, ARCH_IPI_CALL);
	host_clock_advance(500000);
	EXPECT_EQ(count(ARCH_IPI_CALL), 0u);
	host_clock_advance(600000);
	EXPECT_EQ(count(ARCH_IPI_CALL), 1u);
}

TEST_F(IrqTest, DuplicatesThem)
{
	arch_irq_enable();
	host_ipi_duplicate(ARCH_IPI_CALL, true);
	arch_ipi_send(0, ARCH_IPI_CALL);
	EXPECT_EQ(count(ARCH_IPI_CALL), 2u);
}

TEST_F(IrqTest, InventsThem)
{
	start_others();
	host_ipi_spurious(2, ARCH_IPI_SHOOTDOWN);
	relax();
	EXPECT_EQ(host_ipi_delivered(2, ARCH_IPI_SHOOTDOWN), 1u);
	EXPECT_EQ(host_ipi_sent(ARCH_IPI_SHOOTDOWN), 0u);
}

TEST_F(IrqTest, SendingPublishesWhatWasWritten)
{
	static int plain;
	static struct atomic32 seen;

	start_others();
	plain = 0;
	atomic32_store(&seen, 0, MO_RELAXED);
	arch_ipi_set_handler(ARCH_IPI_CALL,
			     [] { atomic32_store(&seen, (uint32_t)plain, MO_RELAXED); });
	plain = 42;
	arch_ipi_send(1, ARCH_IPI_CALL);
	while (atomic32_load(&seen, MO_RELAXED) == 0)
		arch_cpu_relax();
	EXPECT_EQ(atomic32_load(&seen, MO_RELAXED), 42u);
}

TEST_F(IrqTest, TicksComeAtTheirRate)
{
	uint64_t start = arch_clock_ns();

	arch_timer_start(100);
	arch_irq_enable();
	arch_clock_delay_ns(1000000000);
	EXPECT_GE(arch_clock_ns() - start, 1000000000u);
	EXPECT_NEAR(atomic32_load(&ticks, MO_RELAXED), 100, 1);
}

TEST_F(IrqTest, MissedTicksAreOne)
{
	arch_timer_start(100);
	host_clock_advance(1000000000);
	arch_irq_enable();
	EXPECT_EQ(atomic32_load(&ticks, MO_RELAXED), 1u);
}

TEST_F(IrqTest, IdleReturnsAfterAnInterrupt)
{
	arch_timer_start(1000);
	for (unsigned i = 1; i <= 10; i++) {
		arch_cpu_idle();
		EXPECT_EQ(atomic32_load(&ticks, MO_RELAXED), i);
		EXPECT_FALSE(arch_irq_enabled());
	}
	EXPECT_GE(arch_clock_ns(), 10000000u) << "time has jumped to the ticks";
}

TEST_F(IrqTest, IdleDoesNotLoseAnInterruptFromBefore)
{
	arch_ipi_send(0, ARCH_IPI_RESCHED);
	arch_cpu_idle();
	EXPECT_EQ(count(ARCH_IPI_RESCHED), 1u);
}

/* Before anything of the interrupt's own, and only when it is needed. */
TEST_F(IrqTest, LazyHandlerRunsFirstAndOnlyWhenLazy)
{
	static unsigned ends;

	ends = 0;
	arch_lazy_set_handler([] {
		EXPECT_EQ(count(ARCH_IPI_CALL), 0u);
		EXPECT_FALSE(arch_irq_enabled());
		ends++;
		arch_lazy_end();
	});
	arch_lazy_begin();
	arch_ipi_send(0, ARCH_IPI_CALL);
	arch_cpu_idle();
	EXPECT_EQ(ends, 1u);
	EXPECT_EQ(count(ARCH_IPI_CALL), 1u);
	EXPECT_FALSE(arch_lazy());
	arch_ipi_send(0, ARCH_IPI_CALL);
	arch_cpu_idle();
	EXPECT_EQ(ends, 1u);
	EXPECT_EQ(count(ARCH_IPI_CALL), 2u);
}

TEST_F(IrqTest, NmiLeavesTheCpuLazy)
{
	static unsigned nmis;

	nmis = 0;
	arch_lazy_set_handler([] { arch_lazy_end(); });
	arch_lazy_begin();
	ASSERT_TRUE(host_nmi(0, [] {
		EXPECT_TRUE(arch_lazy());
		nmis++;
	}));
	arch_timer_start(1000);
	arch_cpu_idle();
	EXPECT_EQ(nmis, 1u);
	EXPECT_FALSE(arch_lazy()) << "the tick has ended it";
}

TEST_F(IrqTest, ExitHandlerRunsWhenAskedForAndAllowed)
{
	arch_irq_set_exit_handler([] {
		EXPECT_FALSE(arch_irq_enabled());
		EXPECT_EQ(arch_percpu()->irq_depth, 0u);
		arch_percpu()->need_resched = 0;
		atomic32_add(&exits, 1, MO_RELAXED);
	});
	arch_irq_enable();
	arch_ipi_send(0, ARCH_IPI_CALL);
	EXPECT_EQ(atomic32_load(&exits, MO_RELAXED), 0u) << "nobody asked";
	arch_percpu()->need_resched = 1;
	arch_percpu()->preempt_count = 1;
	arch_ipi_send(0, ARCH_IPI_CALL);
	EXPECT_EQ(atomic32_load(&exits, MO_RELAXED), 0u) << "not allowed";
	arch_percpu()->preempt_count = 0;
	arch_ipi_send(0, ARCH_IPI_CALL);
	EXPECT_EQ(atomic32_load(&exits, MO_RELAXED), 1u);
	EXPECT_TRUE(arch_irq_enabled());
}

TEST_F(IrqTest, ArrivesBetweenTwoInstructionsOfABusyCpu)
{
	static struct atomic32 stop;

	config.switch_ppm = 100000;
	recreate();
	set_up_handlers();
	atomic32_store(&stop, 0, MO_RELAXED);
	auto spin = [] {
		while (atomic32_load(&stop, MO_RELAXED) == 0)
			;
	};
	start_on_cpu(1, spin);
	relax(3);
	arch_ipi_send(1, ARCH_IPI_CALL);
	while (count(ARCH_IPI_CALL) == 0)
		;
	atomic32_store(&stop, 1, MO_RELAXED);
	host_cpu_wait(1);
}

} // namespace
