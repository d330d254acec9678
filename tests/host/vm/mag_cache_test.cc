/* SPDX-License-Identifier: BSD-2-Clause */
/* Single items, magazines and the depot; where memory or lines run out. */
#include "tests/host/vm/mag_cache_fixture.h"

namespace quire
{
namespace
{

TEST_F(MagCacheTest, AMissBringsAMagazineOfHits)
{
	init(8);
	std::vector<void *> items = alloc(8);

	EXPECT_EQ(source.imports, 1u);
	EXPECT_EQ(stats().alloc_misses, 1u);
	EXPECT_EQ(stats().allocs, 8u);
	free(&items);
	EXPECT_EQ(stats().frees, 8u);
	EXPECT_EQ(stats().cached, 8u);
	EXPECT_EQ(source.releases, 0u);
	EXPECT_TRUE(nothing_lost(0));
}

TEST_F(MagCacheTest, ACacheHasNothingBeforeItIsUsed)
{
	init(8);
	EXPECT_EQ(mag_cache_alloc(&cache), nullptr);
	EXPECT_FALSE(mag_cache_free(&cache, &cache));
	EXPECT_EQ(mag_cache_alloc_cached(&cache), nullptr);
	EXPECT_EQ(mag_cache_cached(&cache), 0u);
	EXPECT_EQ(mag_cache_drain_local(&cache), 0u);
	EXPECT_EQ(source.imports, 0u);
}

TEST_F(MagCacheTest, TwoMagazinesStandBetweenExchanges)
{
	init(8);
	std::vector<void *> items = alloc(16);

	free(&items);
	uint64_t misses = stats().free_misses;
	for (unsigned round = 0; round < 100; round++) {
		items = alloc(8);
		free(&items);
	}
	EXPECT_EQ(stats().exchanges, 0u);
	EXPECT_LE(stats().free_misses, misses + 100);
	EXPECT_EQ(source.imports, 2u);
	EXPECT_TRUE(nothing_lost(0));
}

TEST_F(MagCacheTest, FullMagazinesGoThroughTheDepot)
{
	init(8);
	std::vector<void *> items = alloc(80);

	EXPECT_EQ(source.imports, 10u);
	free(&items);
	EXPECT_EQ(source.releases, 0u);
	EXPECT_EQ(mag_cache_depot_cached(&cache), 64u);
	items = alloc(80);
	EXPECT_EQ(source.imports, 10u);
	EXPECT_EQ(mag_cache_cached(&cache), 0u);
	EXPECT_TRUE(nothing_lost(80));
	free(&items);
}

TEST_F(MagCacheTest, AnItemFreedOnOneCpuServesAnotherThroughTheDepot)
{
	restart_with(2);
	init(4);
	std::vector<void *> items = alloc(40);

	on_cpu(1, [&] { free(&items); });
	items = alloc(30);
	EXPECT_EQ(source.imports, 10u);
	EXPECT_TRUE(nothing_lost(30));
	free(&items);
}

TEST_F(MagCacheTest, ABoundIsKept)
{
	for (unsigned cpus : {1u, 3u, 4u, 7u}) {
		for (uint64_t bound : {0u, 1u, 5u, 8u, 14u, 100u, 300u, 1000u}) {
			restart_with(cpus);
			init(62, bound);
			std::vector<void *> items = alloc(2000);
			on_all_cpus([&] {
				size_t share = items.size() / cpus, first = share * arch_cpu_id();
				for (size_t i = first; i < first + share; i++)
					free(items[i]);
			});
			for (size_t i = items.size() / cpus * cpus; i < items.size(); i++)
				free(items[i]);
			if (bound != 0)
				EXPECT_LE(mag_cache_cached(&cache), bound) << cpus;
			else
				EXPECT_EQ(mag_cache_cached(&cache), source.out()) << cpus;
			EXPECT_TRUE(nothing_lost(0)) << cpus << " " << bound;
			mag_cache_destroy(&cache);
			initialized_ = false;
		}
	}
}

TEST_F(MagCacheTest, ImportMayFailAndMayBringLess)
{
	source.limit = 11;
	init(8);
	std::vector<void *> items = alloc(11);

	EXPECT_EQ(alloc(), nullptr);
	EXPECT_EQ(stats().allocs, 11u);
	free(&items);
	items = alloc(11);
	EXPECT_EQ(alloc(), nullptr);
	EXPECT_TRUE(nothing_lost(11));
	free(&items);
}

TEST_F(MagCacheTest, ImportAndReleaseRunWithTheCallersInterrupts)
{
	init(4);
	arch_irq_enable();
	free(alloc());
	EXPECT_TRUE(source.irq_was_enabled);
	(void)mag_cache_drain_local(&cache);
	arch_irq_disable();
	free(alloc());
	EXPECT_FALSE(source.irq_was_enabled);
	arch_irq_enable();
}

TEST_F(MagCacheTest, WithoutMemoryForMagazinesItStillWorks)
{
	struct host_fault_plan plan = {};

	init(8);
	plan.policy = HOST_FAULT_FROM_NTH;
	plan.nth = 1;
	host_fault_arm(&plan);
	std::vector<struct mag *> reserve;
	while (struct mag *mag = mag_pool_get())
		reserve.push_back(mag);
	std::vector<void *> items = alloc(20);
	EXPECT_EQ(source.imports, 20u);
	free(&items);
	EXPECT_EQ(source.releases, 20u);
	EXPECT_EQ(stats().allocs, 20u);
	EXPECT_EQ(stats().frees, 20u);
	host_fault_disarm();
	for (struct mag *mag : reserve)
		mag_pool_put(mag);
	free(alloc());
	EXPECT_EQ(stats().cached, 8u);
}

TEST_F(MagCacheTest, WithoutALineItStillWorks)
{
	std::vector<uint32_t> lines;

	arch_irq_enable();

	while (uint32_t offset = percpu_lines_alloc(1))
		lines.push_back(offset);
	struct mag_cache_config c = {};
	c.name = "late";
	c.rounds_min = c.rounds_max = 8;
	c.import = Source::import;
	c.release = Source::release;
	c.ctx = &source;
	EXPECT_EQ(mag_cache_init(&cache, &c), KERN_RESOURCE_SHORTAGE);
	std::vector<void *> items = alloc(20);
	EXPECT_EQ(source.out(), 20u);
	free(&items);
	EXPECT_EQ(source.out(), 0u);
	EXPECT_EQ(mag_cache_drain_local(&cache), 0u);
	EXPECT_TRUE(nothing_lost(0));
	mag_cache_destroy(&cache);
	for (uint32_t offset : lines)
		percpu_lines_free(offset, 1);
}

TEST_F(MagCacheTest, AMagazineServesOtherCachesAfterwards)
{
	init(8);
	std::vector<void *> items = alloc(400);

	free(&items);
	uint64_t pages = mag_pool_pages();
	EXPECT_GT(pages, 4u);
	for (unsigned i = 0; i < 10; i++) {
		mag_cache_destroy(&cache);
		init(8);
		items = alloc(400);
		free(&items);
	}
	EXPECT_EQ(mag_pool_pages(), pages);
	EXPECT_EQ(pages_in(VM_PAGE_META), pages);
	EXPECT_TRUE(audit_ok());
}

} // namespace
} // namespace quire
