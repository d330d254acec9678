/* SPDX-License-Identifier: BSD-2-Clause */
/* A magazine cache of numbers, and where they come from and go to. */
#ifndef QUIRE_TESTS_HOST_VM_MAG_CACHE_FIXTURE_H
#define QUIRE_TESTS_HOST_VM_MAG_CACHE_FIXTURE_H

#include <map>
#include <set>

#include "tests/host/vm/pages_fixture.h"
#include "vm/mag_cache.h"
#include "vm/mag_cache_private.h"
#include "vm/vm_param.h"

namespace quire
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

	void init(unsigned rounds_max = 8, uint64_t items_max = 0, unsigned rounds_min = 1,
		  unsigned stash_max = 0)
	{
		struct mag_cache_config c = {};

		arch_irq_enable();
		c.name = "test";
		c.rounds_min = rounds_min;
		c.rounds_max = rounds_max;
		c.items_max = items_max;
		c.stash_max = stash_max;
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

} // namespace quire

#endif
