/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm/mag_cache.h"

#include <map>
#include <set>

#include "tests/host/vm/pages_fixture.h"
#include "vm/mag_cache_private.h"
#include "vm/vm_param.h"

namespace quire
{
namespace
{

/* Where a test's items come from and go to: numbers from 1 on. Under a latch, not a spinlock. */
class Source
{
      public:
	unsigned limit = 1000000; /* items that exist */
	unsigned short_now = 0;   /* is_short says so */
	unsigned imports = 0, releases = 0, last_want = 0;
	bool irq_was_enabled = false;

	static unsigned import(void *ctx, void **items, unsigned want, int flags)
	{
		auto *self = static_cast<Source *>(ctx);
		unsigned n = 0;

		bool irq = arch_irq_enabled();

		EXPECT_EQ(flags, FLAGS);
		self->lock();
		self->irq_was_enabled = irq;
		self->imports++;
		self->last_want = want;
		for (; n < want; n++) {
			uintptr_t item = self->next();
			if (item == 0)
				break;
			items[n] = reinterpret_cast<void *>(item);
		}
		self->unlock();
		return n;
	}

	static void release(void *ctx, void **items, unsigned count)
	{
		auto *self = static_cast<Source *>(ctx);

		EXPECT_GT(count, 0u);
		self->lock();
		self->releases++;
		for (unsigned i = 0; i < count; i++)
			EXPECT_EQ(self->out_.erase(reinterpret_cast<uintptr_t>(items[i])), 1u);
		self->unlock();
	}

	static bool is_short(void *ctx)
	{
		return __atomic_load_n(&static_cast<Source *>(ctx)->short_now, __ATOMIC_RELAXED);
	}

	void set_short(bool on)
	{
		__atomic_store_n(&short_now, on, __ATOMIC_RELAXED);
	}

	/* Imported and not released. */
	size_t out() const
	{
		return out_.size();
	}

	enum { FLAGS = 7 };

      private:
	uintptr_t next()
	{
		for (unsigned tries = 0; tries < limit; tries++) {
			last_ = last_ % limit + 1;
			if (out_.insert(last_).second)
				return last_;
		}
		return 0;
	}

	/* A drained CPU's handler may come between: so with interrupts off. */
	void lock()
	{
		bool irq = arch_irq_save();

		spin_lock(&lock_);
		irq_ = irq;
	}

	void unlock()
	{
		bool irq = irq_;

		spin_unlock(&lock_);
		arch_irq_restore(irq);
	}

	struct spinlock lock_ = SPINLOCK_INIT("test items", LOCK_RANK_NONE);
	bool irq_ = false;
	std::set<uintptr_t> out_;
	uintptr_t last_ = 0;
};

class MagCacheTest : public PagesTest
{
      protected:
	MagCacheTest()
	{
		config_one_range(32 * MIB);
	}

	void TearDown() override
	{
		if (initialized_) {
			mag_cache_destroy(&cache);
			EXPECT_EQ(source.out(), 0u);
			EXPECT_EQ(percpu_lines_used(), lines_before_);
		}
		PagesTest::TearDown();
	}

	void init(unsigned rounds_max = 8, uint64_t items_max = 0, unsigned rounds_min = 1)
	{
		struct mag_cache_config c = {};

		arch_irq_enable();
		c.name = "test";
		c.rounds_min = rounds_min;
		c.rounds_max = rounds_max;
		c.items_max = items_max;
		c.import = Source::import;
		c.release = Source::release;
		c.is_short = Source::is_short;
		c.ctx = &source;
		lines_before_ = percpu_lines_used();
		EXPECT_EQ(mag_cache_init(&cache, &c), KERN_SUCCESS);
		initialized_ = true;
	}

	void restart_with(unsigned cpus, enum host_mode mode = HOST_COROUTINES,
			  uint32_t switch_ppm = 0)
	{
		config.cpus = cpus;
		config.mode = mode;
		config.switch_ppm = switch_ppm;
		restart();
	}

	void *alloc()
	{
		void *item = mag_cache_alloc(&cache);

		return item != nullptr ? item : mag_cache_alloc_slow(&cache, Source::FLAGS);
	}

	void free(void *item)
	{
		if (!mag_cache_free(&cache, item))
			mag_cache_free_slow(&cache, item);
	}

	std::vector<void *> alloc(unsigned n)
	{
		std::vector<void *> items;

		for (unsigned i = 0; i < n; i++) {
			items.push_back(alloc());
			EXPECT_NE(items.back(), nullptr);
		}
		return items;
	}

	void free(std::vector<void *> *items)
	{
		for (void *item : *items)
			free(item);
		items->clear();
	}

	struct mag_cache_stats stats(unsigned cpu = 0)
	{
		struct mag_cache_stats s;

		mag_cache_cpu_stats(&cache, cpu, &s);
		return s;
	}

	/* Each item in the cache, and the CPU or depot that has it. */
	std::multimap<uintptr_t, int> visited()
	{
		std::multimap<uintptr_t, int> all;

		mag_cache_visit(
		    &cache,
		    [](void *arg, void *item, int cpu) {
			    static_cast<std::multimap<uintptr_t, int> *>(arg)->emplace(
				reinterpret_cast<uintptr_t>(item), cpu);
		    },
		    &all);
		return all;
	}

	/* Nothing is lost: what is out of the source is held or cached, and cached once. */
	::testing::AssertionResult nothing_lost(size_t held)
	{
		auto all = visited();
		std::set<uintptr_t> once;

		for (auto &entry : all)
			once.insert(entry.first);
		if (once.size() != all.size())
			return ::testing::AssertionFailure() << "an item is cached twice";
		if (all.size() != mag_cache_cached(&cache))
			return ::testing::AssertionFailure()
			       << all.size() << " cached, counted " << mag_cache_cached(&cache);
		if (all.size() + held != source.out())
			return ::testing::AssertionFailure() << all.size() << " cached, " << held
							     << " held, out " << source.out();
		report_text()->clear();
		if (mag_cache_audit(&cache, report_collect) != 0)
			return ::testing::AssertionFailure() << *report_text();
		return ::testing::AssertionSuccess();
	}

	Source source;
	struct mag_cache cache = {};
	bool initialized_ = false;
	unsigned lines_before_ = 0;
};

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

/* CPUs contend for the depot: its list is changed by others between two steps. */
class MagCacheStress : public MagCacheTest, public ::testing::WithParamInterface<unsigned>
{
      protected:
	void churn(unsigned rounds)
	{
		std::vector<void *> mine;

		for (unsigned i = 0; i < rounds; i++) {
			if (mine.size() < 24 && host_random(2) == 0) {
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

INSTANTIATE_TEST_SUITE_P(Seeds, MagCacheStress, ::testing::Range(1u, 9u));

TEST_F(MagCacheStress, ThreadsLoseNothing)
{
	restart_with(4, HOST_THREADS);
	init(8, 200);
	on_all_cpus([&] { churn(6000); });
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
