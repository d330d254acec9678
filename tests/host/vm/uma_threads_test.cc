/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Zones on several CPUs at once: with chosen and drawn switches between any two steps, and on real
 * threads for the thread sanitizer. Every item is filled with its owner's mark while it is held.
 */
#include "arch/ipi.h"
#include "smp/spinlock.h"
#include "tests/host/vm/uma_fixture.h"
#include "vm/vm_phys.h"

namespace quire
{

namespace
{

/* A CPU's share of the work; draws its own numbers, so that it is the same in both modes. */
class Worker
{
      public:
	Worker(unsigned cpu, uint64_t seed) : state_(seed * 1000 + cpu + 1), mark_((int)cpu + 1)
	{
	}

	uint64_t draw(uint64_t limit)
	{
		state_ = state_ * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		return (state_ >> 33) % limit;
	}

	void take(uma_zone_t zone, int flags)
	{
		void *item = uma_zalloc(zone, flags);

		if (item == nullptr) {
			failed_++;
			return;
		}
		uma_bytes_fill(item, 0, uma_zone_item_size(zone), mark_);
		held_.push_back({zone, item});
	}

	void give()
	{
		if (held_.empty())
			return;
		size_t i = draw(held_.size());
		auto [zone, item] = held_[i];
		size_t size = uma_zone_item_size(zone);

		EXPECT_EQ(uma_bytes_differ(item, 0, size, mark_), size);
		held_[i] = held_.back();
		held_.pop_back();
		uma_zfree(zone, item);
	}

	void give_all()
	{
		while (!held_.empty())
			give();
	}

	/* Hands an item to another CPU, or takes one from there. */
	void pass(struct spinlock *lock, std::vector<std::pair<uma_zone_t, void *>> *table)
	{
		std::pair<uma_zone_t, void *> got = {nullptr, nullptr};

		spin_lock(lock);
		if (!held_.empty() && table->size() < 50) {
			table->push_back(held_.back());
			held_.pop_back();
		} else if (!table->empty()) {
			got = table->back();
			table->pop_back();
		}
		spin_unlock(lock);
		if (got.first != nullptr)
			uma_zfree(got.first, got.second);
	}

	unsigned failed() const
	{
		return failed_;
	}

