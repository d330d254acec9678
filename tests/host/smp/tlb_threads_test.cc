// SPDX-License-Identifier: BSD-2-Clause
/* Generations on threads that really run at once: for the thread sanitizer. */
#include "tests/host/smp/tlb_fixture.h"

namespace quire
{
namespace
{

using TlbThreadsTest = TlbTest;

TEST_F(TlbThreadsTest, AllCpusFreeAndIdleAtOnce)
{
	for (unsigned cpus : {2u, 3u, 4u}) {
		boot_tlb(cpus, 1, HOST_THREADS);
		run_all([] {
			start_tick(1000);
			defer_and_check(40);
		});
		EXPECT_EQ(audit(), 0u) << audit_text();
	}
}

/* Immediate shootdowns meet CPUs on their way into idling and out of it. */
TEST_F(TlbThreadsTest, ShootdownsAmongCpusThatIdle)
{
	boot_tlb(4, 1, HOST_THREADS);
	run_all([] {
		unsigned own = arch_cpu_id() * CPU_SHARE;

		start_tick(1000);
		for (unsigned round = 0; round < 60; round++) {
			for (unsigned i = 0; i < 4; i++)
				touch(at((unsigned)host_random(4 * CPU_SHARE)));
			unmap(own);
			shootdown_range(at(own), at(own + 1), SHOOTDOWN_FREE);
			host_assert_no_translation(at(own), at(own + 1));
			arch_page_released(frame(own), 1);
			map(own);
			if (round % 4 == 0)
				idle_once();
		}
	});
	EXPECT_EQ(audit(), 0u) << audit_text();
}

TEST_F(TlbThreadsTest, StatisticsMayBeReadMeanwhile)
{
	boot_tlb(3, 1, HOST_THREADS);
	run_all([] {
		struct tlb_stats stats;

		start_tick(1000);
		if (arch_cpu_id() != 0)
			return defer_and_check(20);
		for (unsigned i = 0; i < 50; i++)
			tlb_stats(&stats);
	});
	struct tlb_stats stats;
	tlb_stats(&stats);
	EXPECT_EQ(stats.begun, 40u);
}

} // namespace
} // namespace quire
