/* SPDX-License-Identifier: BSD-2-Clause */
#include "smp/percpu.h"

#include "tests/host/smp/smp_fixture.h"

namespace quire
{

class PercpuTest : public SmpTest
{
};

/* Run first by GoogleTest: a death test forks, before other tests have made threads. */
using PercpuDeathTest = PercpuTest;

TEST_F(PercpuTest, TheBootCpuKeepsWhatTheBackendStoredInItsFirstArea)
{
	config.cpus = 1;
	host_machine_create(&config);
	arch_percpu()->backend[1] = 77;
	smp_init();
	EXPECT_EQ(percpu_self(), percpu_of(0));
	EXPECT_EQ(percpu_self()->arch.self, arch_percpu());
	EXPECT_EQ(percpu_self()->arch.backend[1], 77u);
	EXPECT_EQ(arch_cpu_id(), 0u);
}

TEST_F(PercpuTest, AreasThatOthersWriteStandOnLinesOfTheirOwn)
{
	EXPECT_EQ(sizeof(struct percpu) % CACHE_LINE, 0u);
	EXPECT_EQ(offsetof(struct percpu, call) % CACHE_LINE, 0u);
	EXPECT_EQ(offsetof(struct call_state, pending) % CACHE_LINE, 0u);
	EXPECT_EQ(offsetof(struct percpu, arch), 0u);
}

TEST_F(PercpuTest, CpusWithoutAnAreaHaveNone)
{
	boot(2, 1);
	EXPECT_EQ(percpu_of(1), nullptr);
	EXPECT_EQ(percpu_of(MAXCPU - 1), nullptr);
	EXPECT_EQ(percpu_of(MAXCPU), nullptr);
	EXPECT_EQ(percpu_of(~0u), nullptr);
}

TEST_F(PercpuTest, EveryCpuHasItsOwn)
{
	boot_all(4, 1);
	run_all([] {
		unsigned cpu = arch_cpu_id();

		ASSERT_EQ(percpu_self(), percpu_of(cpu));
		percpu_count_ipi();
		percpu_self()->tick_count = 10 + cpu;
	});
	for (unsigned cpu = 0; cpu < 4; cpu++) {
		EXPECT_EQ(percpu_of(cpu)->tick_count, 10 + cpu);
		EXPECT_EQ(percpu_of(cpu)->ipi_count, 1u);
		EXPECT_EQ(percpu_of(cpu)->irq_count, 1u);
	}
}

TEST_F(PercpuDeathTest, AnAreaThatIsNotAlignedIsRefused)
{
	boot(2, 1);
	void *memory = SmpMemory::alloc(2 * sizeof(struct percpu));
	auto *area = reinterpret_cast<struct percpu *>(static_cast<char *>(memory) + 8);

	EXPECT_DEATH(percpu_init(area, 1), "check failed: .*area % ");
}

} // namespace quire
