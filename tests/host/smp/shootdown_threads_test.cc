// SPDX-License-Identifier: BSD-2-Clause
/* The protocol on threads that really run at once: for the thread sanitizer. */
#include "tests/host/smp/shootdown_fixture.h"

namespace quire
{
namespace
{

using ShootdownThreadsTest = ShootdownTest;

TEST_F(ShootdownThreadsTest, AllCpusAskAtOnce)
{
	for (unsigned cpus : {2u, 3u, 4u}) {
		boot_shootdown(cpus, 1, HOST_THREADS);
		run_all([] { unmap_and_check(100); });
		EXPECT_EQ(audit(), 0u) << audit_text();
	}
}

TEST_F(ShootdownThreadsTest, StatisticsMayBeReadMeanwhile)
{
	boot_shootdown(3, 1, HOST_THREADS);
	run_all([] {
		struct shootdown_stats stats;

		if (arch_cpu_id() != 0)
			return unmap_and_check(50);
		for (unsigned i = 0; i < 50; i++)
			shootdown_stats(&stats);
	});
	struct shootdown_stats stats;
	shootdown_stats(&stats);
	EXPECT_EQ(stats.requests[SHOOTDOWN_FREE], 100u);
	EXPECT_EQ(stats.served, stats.targets);
}

} // namespace
} // namespace quire
