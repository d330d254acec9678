/* SPDX-License-Identifier: BSD-2-Clause */
#include "smp/smp.h"

#include <atomic>

#include "arch/clock.h"
#include "arch/mmu.h"
#include "arch/physmap.h"
#include "tests/host/smp/smp_fixture.h"

namespace quire
{

class SmpStartTest : public SmpTest
{
      protected:
	/* What is left of the provider's memory when so many CPUs have what they need. */
	static void expect_memory_of(unsigned aps)
	{
		EXPECT_EQ(SmpMemory::live().size(), 1 + 2 * aps);
	}
};

TEST_F(SmpStartTest, OneCpuIsOnlineFromTheStart)
{
	boot(1, 1);
	EXPECT_EQ(smp_cpu_count(), 1u);
	EXPECT_EQ(smp_online_count(), 1u);
	EXPECT_TRUE(smp_cpu_online(0));
	EXPECT_FALSE(smp_cpu_online(1));
	EXPECT_FALSE(smp_cpu_online(MAXCPU));
	start();
	EXPECT_TRUE(logged("smp: 1 of 1 CPUs online\n"));
	EXPECT_TRUE(SmpMemory::live().empty());
}

TEST_F(SmpStartTest, AllComeUnderAnySchedule)
{
	for_machines(500, [&] {
		struct cpuset set;

		smp_online_set(&set);
		EXPECT_EQ(cpuset_count(&set), config.cpus);
		for (unsigned cpu = 0; cpu < config.cpus; cpu++) {
			EXPECT_TRUE(cpuset_has(&set, cpu));
			EXPECT_TRUE(smp_cpu_online(cpu));
		}
		EXPECT_FALSE(smp_cpu_online(config.cpus));
	});
}

TEST_F(SmpStartTest, EachIsListedInOrderAndThenTheSum)
{
	boot_all(3, 7);
	std::string log = host_log();
	std::string expected;

	for (unsigned cpu = 0; cpu < 3; cpu++)
		expected += "cpu " + std::to_string(cpu) + ": online (apic id " +
			    std::to_string(arch_cpu_hwid(cpu)) + ")\n";
	expected += "smp: 3 of 3 CPUs online\n";
	EXPECT_NE(log.find(expected), std::string::npos) << log;
}

TEST_F(SmpStartTest, ACpuRunsItsMainOnItsOwnStackAndAreaWithAnEmptyTlb)
{
	boot_all(4, 3);
	run_all([] {
		struct percpu *self = percpu_of(arch_cpu_id());

		EXPECT_EQ(percpu_self(), self);
		EXPECT_EQ(self->arch.cpu, arch_cpu_id());
	});
	for (unsigned cpu = 1; cpu < 4; cpu++)
		EXPECT_GE(host_tlb_flushes(cpu), 1u);
	expect_memory_of(3);
}

TEST_F(SmpStartTest, OneThatNeverAnswersIsNamedAndItsMemoryFreed)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		boot(4, seed);
		host_cpu_set_silent(2);
		start();
		EXPECT_EQ(smp_online_count(), 3u);
		EXPECT_FALSE(smp_cpu_online(2));
		EXPECT_EQ(percpu_of(2), nullptr);
		EXPECT_TRUE(logged("cpu 2: no answer in 2 ms (apic id " +
				   std::to_string(arch_cpu_hwid(2)) + "), left out\n"));
		EXPECT_TRUE(logged("smp: 3 of 4 CPUs online\n"));
		expect_memory_of(2);
		run_all([] {}); /* the others work */
	}
}

TEST_F(SmpStartTest, AllOthersMaybeMissing)
{
	boot(3, 1);
	host_cpu_set_silent(1);
	host_cpu_set_silent(2);
	start();
	EXPECT_TRUE(logged("smp: 1 of 3 CPUs online\n"));
	expect_memory_of(0);
}

TEST_F(SmpStartTest, OneThatComesAfterTheTimeoutParksAndTouchesNothing)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		boot(3, seed);
		host_cpu_set_late(1, 3 * TIMEOUT_NS);
		start();
		EXPECT_EQ(smp_online_count(), 2u);
		expect_memory_of(1);
		host_clock_advance(4 * TIMEOUT_NS);
		for (unsigned i = 0; i < 2000; i++)
			arch_cpu_relax();
		EXPECT_EQ(smp_online_count(), 2u);
		EXPECT_FALSE(smp_cpu_online(1));
	}
}

TEST_F(SmpStartTest, OneThatIsSlowButInTimeIsOnline)
{
	boot(3, 1);
	host_cpu_set_late(2, TIMEOUT_NS / 2);
	start();
	EXPECT_EQ(smp_online_count(), 3u);
}

/* Around the end of the wait either side may win; both must agree on who. */
TEST_F(SmpStartTest, OneThatComesJustThenIsEitherOnlineOrLeftOut)
{
	unsigned online = 0, left_out = 0;

	for (uint64_t seed = 1; seed <= 300; seed++) {
		boot(2, seed);
		host_cpu_set_late(1, 20000 + seed * 10);
		start(20000 + 1500);
		if (smp_cpu_online(1)) {
			online++;
			expect_memory_of(1);
			run_all([] {});
		} else {
			left_out++;
			expect_memory_of(0);
			for (unsigned i = 0; i < 500; i++)
				arch_cpu_relax();
			EXPECT_FALSE(smp_cpu_online(1));
		}
	}
	EXPECT_GT(online, 0u);
	EXPECT_GT(left_out, 0u);
}

