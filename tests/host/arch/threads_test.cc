/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/arch/page_tables.h"

#include "arch/atomic.h"
#include "arch/clock.h"
#include "arch/cpus.h"
#include "lib/panic.h"

namespace
{

constexpr unsigned CPUS = 4;

struct atomic32 served;

class ThreadsTest : public PageTableTest
{
      protected:
	ThreadsTest()
	{
		config.cpus = CPUS;
		config.mode = HOST_THREADS;
		config.switch_ppm = 10000;
	}

	void SetUp() override
	{
		PageTableTest::SetUp();
		atomic32_store(&served, 0, MO_RELAXED);
	}
};

TEST_F(ThreadsTest, CpusRunAtOnce)
{
	struct atomic32 here = {0};

	on_all_cpus([&] {
		atomic32_or(&here, 1u << arch_cpu_id(), MO_RELAXED);
		while (atomic32_load(&here, MO_RELAXED) != (1u << CPUS) - 1)
			arch_cpu_relax();
	});
	EXPECT_EQ(atomic32_load(&here, MO_RELAXED), 0xfu);
}

TEST_F(ThreadsTest, ALockOfAtomicsGuardsPlainData)
{
	struct atomic32 lock = {0};
	unsigned plain = 0;

	on_all_cpus([&] {
		for (unsigned i = 0; i < 1000; i++) {
			bool irq = arch_irq_save();
			while (atomic32_exchange(&lock, 1, MO_ACQUIRE) != 0)
				arch_cpu_relax();
			plain++;
			atomic32_store(&lock, 0, MO_RELEASE);
			arch_irq_restore(irq);
		}
	});
	EXPECT_EQ(plain, 1000 * CPUS);
}

TEST_F(ThreadsTest, InterruptsReachBusyAndIdleCpus)
{
	static struct atomic32 stop;
	struct cpuset others;

	atomic32_store(&stop, 0, MO_RELAXED);
	arch_ipi_set_handler(ARCH_IPI_CALL, [] { atomic32_add(&served, 1, MO_RELAXED); });
	auto spin = [] {
		while (atomic32_load(&stop, MO_RELAXED) == 0)
			;
	};
	start_on_cpu(1, spin);
	on_cpu(2, [] {});
	on_cpu(3, [] {});
	cpuset_zero(&others);
	for (unsigned i = 1; i < CPUS; i++)
		cpuset_add(&others, i);
	for (uint32_t round = 1; round <= 50; round++) {
		arch_ipi_send_set(&others, ARCH_IPI_CALL);
		while (atomic32_load(&served, MO_RELAXED) < round * 3)
			arch_cpu_relax();
	}
	atomic32_store(&stop, 1, MO_RELAXED);
	host_cpu_wait(1);
}

TEST_F(ThreadsTest, TicksComeInRealTime)
{
	uint64_t start = arch_clock_ns();

	arch_timer_set_handler([] { atomic32_add(&served, 1, MO_RELAXED); });
	arch_timer_start(1000);
	while (atomic32_load(&served, MO_RELAXED) < 5)
		arch_cpu_idle();
	EXPECT_GE(arch_clock_ns() - start, 4000000u);
}

TEST_F(ThreadsTest, ALateInterruptArrives)
{
	arch_ipi_set_handler(ARCH_IPI_CALL, [] { atomic32_add(&served, 1, MO_RELAXED); });
	host_ipi_delay(ARCH_IPI_CALL, 2000000);
	on_cpu(1, [] {});
	arch_ipi_send(1, ARCH_IPI_CALL);
	while (atomic32_load(&served, MO_RELAXED) == 0)
		arch_cpu_relax();
}

TEST_F(ThreadsTest, TranslationsStayWithTheirCpu)
{
	vm_paddr_t pa = frame();

	map(VA, pa);
	on_all_cpus([] {
		for (unsigned i = 0; i < 200; i++) {
			host_store64(VA, i);
			arch_tlb_invalidate_page(VA);
		}
		(void)host_load64(VA);
	});
	for (unsigned cpu = 0; cpu < CPUS; cpu++)
		EXPECT_TRUE(host_tlb_find(cpu, VA, nullptr));
	on_all_cpus([] { arch_tlb_flush(); });
	arch_page_released(pa, 1);
}

TEST_F(ThreadsTest, ShootdownByHandlerSatisfiesTheOracle)
{
	static struct atomic32 acks;
	struct cpuset others;

	host_set_speculate_ppm(20000);
	cpuset_zero(&others);
	for (unsigned i = 1; i < CPUS; i++) {
		cpuset_add(&others, i);
		on_cpu(i, [] {});
	}
	arch_ipi_set_handler(ARCH_IPI_SHOOTDOWN, [] {
		arch_tlb_invalidate_page(VA);
		atomic32_add(&acks, 1, MO_RELEASE);
	});
	for (unsigned round = 0; round < 50; round++) {
		vm_paddr_t pa = frame();

		map(VA, pa);
		on_all_cpus([] { (void)host_load64(VA); });
		atomic32_store(&acks, 0, MO_RELAXED);
		arch_pte_exchange(entry(VA), 0);
		arch_tlb_invalidate_page(VA);
		arch_ipi_send_set(&others, ARCH_IPI_SHOOTDOWN);
		while (atomic32_load(&acks, MO_ACQUIRE) < CPUS - 1)
			arch_cpu_relax();
		arch_page_released(pa, 1);
	}
}

struct arch_cpu_boot slots[CPUS];
struct arch_percpu areas[CPUS];

TEST_F(ThreadsTest, CpusStartAndStopWhereverTheyAre)
{
	for (unsigned i = 0; i < CPUS; i++) {
		areas[i] = {};
		areas[i].self = &areas[i];
		areas[i].cpu = i;
		slots[i] = {};
		slots[i].percpu = &areas[i];
	}
	host_cpu_set_late(2, 5000000);
	arch_cpus_start(slots, CPUS, [] {
		atomic32_add(&served, 1, MO_RELAXED);
		if (arch_cpu_id() == 1)
			for (;;)
				arch_cpu_relax();
		if (arch_cpu_id() == 2)
			arch_cpu_halt();
		for (;;)
			arch_cpu_idle();
	});
	while (atomic32_load(&served, MO_RELAXED) < CPUS - 1)
		arch_cpu_relax();
	host_machine_destroy();
}

TEST_F(ThreadsTest, ContextsSwitchOnEveryCpu)
{
	static struct arch_context home[CPUS], worker[CPUS];

	on_all_cpus([] {
		unsigned cpu = arch_cpu_id();
		bool irq = arch_irq_save();

		arch_context_adopt(&home[cpu]);
		arch_context_init(
		    &worker[cpu], nullptr, 0,
		    [](void *) {
			    for (;;) {
				    atomic32_add(&served, 1, MO_RELAXED);
				    arch_context_switch(&worker[arch_cpu_id()],
							&home[arch_cpu_id()]);
			    }
		    },
		    nullptr);
		for (unsigned i = 0; i < 100; i++)
			arch_context_switch(&home[cpu], &worker[cpu]);
		arch_irq_restore(irq);
	});
	EXPECT_EQ(atomic32_load(&served, MO_RELAXED), 100 * CPUS);
}

TEST_F(ThreadsTest, ManyMachinesInTurn)
{
	for (unsigned i = 0; i < 20; i++) {
		recreate();
		on_all_cpus([] { atomic32_add(&served, 1, MO_RELAXED); });
	}
	EXPECT_EQ(atomic32_load(&served, MO_RELAXED), 20 * CPUS);
}

TEST_F(ThreadsTest, PanicNamesTheMode)
{
	EXPECT_DEATH(panic("oops"), "oops(.|\n)*threads");
}

} // namespace
