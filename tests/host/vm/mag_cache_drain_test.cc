/* SPDX-License-Identifier: BSD-2-Clause */
/* Taking back what a cache holds: from every CPU, from the depot, after idleness. */
#include "tests/host/vm/mag_cache_fixture.h"

namespace quire
{
namespace
{

TEST_F(MagCacheTest, DrainTakesEverythingFromEveryCpu)
{
	restart_with(4);
	init(8);
	on_all_cpus([&] {
		std::vector<void *> items = alloc(60);
		free(&items);
	});
	uint64_t cached = mag_cache_cached(&cache);
	EXPECT_GE(cached, 4 * 8u);
	EXPECT_TRUE(mag_cache_can_drain());
	EXPECT_EQ(mag_cache_drain(&cache), cached);
	EXPECT_EQ(mag_cache_cached(&cache), 0u);
	EXPECT_EQ(source.out(), 0u);
	EXPECT_TRUE(nothing_lost(0));
	EXPECT_EQ(mag_cache_drain(&cache), 0u);
}

TEST_F(MagCacheTest, OneInterruptDrainsManyCaches)
{
	restart_with(4);
	init(8);
	struct mag_cache other = {};
	struct mag_cache_config c = cache.config;
	struct mag_cache *const both[] = {&cache, &other};

	ASSERT_EQ(mag_cache_init(&other, &c), KERN_SUCCESS);
	on_all_cpus([&] {
		free(alloc());
		void *item = mag_cache_alloc_slow(&other, Source::FLAGS);
		mag_cache_free_slow(&other, item);
	});
	uint64_t sent = host_ipi_sent(ARCH_IPI_CALL);
	EXPECT_EQ(mag_cache_drain_many(both, 2), source.imports * 8u);
	EXPECT_EQ(host_ipi_sent(ARCH_IPI_CALL), sent + 3);
	EXPECT_EQ(source.out(), 0u);
	mag_cache_destroy(&other);
}

TEST_F(MagCacheTest, DrainIsRefusedWhereNobodyMayWait)
{
	restart_with(2);
	init(8);
	struct spinlock lock = SPINLOCK_INIT("test", LOCK_RANK_NONE);

	spin_lock(&lock);
	EXPECT_FALSE(mag_cache_can_drain());
	spin_unlock(&lock);
	EXPECT_TRUE(mag_cache_can_drain());
	arch_irq_disable();
	EXPECT_FALSE(mag_cache_can_drain());
	arch_irq_enable();
}

TEST_F(MagCacheTest, TrimLeavesTheCpusAlone)
{
	init(8);
	std::vector<void *> items = alloc(80);

	free(&items);
	EXPECT_EQ(mag_cache_trim(&cache, 30), 40u);
	EXPECT_EQ(mag_cache_depot_cached(&cache), 24u);
	EXPECT_EQ(stats().cached, 16u);
	EXPECT_EQ(mag_cache_trim(&cache, 0), 24u);
	EXPECT_TRUE(nothing_lost(0));
}

TEST_F(MagCacheTest, WhileItIsShortNothingIsKept)
{
	restart_with(3);
	init(8);
	on_all_cpus([&] {
		std::vector<void *> items = alloc(20);
		free(&items);
	});
	source.set_short(true);
	(void)mag_cache_drain(&cache);
	EXPECT_EQ(source.out(), 0u);
	for (unsigned cpu = 0; cpu < 3; cpu++)
		run_on(cpu, [&] {
			std::vector<void *> items = alloc(20);
			EXPECT_EQ(source.last_want, 1u);
			free(&items);
		});
	EXPECT_EQ(mag_cache_cached(&cache), 0u);
	EXPECT_EQ(source.out(), 0u);
	source.set_short(false);
	free(alloc());
	EXPECT_EQ(stats().cached, 8u);
}

/* One CPU has all that there is; another gets it. */
TEST_F(MagCacheTest, NothingIsStrandedOnAnIdleCpu)
{
	restart_with(2);
	source.limit = 16;
	init(8);
	on_cpu(1, [&] {
		std::vector<void *> items = alloc(16);
		free(&items);
	});
	EXPECT_EQ(alloc(), nullptr);
	EXPECT_EQ(mag_cache_drain(&cache), 16u);
	void *item = alloc();
	EXPECT_NE(item, nullptr);
	free(item);
}

TEST_F(MagCacheTest, IdlenessMakesItSmallerAndUseLargerAgain)
{
	init(32, 0, 4);
	std::vector<void *> items = alloc(320);

	free(&items);
	EXPECT_EQ(atomic32_load(&cache.rounds, MO_RELAXED), 32u);
	mag_cache_age(&cache); /* there were misses since the beginning */
	EXPECT_EQ(atomic32_load(&cache.rounds, MO_RELAXED), 32u);
	uint64_t depot = mag_cache_depot_cached(&cache);
	mag_cache_age(&cache);
	EXPECT_EQ(atomic32_load(&cache.rounds, MO_RELAXED), 24u);
	EXPECT_LE(mag_cache_depot_cached(&cache), depot / 2);
	for (unsigned i = 0; i < 20; i++)
		mag_cache_age(&cache);
	EXPECT_EQ(atomic32_load(&cache.rounds, MO_RELAXED), 4u);
	EXPECT_EQ(mag_cache_depot_cached(&cache), 0u);
	items = alloc(2000);
	EXPECT_EQ(atomic32_load(&cache.rounds, MO_RELAXED), 32u);
	EXPECT_GE(stats().resizes, 28u);
	free(&items);
	mag_cache_shrink(&cache);
	EXPECT_EQ(atomic32_load(&cache.rounds, MO_RELAXED), 4u);
	EXPECT_TRUE(nothing_lost(0));
}

} // namespace
} // namespace quire