      private:
	uint64_t state_;
	int mark_;
	std::vector<std::pair<uma_zone_t, void *>> held_;
	unsigned failed_ = 0;
};

void work(Worker *worker, const std::vector<uma_zone_t> &zones, unsigned rounds,
	  struct spinlock *lock, std::vector<std::pair<uma_zone_t, void *>> *table)
{
	for (unsigned i = 0; i < rounds; i++) {
		uint64_t what = worker->draw(100);
		uma_zone_t zone = zones[worker->draw(zones.size())];

		if (what < 45)
			worker->take(zone, what % 2 ? M_NOWAIT : M_WAITOK);
		else if (what < 80)
			worker->give();
		else if (what < 96)
			worker->pass(lock, table);
		else if (what < 98)
			uma_zone_reclaim(zone);
		else if (what < 99)
			uma_reclaim();
		else
			uma_prealloc(zone, 20);
	}
	worker->give_all();
}

} // namespace

class UmaThreadsTest : public UmaTest
{
      protected:
	void run(const struct host_config &config, unsigned rounds, bool debug)
	{
		std::vector<uma_zone_t> zones;
		std::vector<std::pair<uma_zone_t, void *>> table;
		struct spinlock lock;

		boot(config);
		spin_init(&lock, "table", LOCK_RANK_KERNEL, 0);
		for (size_t size : {24, 300, 2048, 6000})
			zones.push_back(zone(size, debug));
		on_all_cpus([&](unsigned cpu) {
			Worker worker(cpu, config.seed);

			work(&worker, zones, rounds, &lock, &table);
		});
		for (auto [zone, item] : table)
			uma_zfree(zone, item);
		EXPECT_TRUE(audit_ok());
		for (uma_zone_t zone : zones) {
			EXPECT_EQ(uma_zone_get_cur(zone), 0);
			EXPECT_TRUE(uma_zdestroy(zone));
		}
		EXPECT_EQ(slab_pages(), 0u);
		EXPECT_TRUE(audit_ok());
		shut_down();
	}
};

TEST_F(UmaThreadsTest, InCoroutinesThatSwitchAtAnyStep)
{
	for (uint64_t seed = 1; seed <= 12; seed++) {
		struct host_config config = {};

		config.cpus = 2 + (unsigned)seed % 3;
		config.seed = seed;
		config.switch_ppm = seed % 2 ? 200000 : 20000;
		run(config, 300, seed % 4 < 2);
	}
}

TEST_F(UmaThreadsTest, InThreads)
{
	for (bool debug : {false, true}) {
		struct host_config config = {};

		config.cpus = 4;
		config.mode = HOST_THREADS;
		run(config, 1500, debug);
	}
}

/* Another zone comes and goes on one CPU while the others reclaim and visit them all. */
TEST_F(UmaThreadsTest, ZonesComeAndGoWhileOthersVisitThem)
{
	for (uint64_t seed = 0; seed <= 12; seed++) {
		struct host_config config = {};

		config.cpus = 3;
		config.mode = seed == 0 ? HOST_THREADS : HOST_COROUTINES;
		config.seed = seed;
		config.switch_ppm = 300000;
		boot(config);
		on_all_cpus([](unsigned cpu) {
			for (unsigned i = 0; i < 30; i++) {
				if (cpu == 0) {
					uma_zones_reclaim();
					uma_zone_foreach(
					    [](void *, uma_zone_t z) {
						    ASSERT_STREQ(stats(z).name, "brief");
					    },
					    nullptr);
					continue;
				}
				uma_zone_t z = uma_zcreate("brief", 100, nullptr, nullptr, nullptr,
							   nullptr, 7, 0);
				void *item = uma_zalloc(z, M_WAITOK);

				uma_zfree(z, item);
				EXPECT_TRUE(uma_zdestroy(z));
			}
		});
		EXPECT_TRUE(audit_ok());
		shut_down();
	}
}

TEST_F(UmaThreadsTest, DestroyWaitsForThoseWhoVisit)
{
	boot(1);
	uma_zone_t z = zone(100, false), visited = uma_zone_next(nullptr);
	bool destroyed = false;

	ASSERT_EQ(visited, z);
	TestThread thread(0, [&] {
		EXPECT_TRUE(uma_zdestroy(z));
		destroyed = true;
	});
	for (unsigned i = 0; i < 20; i++)
		thread_yield();
	EXPECT_FALSE(destroyed);
	/* Nobody finds it any more. */
	EXPECT_EQ(uma_zone_next(nullptr), nullptr);
	uma_zone_unpin(visited);
	thread.join();
	EXPECT_TRUE(destroyed);
	EXPECT_TRUE(audit_ok());
}

/* One CPU's cache has the last items; another one gets them all the same. */
TEST_F(UmaThreadsTest, WhatOneCpuHoardsAnotherCanHave)
{
	boot(2);
	for (size_t size : {64, 4096}) {
		uma_zone_t z = zone(size, false);
		struct host_fault_plan plan = {HOST_FAULT_FROM_NTH, 1, 0, "uma_slab_create"};
		std::vector<void *> items;
		uint64_t capacity;

		uma_prealloc(z, 30);
		capacity = stats(z).free_items;
		host_fault_arm(&plan);
		on_all_cpus([&](unsigned cpu) {
			if (cpu != 1)
				return;
			for (uint64_t i = 0; i < capacity; i++)
				items.push_back(uma_zalloc(z, M_NOWAIT));
			for (void *item : items)
				uma_zfree(z, item);
		});
		ASSERT_GT(stats(z).cached, 0u);
		for (uint64_t i = 0; i < capacity; i++)
			ASSERT_NE(items[i] = uma_zalloc(z, M_NOWAIT), nullptr) << size << " " << i;
		EXPECT_EQ(uma_zalloc(z, M_NOWAIT), nullptr);
		host_fault_disarm();
		for (void *item : items)
			uma_zfree(z, item);
		EXPECT_TRUE(audit_ok());
		EXPECT_TRUE(uma_zdestroy(z));
	}
}

/* Each CPU gets memory of its own domain while there is some, and items go home when freed. */
TEST_F(UmaThreadsTest, ItemsAreOfTheCpusOwnDomain)
{
	struct host_config config = {};

	config.cpus = 2;
	config.ranges[0] = {0x100000, 0x2100000, 0};
	config.ranges[1] = {0x4000000, 0x6000000, 1};
	config.range_count = 2;
	config.cpu_domains[1] = 1;
	boot(config);
	uma_zone_t z = zone(512, false);
	std::vector<void *> items[2];

	on_all_cpus([&](unsigned cpu) {
		for (unsigned i = 0; i < 200; i++) {
			items[cpu].push_back(uma_zalloc(z, M_WAITOK));
			EXPECT_EQ(uma_slab_of(items[cpu][i])->domain, cpu);
		}
	});
	/* The other CPU's. */
	on_all_cpus([&](unsigned cpu) {
		for (void *item : items[1 - cpu])
			uma_zfree(z, item);
	});
	mag_cache_drain(&z->cache);
	for (unsigned d = 0; d < 2; d++) {
		EXPECT_GE(z->kegs[d].free_items, 200u);
		EXPECT_EQ(z->kegs[d].pages, z->kegs[d].empty_pages);
	}
	EXPECT_TRUE(audit_ok());
}

/* A CPU without memory of its own uses that of the domain it is told is nearest, and no more
 * slabs than others would. */
TEST_F(UmaThreadsTest, AnEmptyDomainIsNoReasonForMoreSlabs)
{
	struct host_config config = {};

	config.cpus = 2;
	config.ranges[0] = {0x100000, 0x2100000, 0};
	config.ranges[1] = {0x4000000, 0x4200000, 1};
	config.range_count = 2;
	config.cpu_domains[1] = 1;
	boot(config);
	std::vector<vm_page_t> taken;
	vm_page_t page;

	while (vm_phys_free_pages(1) > 0 &&
	       (page = vm_page_alloc_contig(nullptr, 0, VM_ALLOC_INTERRUPT | VM_ALLOC_NOOBJ, 1,
					    0x4000000, 0x4200000, PAGE_SIZE, 0,
					    VM_MEMATTR_DEFAULT)) != nullptr)
		taken.push_back(page);
	uma_zone_t z = zone(512, false);

	on_all_cpus([&](unsigned cpu) {
		std::vector<void *> items;

		for (unsigned i = 0; cpu == 1 && i < 500; i++)
			items.push_back(uma_zalloc(z, M_WAITOK));
		for (void *item : items)
			uma_zfree(z, item);
	});
	EXPECT_LE(stats(z).pages, 500 * 512 / PAGE_SIZE * 3 / 2);
	for (vm_page_t m : taken)
		vm_page_free(m);
	EXPECT_TRUE(audit_ok());
}

} // namespace quire
