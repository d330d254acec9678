/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/machine_fixture.h"

#include "arch/atomic.h"
#include "arch/clock.h"
#include "arch/cpus.h"

namespace
{

constexpr unsigned CPUS = 4;

struct arch_cpu_boot slots[CPUS];
struct arch_percpu areas[CPUS];
struct atomic32 arrived;

void entry()
{
	EXPECT_FALSE(arch_irq_enabled());
	EXPECT_EQ(arch_percpu(), &areas[arch_cpu_id()]);
	EXPECT_EQ(host_tlb_count(arch_cpu_id()), 0u);
	atomic32_or(&arrived, 1u << arch_cpu_id(), MO_RELEASE);
	for (;;)
		arch_cpu_idle();
}

class CpusTest : public MachineTest
{
      protected:
	CpusTest()
	{
		config.cpus = CPUS;
		config.switch_ppm = 50000;
	}

	void SetUp() override
	{
		MachineTest::SetUp();
		atomic32_store(&arrived, 0, MO_RELAXED);
		for (unsigned i = 0; i < CPUS; i++) {
			areas[i] = {};
			areas[i].self = &areas[i];
			areas[i].cpu = i;
			slots[i] = {};
			slots[i].percpu = &areas[i];
		}
	}

	/* Waits for the CPUs of the mask, up to a simulated second. */
	static uint32_t wait_for(uint32_t mask)
	{
		uint64_t end = arch_clock_ns() + 1000000000;

		while (atomic32_load(&arrived, MO_ACQUIRE) != mask && arch_clock_ns() < end)
			arch_cpu_relax();
		return atomic32_load(&arrived, MO_ACQUIRE);
	}
};

TEST_F(CpusTest, NumbersAndIdentifiersDiffer)
{
	EXPECT_EQ(arch_cpu_count(), CPUS);
	EXPECT_EQ(arch_cpu_id(), 0u);
	EXPECT_NE(arch_cpu_hwid(3), 3u);
	on_cpu(3, [] { EXPECT_EQ(arch_cpu_id(), 3u); });
}

TEST_F(CpusTest, AllStartTogether)
{
	arch_cpus_start(slots, CPUS, entry);
	EXPECT_EQ(wait_for(0xe), 0xeu);
	for (unsigned i = 1; i < CPUS; i++)
		EXPECT_EQ(atomic32_load(&slots[i].claim, MO_RELAXED), ARCH_CPU_CLAIMED);
}

TEST_F(CpusTest, ASilentCpuNeverClaims)
{
	host_cpu_set_silent(2);
	arch_cpus_start(slots, CPUS, entry);
	EXPECT_EQ(wait_for(0xe), 0xau);
	EXPECT_EQ(atomic32_load(&slots[2].claim, MO_RELAXED), ARCH_CPU_UNCLAIMED);
	EXPECT_EQ(host_cpu_state(2), HOST_CPU_OFF);
}

TEST_F(CpusTest, ALateCpuStillComes)
{
	host_cpu_set_late(1, 500000000);
	arch_cpus_start(slots, CPUS, entry);
	EXPECT_EQ(wait_for(0xc), 0xcu);
	EXPECT_LT(arch_clock_ns(), 400000000u);
	EXPECT_EQ(wait_for(0xe), 0xeu);
	EXPECT_GE(arch_clock_ns(), 500000000u);
}

TEST_F(CpusTest, ACpuThatIsTooLateParks)
{
	uint32_t unclaimed = ARCH_CPU_UNCLAIMED;

	host_cpu_set_late(3, 500000000);
	arch_cpus_start(slots, CPUS, entry);
	EXPECT_EQ(wait_for(0x6), 0x6u);
	ASSERT_TRUE(atomic32_cas(&slots[3].claim, &unclaimed, ARCH_CPU_ABANDONED, MO_ACQ_REL));
	arch_clock_delay_ns(1000000000);
	EXPECT_EQ(host_cpu_state(3), HOST_CPU_HALTED);
	EXPECT_EQ(wait_for(0x6), 0x6u);
}

TEST_F(CpusTest, RunsOneFunctionAfterAnother)
{
	int sum = 0;

	for (int i = 1; i <= 10; i++)
		on_cpu(2, [&] { sum += i; });
	EXPECT_EQ(sum, 55);
}

TEST_F(CpusTest, RunsOnAllAtOnce)
{
	struct atomic32 mask = {0};

	on_all_cpus([&] {
		EXPECT_EQ(arch_irq_enabled(), arch_cpu_id() != 0);
		atomic32_or(&mask, 1u << arch_cpu_id(), MO_RELAXED);
		while (atomic32_load(&mask, MO_RELAXED) != 0xf)
			arch_cpu_relax();
	});
	EXPECT_EQ(atomic32_load(&mask, MO_RELAXED), 0xfu);
}

TEST_F(CpusTest, BorrowingIsBeingThatCpuForAMoment)
{
	static struct atomic32 id;

	atomic32_store(&id, 99, MO_RELAXED);
	host_cpu_borrow(
	    2,
	    [](void *) {
		    for (unsigned i = 0; i < 100; i++)
			    atomic32_store(&id, arch_cpu_id(), MO_RELAXED);
	    },
	    nullptr);
	EXPECT_EQ(atomic32_load(&id, MO_RELAXED), 2u);
	EXPECT_EQ(arch_cpu_id(), 0u);
	EXPECT_EQ(host_cpu_state(2), HOST_CPU_OFF);
}

TEST_F(CpusTest, AHaltedCpuStaysHalted)
{
	auto halt = [] { arch_cpu_halt(); };

	start_on_cpu(1, halt);
	for (unsigned i = 0; i < 100; i++)
		arch_cpu_relax();
	EXPECT_EQ(host_cpu_state(1), HOST_CPU_HALTED);
	arch_ipi_send(1, ARCH_IPI_CALL);
	EXPECT_EQ(host_ipi_dropped(ARCH_IPI_CALL), 1u);
}

TEST_F(CpusTest, ManyCpus)
{
	struct atomic32 sum = {0};

	config.cpus = 64;
	recreate();
	on_all_cpus([&] { atomic32_add(&sum, arch_cpu_id(), MO_RELAXED); });
	EXPECT_EQ(atomic32_load(&sum, MO_RELAXED), 63u * 64 / 2);
}

} // namespace
