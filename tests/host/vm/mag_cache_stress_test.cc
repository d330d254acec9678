/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUs, coroutines, threads and interrupt handlers at the same cache. */
#include "tests/host/vm/mag_cache_fixture.h"

namespace quire
{
namespace
{

/* CPUs contend for the depot: its list is changed by others between two steps. */
class MagCacheStress : public MagCacheTest, public ::testing::WithParamInterface<unsigned>
{
      protected:
	void churn_many()
	{
		void *items[20];
		unsigned n = mag_cache_alloc_many(&cache, items, 1 + host_random(20));

		mag_cache_free_many(&cache, items, n);
	}

	void rest()
	{
		mag_cache_age(&cache);
		mag_cache_idle(&cache);
	}

	void churn(unsigned rounds, unsigned most = 24)
	{
		std::vector<void *> mine;

		for (unsigned i = 0; i < rounds; i++) {
			if (mine.size() < most && host_random(2) == 0) {
				void *item = alloc();
				ASSERT_NE(item, nullptr);
				mine.push_back(item);
			} else if (!mine.empty()) {
				std::swap(mine[host_random(mine.size())], mine.back());
				free(mine.back());
				mine.pop_back();
			}
			if (host_random(200) == 0)
				(void)mag_cache_drain(&cache);
			if (host_random(100) == 0)
				(void)mag_cache_trim(&cache, 8);
			if (host_random(50) == 0)
				churn_many();
			if (host_random(50) == 0)
				rest();
		}
		free(&mine);
	}
};

TEST_P(MagCacheStress, NothingIsLostWhileAllDrain)
{
	config.seed = GetParam();
	restart_with(4, HOST_COROUTINES, 200000);
	init(4, 64);
	on_all_cpus([&] { churn(1500); });
	host_set_switch_ppm(0);
	EXPECT_LE(mag_cache_cached(&cache), 64u);
	EXPECT_TRUE(nothing_lost(0));
}

TEST_P(MagCacheStress, NothingIsLostOutOfStashes)
{
	config.seed = GetParam();
	restart_with(4, HOST_COROUTINES, 200000);
	init(4, 160, 1, 3);
	ASSERT_EQ(cache.stash_limit, 3u);
	on_all_cpus([&] { churn(1500, 60); });
	host_set_switch_ppm(0);
	EXPECT_LE(mag_cache_cached(&cache), 160u);
	EXPECT_TRUE(nothing_lost(0));
}

INSTANTIATE_TEST_SUITE_P(Seeds, MagCacheStress, ::testing::Range(1u, 9u));

TEST_F(MagCacheStress, ThreadsLoseNothing)
{
	restart_with(4, HOST_THREADS);
	init(8, 200);
	on_all_cpus([&] { churn(6000); });
	EXPECT_TRUE(nothing_lost(0));
}

TEST_F(MagCacheStress, ThreadsLoseNothingOutOfStashes)
{
	restart_with(4, HOST_THREADS);
	init(4, 0, 1, 3);
	on_all_cpus([&] { churn(6000, 60); });
	EXPECT_TRUE(nothing_lost(0));
}

/* Interrupt handlers use the same cache as what they interrupt. */
static std::vector<void *> *handler_items;
static struct mag_cache *handler_cache;

static void handler()
{
	if (handler_items->size() < 10) {
		void *item = mag_cache_alloc(handler_cache);
		if (item == nullptr)
			item = mag_cache_alloc_slow(handler_cache, Source::FLAGS);
		handler_items->push_back(item);
		return;
	}
	while (!handler_items->empty()) {
		if (!mag_cache_free(handler_cache, handler_items->back()))
			mag_cache_free_slow(handler_cache, handler_items->back());
		handler_items->pop_back();
	}
}

TEST_F(MagCacheTest, HandlersMayUseItAtAnyStep)
{
	std::vector<void *> taken, items;

	init(4);
	arch_irq_enable();
	handler_items = &taken;
	handler_cache = &cache;
	arch_ipi_set_handler(ARCH_IPI_SHOOTDOWN, handler);
	host_set_watch(
	    [](enum arch_hook_kind, const volatile void *, void *) {
		    if (arch_irq_enabled() && host_random(6) == 0)
			    arch_ipi_send(0, ARCH_IPI_SHOOTDOWN);
	    },
	    nullptr);
	for (unsigned i = 0; i < 3000; i++) {
		items = alloc(1 + (unsigned)host_random(9));
		free(&items);
	}
	host_set_watch(nullptr, nullptr);
	EXPECT_TRUE(nothing_lost(taken.size()));
	EXPECT_GT(arch_restarts(), 100u);
	free(&taken);
}

} // namespace
} // namespace quire