TEST_F(SmpStartTest, MemoryThatRunsOutAtAnyPointLeavesCpusOutOnly)
{
	for (int calls = 0; calls <= 7; calls++) {
		boot(4, 1);
		SmpMemory::left() = calls;
		start();
		SmpMemory::left() = -1;
		/* The table comes first, then an area and a stack for each. */
		unsigned aps = calls < 1 ? 0 : static_cast<unsigned>(calls - 1) / 2;

		EXPECT_EQ(smp_online_count(), 1 + aps);
		EXPECT_EQ(SmpMemory::live().size(), calls == 0 ? 0 : 1 + 2 * aps);
		EXPECT_EQ(logged("smp: no memory to start other CPUs\n"), calls == 0);
		EXPECT_EQ(logged("cpu 3: no memory to start it (apic id "), calls > 0 && aps < 3);
		run_all([] {});
	}
}

/* It has its stack, so nothing of it can be freed; and it must not come back from the dead. */
TEST_F(SmpStartTest, OneThatHangsHalfWayIsRefusedForEver)
{
	static std::atomic<bool> stuck;

	boot(2, 1);
	stuck = true;
	host_set_watch(
	    [](enum arch_hook_kind, const volatile void *where, void *) {
		    if (arch_cpu_id() == 1 && where == &percpu_of(1)->join)
			    while (stuck)
				    host_switch_to(0);
	    },
	    nullptr);
	start();
	EXPECT_TRUE(logged("cpu 1: not ready in 4 ms (apic id "));
	EXPECT_EQ(smp_online_count(), 1u);
	expect_memory_of(1);
	stuck = false;
	for (unsigned i = 0; i < 100; i++)
		arch_cpu_relax();
	EXPECT_EQ(smp_online_count(), 1u);
	EXPECT_EQ(host_cpu_state(1), HOST_CPU_HALTED);
	host_set_watch(nullptr, nullptr);
}

TEST_F(SmpStartTest, OneThatIsReadyInTheSecondHalfOfTheWaitIsOnline)
{
	static bool seen;

	boot(2, 1);
	seen = false;
	host_set_watch(
	    [](enum arch_hook_kind, const volatile void *where, void *) {
		    if (arch_cpu_id() != 1 || where != &percpu_of(1)->join || seen)
			    return;
		    seen = true;
		    uint64_t until = arch_clock_ns() + TIMEOUT_NS + TIMEOUT_NS / 2;
		    while (arch_clock_ns() < until)
			    host_switch_to(0);
	    },
	    nullptr);
	start();
	host_set_watch(nullptr, nullptr);
	EXPECT_TRUE(logged("cpu 1: online (apic id "));
	EXPECT_TRUE(logged("), late\n"));
	EXPECT_EQ(smp_online_count(), 2u);
	run_all([] {});
}

/*
 * A translation that is taken away while a CPU comes online. At its k-th step, for every k, the
 * new CPU fetches the translation, as hardware may at any time, and the entry is cleared and the
 * online set read on behalf of CPU 0. If the set was without the new CPU, nobody will tell it.
 */
class SmpJoinTest : public SmpTest
{
      protected:
	static constexpr unsigned STEPS_MAX = 200;

	static struct Scenario {
		unsigned step, at_step;
		bool asked;
		std::atomic<bool> done; /* what else was written is visible */
		vm_offset_t va;
	} scenario;

	static pte_t *leaf(vm_offset_t va)
	{
		vm_paddr_t table = arch_mmu_kernel_root();

		for (unsigned level = MMU_LEVELS;; level--) {
			auto *entry =
			    static_cast<pte_t *>(arch_physmap(table)) + MMU_INDEX(va, level);
			if (level == 1)
				return entry;
			table = arch_pte_read(entry) & PTE_ADDRESS;
		}
	}

	static void watch(enum arch_hook_kind, const volatile void *, void *)
	{
		if (arch_cpu_id() != 1 || scenario.done || scenario.step++ != scenario.at_step)
			return;
		EXPECT_TRUE(host_translate(scenario.va, HOST_READ, nullptr, nullptr));
		arch_pte_exchange(leaf(scenario.va), 0);
		scenario.asked = smp_cpu_online(1);
		scenario.done = true;
	}
};

SmpJoinTest::Scenario SmpJoinTest::scenario;

TEST_F(SmpJoinTest, ATranslationTakenAwayMeanwhileIsForgottenUnlessTheCpuWasInTheSet)
{
	unsigned not_asked = 0;

	for (unsigned step = 0; step < STEPS_MAX; step++) {
		struct host_tlb_entry entry;

		boot(2, 1);
		scenario.step = 0;
		scenario.at_step = step;
		scenario.done = scenario.asked = false;
		scenario.va = arch_mmu_image_end() - PAGE_SIZE;
		host_set_watch(watch, nullptr);
		start();
		while (!scenario.done)
			arch_cpu_relax();
		host_set_watch(nullptr, nullptr);
		run_all([] {}); /* by now it has run its main */
		if (scenario.asked)
			break;
		not_asked++;
		EXPECT_FALSE(host_tlb_find(1, scenario.va, &entry)) << "step " << step;
	}
	EXPECT_TRUE(scenario.asked);
	EXPECT_GT(not_asked, 0u);
}

} // namespace quire
