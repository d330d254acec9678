// SPDX-License-Identifier: BSD-2-Clause
#include "tests/host/smp/shootdown_fixture.h"

#include "smp/preempt.h"
#include "smp/shootdown_private.h"
#include "smp/spinlock.h"

namespace quire
{
namespace
{

using ShootdownDeathTest = ShootdownTest;

TEST_F(ShootdownTest, EveryCpuHasForgottenWhenItReturnsThoughAllAskAtOnce)
{
	config.speculate_ppm = 100 * 1000;
	for (unsigned cpus : {1u, 2u, 3u, 4u, 8u}) {
		for (uint64_t seed = 1; seed <= 40 && !HasFailure(); seed++) {
			boot_shootdown(cpus, seed);
			run_all([] { unmap_and_check(6); });
			EXPECT_EQ(audit(), 0u) << audit_text();
		}
	}
}

TEST_F(ShootdownTest, ForgetsTheRangeAndKeepsItsNeighbours)
{
	boot_shootdown(3, 1);
	for (unsigned i = 0; i < 4; i++)
		touch_on_all(cpu_page(0, i));
	shootdown_range(cpu_page(0, 1), cpu_page(0, 3), SHOOTDOWN_PROTECT);
	EXPECT_EQ(cpus_remembering(cpu_page(0, 0)), 3u);
	EXPECT_EQ(cpus_remembering(cpu_page(0, 1)), 0u);
	EXPECT_EQ(cpus_remembering(cpu_page(0, 2)), 0u);
	EXPECT_EQ(cpus_remembering(cpu_page(0, 3)), 3u);
}

TEST_F(ShootdownTest, LargeRangeIsOneFullFlushOnEachCpu)
{
	boot_shootdown(2, 1);
	uint64_t flushes[2] = {host_tlb_flushes(0), host_tlb_flushes(1)};
	uint64_t pages = SHOOTDOWN_RANGE_PAGES_MAX;
	struct shootdown_stats stats;

	shootdown_range(cpu_page(0, 0), cpu_page(0, 0) + ptoa(pages), SHOOTDOWN_FREE);
	EXPECT_EQ(host_tlb_flushes(0), flushes[0]);
	EXPECT_EQ(host_tlb_flushes(1), flushes[1]);
	shootdown_range(cpu_page(0, 0), cpu_page(0, 0) + ptoa(pages + 1), SHOOTDOWN_FREE);
	EXPECT_EQ(host_tlb_flushes(0), flushes[0] + 1);
	EXPECT_EQ(host_tlb_flushes(1), flushes[1] + 1);
	shootdown_stats(&stats);
	EXPECT_EQ(stats.full_flushes, 1u);
	EXPECT_EQ(stats.pages, 2 * pages + 1);
}

TEST_F(ShootdownTest, LoneCpuAsksNobodyAndMayHaveInterruptsOff)
{
	struct shootdown_stats stats;

	boot_shootdown(1, 1);
	arch_irq_disable();
	touch(page(0));
	shootdown_range(page(0), page(0) + PAGE_SIZE, SHOOTDOWN_QREMOVE);
	EXPECT_FALSE(remembered(0, page(0)));
	arch_irq_enable();
	EXPECT_EQ(host_ipi_sent(ARCH_IPI_SHOOTDOWN), 0u);
	shootdown_stats(&stats);
	EXPECT_EQ(stats.local_only, 1u);
	EXPECT_EQ(stats.targets, 0u);
}

TEST_F(ShootdownTest, CountsWhatWasAskedAndServed)
{
	struct shootdown_stats all, own, other;

	boot_shootdown(4, 1);
	shootdown_range(page(0), page(0) + PAGE_SIZE, SHOOTDOWN_FREE);
	shootdown_range(page(2), page(2) + 3 * PAGE_SIZE, SHOOTDOWN_DEMOTE);
	shootdown_stats(&all);
	shootdown_cpu_stats(0, &own);
	shootdown_cpu_stats(3, &other);
	EXPECT_EQ(all.requests[SHOOTDOWN_FREE], 1u);
	EXPECT_EQ(all.requests[SHOOTDOWN_DEMOTE], 1u);
	EXPECT_EQ(all.requests[SHOOTDOWN_PROTECT], 0u);
	EXPECT_EQ(all.pages, 4u);
	EXPECT_EQ(all.targets, 6u);
	EXPECT_EQ(all.served, 6u);
	EXPECT_EQ(own.served, 0u);
	EXPECT_EQ(own.targets, 6u);
	EXPECT_GT(own.max_wait_ns, 0u);
	EXPECT_EQ(other.served, 2u);
	EXPECT_EQ(other.targets, 0u);
}

TEST_F(ShootdownTest, DuplicateAndSpuriousInterruptsDoNoHarm)
{
	for (uint64_t seed = 1; seed <= 40 && !HasFailure(); seed++) {
		boot_shootdown(3, seed);
		host_ipi_duplicate(ARCH_IPI_SHOOTDOWN, true);
		run_all([] {
			for (unsigned i = 0; i < 4; i++) {
				host_ipi_spurious((unsigned)host_random(3), ARCH_IPI_SHOOTDOWN);
				unmap_and_check(1);
			}
		});
		EXPECT_EQ(audit(), 0u) << audit_text();
	}
}

TEST_F(ShootdownTest, LateInterruptsAreWaitedFor)
{
	boot_shootdown(3, 7);
	host_ipi_delay(ARCH_IPI_SHOOTDOWN, 50 * 1000);
	run_all([] { unmap_and_check(4); });
	EXPECT_EQ(audit(), 0u) << audit_text();
}

TEST_F(ShootdownTest, LostInterruptIsSentAgainAndTheTargetNamed)
{
	struct shootdown_stats stats;

	config.step_ns = 20 * 1000;
	boot_shootdown(3, 1);
	touch_on_all(page(0));
	host_ipi_drop_next(ARCH_IPI_SHOOTDOWN, 1);
	shootdown_range(page(0), page(0) + PAGE_SIZE, SHOOTDOWN_FREE);
	EXPECT_EQ(cpus_remembering(page(0)), 0u);
	shootdown_stats(&stats);
	EXPECT_EQ(stats.resends, 1u);
	EXPECT_TRUE(logged("shootdown: cpu 1 has not taken the request of cpu 0")) << host_log();
	EXPECT_FALSE(logged("shootdown: cpu 2 has not")) << host_log();
}

/* What the self-test of the machine uses. */
TEST_F(ShootdownTest, InjectedFaultsHappenOnce)
{
	const enum shootdown_fault faults[] = {SHOOTDOWN_LOST, SHOOTDOWN_LATE, SHOOTDOWN_TWICE};
	const uint64_t sent[] = {2, 2, 4};
	struct shootdown_stats stats;

	config.step_ns = 20 * 1000;
	boot_shootdown(3, 1);
	for (unsigned i = 0; i < 3; i++) {
		uint64_t before = host_ipi_sent(ARCH_IPI_SHOOTDOWN);

		touch_on_all(page(0));
		shootdown_inject(faults[i]);
		shootdown_range(page(0), page(0) + PAGE_SIZE, SHOOTDOWN_FREE);
		EXPECT_EQ(cpus_remembering(page(0)), 0u);
		EXPECT_EQ(host_ipi_sent(ARCH_IPI_SHOOTDOWN), before + sent[i]) << i;
		shootdown_range(page(0), page(0) + PAGE_SIZE, SHOOTDOWN_FREE);
		EXPECT_EQ(host_ipi_sent(ARCH_IPI_SHOOTDOWN), before + sent[i] + 2) << i;
	}
	shootdown_stats(&stats);
	EXPECT_EQ(stats.resends, 2u);
	EXPECT_EQ(audit(), 0u) << audit_text();
}

TEST_F(ShootdownTest, CpuWithInterruptsOffIsWaitedFor)
{
	struct atomic32 off = {0}, enabled = {0};

	for (uint64_t seed = 1; seed <= 20 && !HasFailure(); seed++) {
		boot_shootdown(2, seed);
		off = enabled = {0};
		run_all([&] {
			if (arch_cpu_id() == 1) {
				arch_irq_disable();
				atomic32_store(&off, 1, MO_RELEASE);
				for (unsigned i = 0; i < 500; i++)
					arch_cpu_relax();
				atomic32_store(&enabled, 1, MO_RELEASE);
				arch_irq_enable();
				return;
			}
			while (atomic32_load(&off, MO_ACQUIRE) == 0)
				arch_cpu_relax();
			shootdown_range(page(0), page(0) + PAGE_SIZE, SHOOTDOWN_FREE);
			EXPECT_EQ(atomic32_load(&enabled, MO_ACQUIRE), 1u);
		});
	}
}

/*
 * A CPU comes online while another one takes a mapping away again and again. What the newcomer
 * finds when it has started must be what the table says.
 */
struct Joining {
	struct atomic32 stop;
	struct atomic32 wrong;
	struct atomic64 generation; /* odd while the entry is changed */
	vm_offset_t va;
	pte_t *entry;
	pte_t values[2];
} joining;

void joining_check()
{
	uint64_t before = atomic64_load(&joining.generation, MO_SEQ_CST);
	vm_paddr_t pa = 0;
	bool mapped = host_translate(joining.va, HOST_READ, &pa, nullptr);
	uint64_t after = atomic64_load(&joining.generation, MO_SEQ_CST);

	if (before != after || before % 2 != 0)
		return;
	if (!mapped || trunc_page(pa) != pte_paddr(joining.values[before / 2 % 2], 1))
		atomic32_add(&joining.wrong, 1, MO_RELAXED);
}

void joining_change()
{
	uint64_t generation = atomic64_load(&joining.generation, MO_SEQ_CST);

	atomic64_store(&joining.generation, generation + 1, MO_SEQ_CST);
	arch_pte_write(joining.entry, joining.values[(generation + 2) / 2 % 2]);
	shootdown_range(joining.va, joining.va + PAGE_SIZE, SHOOTDOWN_FREE);
	atomic64_store(&joining.generation, generation + 2, MO_SEQ_CST);
}

void joining_main()
{
	/* Before it could even be asked, it must be right. */
	for (unsigned i = 0; i < 5; i++)
		joining_check();
	arch_irq_enable();
	while (atomic32_load(&joining.stop, MO_RELAXED) == 0) {
		if (arch_cpu_id() == 1)
			joining_change();
		joining_check();
		for (uint64_t i = host_random(100); i > 0; i--)
			arch_cpu_relax();
	}
	for (;;)
		arch_cpu_relax();
}

/* While CPU 2 starts, CPU 1 gets much done between any two of its steps. */
void joining_watch(enum arch_hook_kind, const volatile void *, void *)
{
	if (arch_cpu_id() == 2 && atomic32_load(&joining.stop, MO_RELAXED) == 0 &&
	    !smp_cpu_online(2))
		for (unsigned i = 0; i < 30; i++)
			host_switch_to(1);
}

TEST_F(ShootdownTest, CpuThatComesOnlineMeanwhileHoldsNothingStale)
{
	config.speculate_ppm = 300 * 1000;
	for (uint64_t seed = 1; seed <= 200 && !HasFailure(); seed++) {
		boot(3, seed);
		shootdown_init(3, SmpMemory::alloc);
		joining = {};
		joining.va = page(0);
		joining.entry = leaf(page(0));
		joining.values[0] = arch_pte_read(joining.entry);
		joining.values[1] = arch_pte_read(leaf(page(1)));
		host_cpu_set_late(2, 20 * 1000 + seed * 100);
		host_set_watch(joining_watch, nullptr);
		smp_start(SmpMemory::provider(), joining_main, UINT64_C(1000) * 1000 * 1000);
		EXPECT_EQ(smp_online_count(), 3u);
		for (unsigned i = 0; i < 50; i++)
			arch_cpu_relax();
		atomic32_store(&joining.stop, 1, MO_RELAXED);
		EXPECT_EQ(atomic32_load(&joining.wrong, MO_RELAXED), 0u);
		host_set_watch(nullptr, nullptr);
	}
}

TEST_F(ShootdownTest, AuditFindsARequestThatNobodyMade)
{
	boot_shootdown(2, 1);
	EXPECT_EQ(audit(), 0u);
	atomic64_store(&shootdown_lines[1].inbox[0], 1, MO_RELAXED);
	EXPECT_EQ(audit(), 1u);
	atomic64_store(&shootdown_lines[1].inbox[0], 0, MO_RELAXED);
	atomic64_store(&shootdown_lines[0].pending[0], 2, MO_RELAXED);
	EXPECT_EQ(audit(), 1u);
	atomic32_store(&shootdown_lines[0].active, 1, MO_RELAXED);
	EXPECT_EQ(audit(), 1u);
}

TEST_F(ShootdownTest, CountsHowLongItTookByPowersOfTwo)
{
	struct shootdown_stats stats;
	uint64_t sum = 0;
	unsigned last = 0;

	boot_shootdown(3, 1);
	for (unsigned i = 0; i < 5; i++) {
		host_ipi_delay(ARCH_IPI_SHOOTDOWN, i * 100 * 1000);
		shootdown_range(page(0), page(0) + PAGE_SIZE, SHOOTDOWN_FREE);
	}
	shootdown_stats(&stats);
	for (unsigned i = 0; i < SHOOTDOWN_WAIT_BUCKETS; i++) {
		sum += stats.waits[i];
		last = stats.waits[i] != 0 ? i : last;
	}
	EXPECT_EQ(sum, 5u);
	EXPECT_LE((uint64_t)1 << last, stats.max_wait_ns);
	EXPECT_GT((uint64_t)2 << last, stats.max_wait_ns);
	EXPECT_GE(stats.max_wait_ns, 400u * 1000);
	EXPECT_EQ(stats.waits[18], 2u) << "300 and 400 us lie between 2^18 and 2^19 ns";
}

TEST_F(ShootdownTest, OneCommandReachesAllOthersAndOneRequestServesThem)
{
	boot_shootdown(8, 1);
	uint64_t commands = arch_ipi_commands();

	shootdown_range(page(0), page(0) + PAGE_SIZE, SHOOTDOWN_FREE);
	EXPECT_EQ(arch_ipi_commands(), commands + 1);
}

TEST_F(ShootdownTest, EveryReasonHasAName)
{
	for (unsigned reason = 0; reason < SHOOTDOWN_REASONS; reason++)
		EXPECT_STRNE(shootdown_reason_name((enum shootdown_reason)reason), "unknown");
	EXPECT_STREQ(shootdown_reason_name(SHOOTDOWN_REASONS), "unknown");
}

/* --- What must be caught --- */

TEST_F(ShootdownDeathTest, SilentTargetIsNamedWithItsLocksAndStopsTheMachine)
{
	static struct spinlock lock = SPINLOCK_INIT("greedy", LOCK_RANK_LOG);
	static struct atomic32 taken;
	auto scenario = [this] {
		config.step_ns = 100 * 1000;
		boot_shootdown(3, 1);
		run_all([] {
			if (arch_cpu_id() == 2) {
				spin_lock(&lock);
				atomic32_store(&taken, 1, MO_RELEASE);
				for (;;)
					arch_cpu_relax();
			}
			while (arch_cpu_id() == 0 && atomic32_load(&taken, MO_ACQUIRE) == 0)
				arch_cpu_relax();
			if (arch_cpu_id() == 0)
				shootdown_range(page(0), page(0) + PAGE_SIZE, SHOOTDOWN_FREE);
		});
	};

	EXPECT_DEATH(scenario(), "cpu 2 does not answer cpu 0; cpu 2: .*1 spinlocks, the last "
				 "\"greedy\" taken at .*; cpu 0: interrupt depth 0");
}

TEST_F(ShootdownDeathTest, InterruptsLostForGoodStopTheMachine)
{
	auto scenario = [this] {
		config.step_ns = 100 * 1000;
		boot_shootdown(2, 1);
		host_ipi_drop_all(ARCH_IPI_SHOOTDOWN, true);
		shootdown_range(page(0), page(0) + PAGE_SIZE, SHOOTDOWN_FREE);
	};

	EXPECT_DEATH(scenario(), "cpu 1 does not answer cpu 0(.|\n)*"
				 "cpu 1 has not taken the request of cpu 0");
}

/* Targets that lie. What they acknowledge and when they flush is up to `Liar`. */
template <typename Liar> void lying_handler()
{
	struct shootdown_line *own = &shootdown_lines[arch_cpu_id()];
	uint64_t initiators = atomic64_exchange(&own->inbox[0], 0, MO_ACQUIRE);

	Liar::before();
	for (; initiators != 0; initiators &= initiators - 1)
		atomic64_and(&shootdown_lines[__builtin_ctzll(initiators)].pending[0],
			     ~shootdown_bit(arch_cpu_id()), MO_RELEASE);
	Liar::after();
}

struct NeverFlushes {
	static void before()
	{
	}
	static void after()
	{
	}
};

struct FlushesAfterItsWord {
	static void before()
	{
	}
	static void after()
	{
		arch_tlb_flush();
	}
};

struct Honest {
	static void before()
	{
		arch_tlb_flush();
	}
	static void after()
	{
	}
};

class LiarTest : public ShootdownTest
{
      protected:
	/* A page is unmapped and given back while another CPU remembers it. */
	template <typename Liar> void give_back_with()
	{
		for (uint64_t seed = 1; seed <= 50; seed++) {
			boot_shootdown(2, seed);
			arch_ipi_set_handler(ARCH_IPI_SHOOTDOWN, lying_handler<Liar>);
			touch_on_all(page(0));
			vm_paddr_t pa = pte_paddr(arch_pte_exchange(leaf(page(0)), 0), 1);
			shootdown_range(page(0), page(0) + PAGE_SIZE, SHOOTDOWN_FREE);
			arch_page_released(pa, 1);
		}
	}
};

TEST_F(LiarTest, OracleIsContentWithHonestTargets)
{
	give_back_with<Honest>();
}

TEST_F(LiarTest, OracleCatchesAcknowledgementWithoutFlushWhenThePageIsFreed)
{
	EXPECT_DEATH(give_back_with<NeverFlushes>(), "TLB oracle");
}

TEST_F(LiarTest, OracleCatchesAcknowledgementBeforeFlushWhenThePageIsFreed)
{
	EXPECT_DEATH(give_back_with<FlushesAfterItsWord>(), "TLB oracle");
}

TEST_F(LiarTest, OracleCatchesAPageThatIsFreedWithoutShootdown)
{
	auto scenario = [this] {
		boot_shootdown(2, 1);
		touch_on_all(page(0));
		vm_paddr_t pa = pte_paddr(arch_pte_exchange(leaf(page(0)), 0), 1);
		arch_page_released(pa, 1);
	};

	EXPECT_DEATH(scenario(), "TLB oracle");
}

/* What tlb.sabotage=1 does: loudly, and the oracle sees it as soon as a page is given back. */
TEST_F(ShootdownDeathTest, SabotageIsAnnouncedAndCaught)
{
	auto scenario = [this] {
		boot(3, 1);
		shootdown_init(3, SmpMemory::alloc);
		shootdown_sabotage();
		start();
		touch_on_all(page(0));
		vm_paddr_t pa = pte_paddr(arch_pte_exchange(leaf(page(0)), 0), 1);
		shootdown_range(page(0), page(0) + PAGE_SIZE, SHOOTDOWN_FREE);
		arch_page_released(pa, 1);
	};

	EXPECT_DEATH(scenario(), "released while CPU 2 still maps it(.|\n)*"
				 "tlb.sabotage: shootdown is BROKEN ON PURPOSE: cpu 2 ");
}

TEST_F(ShootdownDeathTest, WithASpinlockHeldIsRefused)
{
	static struct spinlock lock = SPINLOCK_INIT("held", LOCK_RANK_LOG);
	auto scenario = [this] {
		boot_shootdown(2, 1);
		spin_lock(&lock);
		shootdown_range(page(0), page(0) + PAGE_SIZE, SHOOTDOWN_FREE);
	};

	EXPECT_DEATH(scenario(), "spin_held_count");
}

TEST_F(ShootdownDeathTest, WithInterruptsOffIsRefused)
{
	auto scenario = [this] {
		boot_shootdown(2, 1);
		arch_irq_disable();
		shootdown_range(page(0), page(0) + PAGE_SIZE, SHOOTDOWN_FREE);
	};

	EXPECT_DEATH(scenario(), "arch_irq_enabled");
}

TEST_F(ShootdownDeathTest, InAnInterruptIsRefused)
{
	auto scenario = [this] {
		boot_shootdown(2, 1);
		smp_call_one(
		    1,
		    [](void *) { shootdown_range(page(0), page(0) + PAGE_SIZE, SHOOTDOWN_FREE); },
		    nullptr);
	};

	EXPECT_DEATH(scenario(), "in_interrupt");
}

TEST_F(ShootdownDeathTest, EmptyAndUnalignedRangesAreRefused)
{
	boot_shootdown(1, 1);
	EXPECT_DEATH(shootdown_range(page(0), page(0), SHOOTDOWN_FREE), "check failed");
	EXPECT_DEATH(shootdown_range(page(0), page(0) + 1, SHOOTDOWN_FREE), "check failed");
}

} // namespace
} // namespace quire
