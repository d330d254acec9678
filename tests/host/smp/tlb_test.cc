// SPDX-License-Identifier: BSD-2-Clause
#include "tests/host/smp/tlb_fixture.h"

#include "arch/host/director.h"
#include "smp/preempt.h"

namespace quire
{
namespace
{

using TlbDeathTest = TlbTest;

TEST_F(TlbTest, GenerationPassesWhenEveryCpuHasCaughtUp)
{
	boot_tlb(3, 1);
	touch(at(0));
	unmap(0);
	tlb_generation_t generation = tlb_generation_begin();
	EXPECT_FALSE(tlb_generation_passed(generation));
	tlb_catch_up();
	EXPECT_FALSE(remembered(0, at(0)));
	EXPECT_FALSE(tlb_generation_passed(generation));
	run_all([] { tlb_catch_up(); });
	EXPECT_TRUE(tlb_generation_passed(generation));
	arch_page_released(frame(0), 1);
	EXPECT_EQ(host_ipi_sent(ARCH_IPI_SHOOTDOWN), 0u);
	EXPECT_EQ(audit(), 0u) << audit_text();
}

TEST_F(TlbTest, WhoHasSeenItFlushesNoSecondTime)
{
	boot_tlb(1, 1);
	tlb_generation_begin();
	tlb_catch_up();
	uint64_t flushes = host_tlb_flushes(0);

	tlb_catch_up();
	tlb_catch_up();
	EXPECT_EQ(host_tlb_flushes(0), flushes);
}

TEST_F(TlbTest, NumbersWrap)
{
	boot_tlb(2, 1);
	for (unsigned i = 0; i < 6; i++) {
		tlb_generation_t generation = tlb_generation_begin();

		EXPECT_EQ(generation, UINT64_MAX - 1 + i);
		EXPECT_FALSE(tlb_generation_passed(generation));
		EXPECT_TRUE(tlb_generation_passed(generation - 1));
		run_all([] { tlb_catch_up(); });
		EXPECT_TRUE(tlb_generation_passed(generation));
		EXPECT_EQ(audit(), 0u) << audit_text();
	}
}

TEST_F(TlbTest, ForceAsksThoseOnlyWhoAreBehind)
{
	boot_tlb(4, 1);
	touch_on_all(at(1));
	unmap(1);
	tlb_generation_t generation = tlb_generation_begin();
	run_all([] {
		if (arch_cpu_id() == 2)
			tlb_catch_up();
	});
	tlb_generation_force(generation, SHOOTDOWN_FORCED);
	EXPECT_TRUE(tlb_generation_passed(generation));
	EXPECT_EQ(cpus_remembering(at(1)), 0u);
	arch_page_released(frame(1), 1);
	EXPECT_EQ(host_ipi_sent(ARCH_IPI_SHOOTDOWN), 2u);
	EXPECT_EQ(audit(), 0u) << audit_text();
}

/* CPU 1 idles, knows a page, and is not asked: the oracle excuses it until it leaves. */
TEST_F(TlbTest, LazyCpuIsNotAskedAndForgetsWhenItLeaves)
{
	for (uint64_t seed = 1; seed <= 40 && !HasFailure(); seed++) {
		boot_tlb(2, seed);
		run_all([] {
			if (arch_cpu_id() == 1) {
				touch(at(2));
				touch(at(3));
				idle_once();
				EXPECT_FALSE(remembered(1, at(2)));
				return;
			}
			await_lazy(1);
			unmap(2);
			tlb_generation_t generation = tlb_generation_begin();
			tlb_catch_up();
			EXPECT_TRUE(tlb_generation_passed(generation));
			EXPECT_TRUE(remembered(1, at(2)));
			arch_page_released(frame(2), 1);
			host_assert_no_translation(at(2), at(3));
			EXPECT_EQ(host_ipi_sent(ARCH_IPI_SHOOTDOWN), 0u);
			host_ipi_spurious(1, ARCH_IPI_SHOOTDOWN);
		});
		EXPECT_EQ(audit(), 0u) << audit_text();
	}
}

TEST_F(TlbTest, NothingIsReusedTooEarlyThoughAllFreeAndIdleAtOnce)
{
	config.speculate_ppm = 400 * 1000;
	for (unsigned cpus : {1u, 2u, 3u, 4u, 8u}) {
		for (uint64_t seed = 1; seed <= scaled(150) && !HasFailure(); seed++) {
			boot_tlb(cpus, seed);
			run_all([] {
				start_tick(20 * 1000);
				defer_and_check(6);
			});
			EXPECT_EQ(audit(), 0u) << audit_text();
		}
	}
}

/* The last moment at which a CPU is passed over: just before it turns active. */
struct Leaving {
	struct atomic32 begun, done;
} leaving;

void leaving_watch(enum arch_hook_kind, const volatile void *where, void *)
{
	if (arch_cpu_id() != 1 || where != &tlb_lines[1].state || !in_interrupt())
		return;
	atomic32_store(&leaving.begun, 1, MO_RELEASE);
	while (atomic32_load(&leaving.done, MO_ACQUIRE) == 0)
		host_switch_to(0);
}

TEST_F(TlbTest, WhatBeginsWhileACpuLeavesIsSeenByIt)
{
	boot_tlb(2, 1);
	leaving = {};
	host_set_watch(leaving_watch, nullptr);
	run_all([] {
		if (arch_cpu_id() == 1) {
			touch(at(2));
			idle_once();
			EXPECT_FALSE(remembered(1, at(2)));
			return;
		}
		await_lazy(1);
		host_ipi_spurious(1, ARCH_IPI_CALL);
		while (atomic32_load(&leaving.begun, MO_ACQUIRE) == 0)
			arch_cpu_relax();
		unmap(2);
		tlb_generation_t generation = tlb_generation_begin();
		tlb_catch_up();
		EXPECT_TRUE(tlb_generation_passed(generation));
		arch_page_released(frame(2), 1);
		atomic32_store(&leaving.done, 1, MO_RELEASE);
	});
	host_set_watch(nullptr, nullptr);
}

/* Immediate ones do not ask it either, but it must flush. */
TEST_F(TlbTest, ShootdownLeavesALazyCpuOut)
{
	for (uint64_t seed = 1; seed <= 40 && !HasFailure(); seed++) {
		boot_tlb(3, seed);
		run_all([] {
			struct shootdown_stats stats;

			if (arch_cpu_id() == 1) {
				touch(at(2));
				idle_once();
				EXPECT_FALSE(remembered(1, at(2)));
			}
			if (arch_cpu_id() != 0)
				return;
			await_lazy(1);
			unmap(2);
			shootdown_range(at(2), at(3), SHOOTDOWN_FREE);
			EXPECT_TRUE(remembered(1, at(2)));
			arch_page_released(frame(2), 1);
			shootdown_stats(&stats);
			EXPECT_EQ(stats.targets, 1u);
			EXPECT_EQ(stats.left_out, 1u);
			host_ipi_spurious(1, ARCH_IPI_CALL);
		});
	}
}

/* Memory types and permanent mappings are another matter. */
TEST_F(TlbTest, ShootdownOfWhatALazyCpuMayUseAsksIt)
{
	boot_tlb(2, 1);
	run_all([] {
		struct shootdown_stats stats;
		vm_offset_t direct = PHYSMAP_BASE + frame(0);

		if (arch_cpu_id() == 1) {
			for (unsigned i = 0; i < 3; i++)
				idle_once();
			return;
		}
		await_lazy(1);
		shootdown_range(at(0), at(1), SHOOTDOWN_MEMATTR);
		await_lazy(1);
		shootdown_range(direct, direct + PAGE_SIZE, SHOOTDOWN_DEMOTE);
		await_lazy(1);
		shootdown_range(page(0), page(0) + PAGE_SIZE, SHOOTDOWN_PROTECT);
		shootdown_stats(&stats);
		EXPECT_EQ(stats.targets, 3u);
		EXPECT_EQ(stats.left_out, 0u);
	});
}

TEST_F(TlbTest, IdlingWithoutNewsFlushesNothing)
{
	struct tlb_stats stats;

	boot_tlb(2, 1);
	uint64_t flushes = host_tlb_flushes(1);
	run_all([] {
		if (arch_cpu_id() == 1)
			return idle_once();
		await_lazy(1);
		host_ipi_spurious(1, ARCH_IPI_CALL);
	});
	EXPECT_EQ(host_tlb_flushes(1), flushes);
	tlb_cpu_stats(1, &stats);
	EXPECT_EQ(stats.lazy_entered, 1u);
	EXPECT_EQ(stats.lazy_flushes, 0u);
}

/* A flush for another reason counts as well. */
TEST_F(TlbTest, AFullFlushByShootdownCatchesUp)
{
	boot_tlb(3, 1);
	tlb_generation_t generation = tlb_generation_begin();

	shootdown_range(at(0), at(SHOOTDOWN_RANGE_PAGES_MAX + 1), SHOOTDOWN_FREE);
	EXPECT_TRUE(tlb_generation_passed(generation));
}

TEST_F(TlbTest, WithoutShootdownThereIsNothingToCatchUpWith)
{
	boot(1, 1);
	tlb_catch_up();
	arch_irq_disable();
	tlb_lazy_enter();
	EXPECT_FALSE(arch_lazy());
	tlb_lazy_leave();
	arch_irq_enable();
}

/* --- Interrupts that go wrong --- */

class TlbFaultTest : public TlbTest
{
      protected:
	/* All CPUs remember a page that is then unmapped, and the generation is forced. */
	void force_and_check()
	{
		touch_on_all(at(0));
		unmap(0);
		tlb_generation_t generation = tlb_generation_begin();
		tlb_generation_force(generation, SHOOTDOWN_FORCED);
		EXPECT_TRUE(tlb_generation_passed(generation));
		EXPECT_EQ(cpus_remembering(at(0)), 0u);
		arch_page_released(frame(0), 1);
		map(0);
	}
};

TEST_F(TlbFaultTest, LostInterruptIsSentAgainAndTheTargetNamed)
{
	struct shootdown_stats stats;

	config.step_ns = 20 * 1000;
	boot_tlb(3, 1);
	host_ipi_drop_next(ARCH_IPI_SHOOTDOWN, 1);
	force_and_check();
	shootdown_stats(&stats);
	EXPECT_EQ(stats.resends, 1u);
	EXPECT_TRUE(logged("shootdown: cpu 1 has not taken the request of cpu 0")) << host_log();
	EXPECT_TRUE(logged("to catch up (forced)")) << host_log();
}

/* The tick does what the interrupt was for; the request is answered when it is sent again. */
TEST_F(TlbFaultTest, LostInterruptToACpuThatTicks)
{
	for (uint64_t seed = 1; seed <= 20 && !HasFailure(); seed++) {
		config.step_ns = 20 * 1000;
		boot_tlb(3, seed);
		run_all([] { start_tick(1000); });
		host_ipi_drop_next(ARCH_IPI_SHOOTDOWN, 2);
		force_and_check();
		EXPECT_EQ(audit(), 0u) << audit_text();
	}
}

TEST_F(TlbFaultTest, LateInterruptsAreWaitedFor)
{
	for (uint64_t seed = 1; seed <= 20 && !HasFailure(); seed++) {
		boot_tlb(4, seed);
		host_ipi_delay(ARCH_IPI_SHOOTDOWN, 50 * 1000);
		force_and_check();
		run_all([] {
			start_tick(20 * 1000);
			defer_and_check(4);
		});
		EXPECT_EQ(audit(), 0u) << audit_text();
	}
}

TEST_F(TlbFaultTest, DuplicateAndSpuriousInterruptsDoNoHarm)
{
	for (uint64_t seed = 1; seed <= 20 && !HasFailure(); seed++) {
		boot_tlb(3, seed);
		host_ipi_duplicate(ARCH_IPI_SHOOTDOWN, true);
		run_all([] {
			start_tick(20 * 1000);
			for (unsigned i = 0; i < 4; i++) {
				host_ipi_spurious((unsigned)host_random(3), ARCH_IPI_SHOOTDOWN);
				defer_and_check(1);
			}
		});
		EXPECT_EQ(audit(), 0u) << audit_text();
	}
}

using TlbFaultDeathTest = TlbFaultTest;

TEST_F(TlbFaultDeathTest, InterruptsLostForGoodStopTheMachine)
{
	auto scenario = [this] {
		config.step_ns = 100 * 1000;
		boot_tlb(2, 1);
		host_ipi_drop_all(ARCH_IPI_SHOOTDOWN, true);
		force_and_check();
	};

	EXPECT_DEATH(scenario(), "cpu 1 does not answer cpu 0(.|\n)*"
				 "cpu 1 has not taken the request of cpu 0");
}

TEST_F(TlbDeathTest, ForcingWhatHasNotBegunIsRefused)
{
	auto scenario = [this] {
		boot_tlb(1, 1);
		tlb_generation_force(tlb_generation_now() + 1, SHOOTDOWN_FORCED);
	};

	EXPECT_DEATH(scenario(), "reaches");
}

/* --- A CPU that comes online in the middle --- */

/*
 * Two frames that CPU 1 maps in turn at one page, and gives back when their generation has passed.
 * A CPU that is not online yet may remember one that was given back, if it does not use it.
 */
struct Joining {
	struct atomic32 stop;
	struct atomic32 wrong;
	struct atomic32 released;
	struct atomic64 changes; /* odd: frame changes / 2 % 2 has been given back */
	vm_offset_t va;
	vm_paddr_t frames[2];
	pte_t *entry;
	pte_t bits;
} joining;

void joining_check()
{
	uint64_t before = atomic64_load(&joining.changes, MO_SEQ_CST);
	vm_paddr_t pa = 0;

	host_translate(joining.va, HOST_READ, &pa, nullptr);
	if (atomic64_load(&joining.changes, MO_SEQ_CST) == before && before % 2 != 0 &&
	    trunc_page(pa) == joining.frames[before / 2 % 2])
		atomic32_add(&joining.wrong, 1, MO_RELAXED);
}

void joining_change(unsigned round)
{
	bool online = smp_cpu_online(2);
	tlb_generation_t generation;

	arch_pte_exchange(joining.entry, joining.frames[(round + 1) % 2] | joining.bits);
	generation = tlb_generation_begin();
	if (round % 2 == 0)
		tlb_generation_force(generation, SHOOTDOWN_FORCED);
	tlb_catch_up();
	while (!tlb_generation_passed(generation))
		arch_cpu_relax();
	atomic64_add(&joining.changes, 1, MO_SEQ_CST);
	if (online) {
		arch_page_released(joining.frames[round % 2], 1);
		atomic32_add(&joining.released, 1, MO_RELAXED);
	}
	for (uint64_t i = host_random(20); i > 0; i--)
		arch_cpu_relax();
	atomic64_add(&joining.changes, 1, MO_SEQ_CST);
}

void joining_main()
{
	/* Before it could even be asked, it must be right. */
	for (unsigned i = 0; i < 5; i++)
		joining_check();
	arch_irq_enable();
	for (unsigned round = 0; atomic32_load(&joining.stop, MO_RELAXED) == 0; round++) {
		joining_check();
		if (arch_cpu_id() == 1)
			joining_change(round);
		tlb_catch_up();
	}
	for (;;) {
		tlb_catch_up();
		arch_cpu_relax();
	}
}

/* While CPU 2 starts, CPU 1 gets much done between any two of its steps. */
void joining_watch(enum arch_hook_kind, const volatile void *, void *)
{
	if (arch_cpu_id() == 0)
		tlb_catch_up();
	if (arch_cpu_id() == 2 && atomic32_load(&joining.stop, MO_RELAXED) == 0 &&
	    !smp_cpu_online(2))
		for (unsigned i = 0; i < 30; i++)
			host_switch_to(1);
}

TEST_F(TlbTest, CpuThatComesOnlineMeanwhileHoldsNothingStale)
{
	config.speculate_ppm = 300 * 1000;
	for (uint64_t seed = 1; seed <= scaled(100) && !HasFailure(); seed++) {
		boot_tables(3, seed);
		joining = {};
		joining.va = at(0);
		joining.entry = leaf(at(0));
		joining.bits = DATA;
		joining.frames[0] = frame(0);
		joining.frames[1] = frame(1);
		unmap(1);
		host_cpu_set_late(2, 20 * 1000 + seed * 100);
		host_set_watch(joining_watch, nullptr);
		smp_start(SmpMemory::provider(), joining_main, UINT64_C(1000) * 1000 * 1000);
		EXPECT_EQ(smp_online_count(), 3u);
		while (atomic32_load(&joining.released, MO_RELAXED) < 3)
			arch_cpu_relax();
		atomic32_store(&joining.stop, 1, MO_RELAXED);
		EXPECT_EQ(atomic32_load(&joining.wrong, MO_RELAXED), 0u);
		host_set_watch(nullptr, nullptr);
	}
}

/* --- What must be caught --- */

TEST_F(TlbTest, AuditFindsWhatCannotBe)
{
	boot_tlb(2, 1);
	EXPECT_EQ(audit(), 0u);
	atomic64_store(&tlb_lines[1].seen, tlb_generation_now() + 1, MO_RELAXED);
	EXPECT_EQ(audit(), 1u);
	EXPECT_NE(audit_text().find("cpu 1: has seen a generation that has not begun"),
		  std::string::npos);
	atomic64_store(&tlb_lines[1].seen, tlb_generation_now() - 1, MO_RELAXED);
	EXPECT_EQ(audit(), 1u);
	atomic64_store(&tlb_lines[1].seen, tlb_generation_now(), MO_RELAXED);
	atomic32_store(&tlb_lines[1].state, TLB_STALE, MO_RELAXED);
	EXPECT_EQ(audit(), 1u);
}

/* CPU 1 turns active without having looked at anything. */
TEST_F(TlbDeathTest, LeavingIdleWithoutCatchingUpIsCaught)
{
	auto scenario = [this] {
		boot_tlb(2, 1);
		run_all([] {
			if (arch_cpu_id() == 1) {
				touch(at(2));
				arch_lazy_set_handler([] {
					atomic32_store(&tlb_lines[1].state, 0, MO_RELEASE);
					arch_lazy_end();
				});
				return idle_once();
			}
			await_lazy(1);
			unmap(2);
			tlb_generation_t generation = tlb_generation_begin();
			tlb_catch_up();
			EXPECT_TRUE(tlb_generation_passed(generation));
			arch_page_released(frame(2), 1);
			host_ipi_spurious(1, ARCH_IPI_CALL);
		});
	};

	EXPECT_DEATH(scenario(), "CPU 1 leaves idle and still knows page .* at 0xfffffe0000002000");
}

TEST_F(TlbDeathTest, LazyCpuThatTouchesOtherThanPermanentMappingsIsCaught)
{
	boot_tlb(1, 1);
	arch_irq_disable();
	tlb_lazy_enter();
	host_load64(PHYSMAP_BASE + frame(0));
	host_load64(page(0));
	EXPECT_DEATH(host_load64(at(0)), "CPU 0 idles, is told of nothing, and touches 0xfffffe");
	tlb_lazy_leave();
	host_load64(at(0));
}

/* An NMI does not end idling, so its handler is held to the same. */
TEST_F(TlbDeathTest, NmiWhileLazyMayTouchPermanentMappingsOnly)
{
	boot_tlb(2, 1);
	static vm_offset_t touched;
	auto idle_with_nmi = [] {
		if (arch_cpu_id() == 1)
			return idle_once();
		await_lazy(1);
		ASSERT_TRUE(host_nmi(1, [] { host_load64(touched); }));
		for (unsigned i = 0; i < 100; i++)
			arch_cpu_relax();
		EXPECT_TRUE(lazy(1));
		host_ipi_spurious(1, ARCH_IPI_CALL);
	};

	touched = PHYSMAP_BASE + frame(0);
	run_all(idle_with_nmi);
	touched = at(0);
	EXPECT_DEATH(run_all(idle_with_nmi), "CPU 1 idles, is told of nothing, and touches");
}

} // namespace
} // namespace quire
