/* SPDX-License-Identifier: BSD-2-Clause */
/* The stash: full magazines that a CPU keeps to itself. */
#include "tests/host/vm/mag_cache_fixture.h"

namespace quire
{
namespace
{

class MagStashTest : public MagCacheTest
{
      protected:
	/* Magazines in the running CPU's stash. */
	unsigned stash_mags()
	{
		return mag_cpu_self(&cache)->stash_mags;
	}

	uint64_t depot()
	{
		return mag_cache_depot_cached(&cache);
	}
};

TEST_F(MagStashTest, ARunOfItemsNeverReachesTheDepot)
{
	init(8, 0, 1, 8);
	std::vector<void *> items = alloc(80);

	free(&items);
	EXPECT_EQ(stash_mags(), 8u);
	EXPECT_EQ(stats().cached, 80u);
	for (unsigned i = 0; i < 50; i++) {
		items = alloc(80);
		EXPECT_TRUE(nothing_lost(80));
		free(&items);
	}
	EXPECT_EQ(stats().exchanges, 0u);
	EXPECT_EQ(source.imports, 10u);
	EXPECT_EQ(source.releases, 0u);
	EXPECT_TRUE(nothing_lost(0));
}

TEST_F(MagStashTest, TheSameItemsComeBack)
{
	restart_with(2);
	init(4, 0, 1, 4);
	std::vector<void *> items = alloc(24), others;
	std::set<void *> mine(items.begin(), items.end());

	free(&items);
	on_cpu(1, [&] {
		others = alloc(24);
		free(&others);
	});
	for (void *item : items = alloc(24))
		EXPECT_EQ(mine.count(item), 1u);
	free(&items);
}

TEST_F(MagStashTest, TheLastOnePutThereIsTakenFirst)
{
	init(4, 0, 1, 6);
	std::vector<void *> items = alloc(24), again;

	for (void *item : items)
		free(item);
	again = alloc(24);
	/* Whole magazines in reverse order, whatever the order within one is. */
	for (unsigned mag = 0; mag < 6; mag++) {
		std::set<void *> put(items.begin() + 4 * mag, items.begin() + 4 * mag + 4);

		for (unsigned i = 0; i < 4; i++)
			EXPECT_EQ(put.count(again[4 * (5 - mag) + i]), 1u) << mag;
	}
	free(&again);
}

TEST_F(MagStashTest, AFullOneGivesItsLowerHalfInOneExchange)
{
	init(4, 0, 1, 4);
	std::vector<void *> items = alloc(28);

	for (unsigned i = 0; i < 24; i++)
		free(items[i]);
	EXPECT_EQ(stash_mags(), 4u);
	EXPECT_EQ(depot(), 0u);
	for (unsigned i = 24; i < 28; i++)
		free(items[i]);
	EXPECT_EQ(stash_mags(), 3u);
	EXPECT_EQ(depot(), 8u);
	EXPECT_EQ(stats().exchanges, 2u);
	EXPECT_TRUE(nothing_lost(0));
	/* What was put there first is what the depot has. */
	std::set<void *> first(items.begin(), items.begin() + 8);
	for (auto &entry : visited())
		EXPECT_EQ(entry.second == MAG_CACHE_DEPOT,
			  first.count(reinterpret_cast<void *>(entry.first)) == 1);
}

TEST_F(MagStashTest, AnEmptyOneIsFilledFromTheDepotByOneExchange)
{
	restart_with(2);
	init(4, 0, 1, 4);
	std::vector<void *> items = alloc(80);

	on_cpu(1, [&] { free(&items); });
	ASSERT_GE(depot(), 40u);
	unsigned imports = source.imports;
	uint64_t before = depot(), misses = stats().alloc_misses;
	items.push_back(alloc());
	EXPECT_EQ(depot(), before - 12u);
	EXPECT_EQ(stash_mags(), 2u);
	EXPECT_TRUE(nothing_lost(1));
	for (unsigned i = 0; i < 11; i++)
		items.push_back(alloc());
	EXPECT_EQ(depot(), before - 12u);
	EXPECT_EQ(stats().alloc_misses, misses + 3);
	EXPECT_EQ(source.imports, imports);
	free(&items);
}

TEST_F(MagStashTest, OthersTakeOneMagazineEachWhileItIsShort)
{
	restart_with(2);
	init(4, 0, 1, 4);
	std::vector<void *> items = alloc(80);

	on_cpu(1, [&] { free(&items); });
	uint64_t before = depot();
	source.set_short(true);
	items.push_back(alloc());
	EXPECT_EQ(depot(), before - 4u);
	EXPECT_EQ(stash_mags(), 0u);
	source.set_short(false);
	free(&items);
}

/* All CPUs together hold no more than the bound; three quarters of it are theirs. */
TEST_F(MagStashTest, StashesCountAgainstTheBound)
{
	for (unsigned cpus : {1u, 2u, 4u, 7u}) {
		for (uint64_t bound : {7u, 64u, 128u, 500u, 1000u, 5000u}) {
			restart_with(cpus);
			init(8, bound, 1, MAG_STASH_MAX);
			uint64_t own =
			    (uint64_t)cpus * (2 + cache.stash_limit) * cache.rounds_limit;

			EXPECT_EQ(own + cache.depot_limit, bound);
			if (cache.stash_limit != 0) {
				EXPECT_GE(cache.depot_limit, bound / 4) << cpus << " " << bound;
			}
			std::vector<void *> items = alloc(2 * bound);
			on_all_cpus([&] {
				size_t share = items.size() / cpus, first = share * arch_cpu_id();
				for (size_t i = first; i < first + share; i++)
					free(items[i]);
			});
			for (size_t i = items.size() / cpus * cpus; i < items.size(); i++)
				free(items[i]);
			EXPECT_LE(mag_cache_cached(&cache), bound);
			EXPECT_TRUE(nothing_lost(0)) << cpus << " " << bound;
			mag_cache_destroy(&cache);
			initialized_ = false;
		}
	}
}

TEST_F(MagStashTest, LittleIsForTheDepotAndNotForStashes)
{
	restart_with(4);
	init(8, 2 * 4 * 8, 1, 8);
	EXPECT_EQ(cache.stash_limit, 0u);
	mag_cache_destroy(&cache);
	init(8, 40 * 4 * 8, 1, 8);
	EXPECT_EQ(cache.stash_limit, 8u);
}

/* What the depot has no room for goes home; what it has room for stays. */
TEST_F(MagStashTest, ADepotWithoutRoomForAllTakesSome)
{
	init(8, 128, 1, MAG_STASH_MAX);
	ASSERT_EQ(cache.stash_limit, 10u);
	ASSERT_EQ(cache.depot_limit, 32u);
	std::vector<void *> items = alloc(300);

	free(&items);
	EXPECT_EQ(depot(), 32u);
	EXPECT_LE(mag_cache_cached(&cache), 128u);
	EXPECT_GE(mag_cache_cached(&cache), 32u + 5 * 8u);
	EXPECT_GT(source.releases, 1u);
	EXPECT_TRUE(nothing_lost(0));
}

TEST_F(MagStashTest, DrainsFindIt)
{
	restart_with(3);
	init(4, 0, 1, 4);
	on_all_cpus([&] {
		std::vector<void *> items = alloc(24);
		free(&items);
		EXPECT_EQ(stash_mags(), 4u);
	});
	EXPECT_EQ(depot(), 0u);
	EXPECT_EQ(mag_cache_drain_local(&cache), 24u);
	EXPECT_EQ(stash_mags(), 0u);
	EXPECT_EQ(mag_cache_cached(&cache), 48u);
	EXPECT_EQ(mag_cache_drain(&cache), 48u);
	EXPECT_EQ(source.out(), 0u);
	EXPECT_TRUE(nothing_lost(0));
}

TEST_F(MagStashTest, AnIdleCpuGivesHalfOfItEachTime)
{
	init(4, 0, 1, 8);
	std::vector<void *> items = alloc(40);

	free(&items);
	ASSERT_EQ(stash_mags(), 8u);
	mag_cache_idle(&cache); /* nobody knows yet whether it is idle */
	mag_cache_age(&cache);
	mag_cache_idle(&cache);
	EXPECT_EQ(stash_mags(), 8u);
	mag_cache_idle(&cache); /* only once for each age */
	EXPECT_EQ(stash_mags(), 8u);
	for (unsigned left : {4u, 2u, 1u, 0u, 0u}) {
		(void)atomic32_add(&cache.age, 1, MO_RELAXED);
		mag_cache_idle(&cache);
		EXPECT_EQ(stash_mags(), left);
	}
	EXPECT_EQ(depot(), 32u);
	EXPECT_TRUE(nothing_lost(0));
}

TEST_F(MagStashTest, ABusyCpuKeepsIt)
{
	init(4, 0, 1, 8);
	std::vector<void *> items = alloc(40);

	free(&items);
	for (unsigned i = 0; i < 5; i++) {
		mag_cache_age(&cache);
		mag_cache_idle(&cache);
		items = alloc(12);
		free(&items);
	}
	EXPECT_EQ(stash_mags(), 8u);
}

TEST_F(MagStashTest, ManyAtOnceAreCountedAsIfOneByOne)
{
	init(8, 0, 1, 8);
	std::vector<void *> items = alloc(80);
	void *many[100];

	free(&items);
	struct mag_cache_stats before = stats();
	EXPECT_EQ(mag_cache_alloc_many(&cache, many, 30), 30u);
	EXPECT_TRUE(nothing_lost(30));
	EXPECT_EQ(stats().allocs, before.allocs + 30);
	mag_cache_free_many(&cache, many, 30);
	EXPECT_EQ(stats().frees, before.frees + 30);
	EXPECT_EQ(stats().cached, 80u);
	/* No more than there are, without import; and none twice. */
	EXPECT_EQ(mag_cache_alloc_many(&cache, many, 100), 80u);
	EXPECT_EQ(std::set<void *>(many, many + 80).size(), 80u);
	EXPECT_EQ(mag_cache_alloc_many(&cache, many, 1), 0u);
	EXPECT_EQ(source.imports, 10u);
	mag_cache_free_many(&cache, many, 0);
	mag_cache_free_many(&cache, many, 80);
	EXPECT_TRUE(nothing_lost(0));
	EXPECT_EQ(source.releases, 0u);
}

TEST_F(MagStashTest, ManyAtOnceGoHomeWhereNothingIsKept)
{
	init(8, 0, 1, 8);
	std::vector<void *> items = alloc(200);

	source.set_short(true);
	mag_cache_free_many(&cache, items.data(), 200);
	EXPECT_EQ(source.out(), mag_cache_cached(&cache));
	EXPECT_EQ(stats().frees, 200u);
	source.set_short(false);
	EXPECT_TRUE(nothing_lost(0));
}

TEST_F(MagStashTest, AnAuditSeesWhatIsBroken)
{
	init(4, 0, 1, 8);
	std::vector<void *> items = alloc(40);
	struct mag_cpu *part = mag_cpu_self(&cache);
	struct mag *stash;

	free(&items);
	stash = part->stash;
	auto broken = [&] {
		report_text()->clear();
		return mag_cache_audit(&cache, report_collect);
	};

	EXPECT_EQ(broken(), 0u);
	part->stash_mags--;
	EXPECT_NE(broken(), 0u);
	part->stash_mags++;
	stash->count--;
	EXPECT_NE(broken(), 0u);
	stash->count++;
	part->stash = part->previous;
	EXPECT_NE(broken(), 0u);
	part->stash = stash;
	EXPECT_EQ(broken(), 0u);
}

} // namespace
} // namespace quire
