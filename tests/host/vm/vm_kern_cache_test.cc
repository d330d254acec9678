/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm/vm_kern_cache.h"

#include <map>
#include <random>
#include <set>

#include "smp/shootdown.h"
#include "tests/host/vm/vm_fixture.h"
#include "vm/uma.h"
#include "vm/vm_map_private.h"
#include "vm/vm_page.h"

namespace
{

class KmemCacheTest : public quire::VmTest
{
      protected:
	KmemCacheTest()
	{
		kmem_caches_ = true;
	}

	static uint64_t allocated()
	{
		struct vm_accounting acc;

		vm_accounting(&acc);
		return acc.allocated;
	}

	static uint64_t shootdowns()
	{
		struct shootdown_stats stats;
		uint64_t sum = 0;

		shootdown_stats(&stats);
		for (uint64_t requests : stats.requests)
			sum += requests;
		return sum;
	}

	static vm_offset_t take(unsigned npages, int flags = M_NOWAIT)
	{
		return kmem_malloc(kmem_map, ptoa(npages), flags);
	}

	static void give(vm_offset_t addr, unsigned npages)
	{
		kmem_free(kmem_map, addr, ptoa(npages));
	}
};

using KmemCacheDeathTest = KmemCacheTest;

TEST_F(KmemCacheDeathTest, ASecondFreeIsDiagnosed)
{
	GTEST_FLAG_SET(death_test_style, "fast");
	boot(1);
	kmem_free_set_strict(true);
	vm_offset_t addr = take(4);
	give(addr, 4);
	EXPECT_DEATH(give(addr, 4), "kmem_free.kmem_map, .*not all of it is allocated");
	EXPECT_DEATH(give(addr + PAGE_SIZE, 1), "kmem_free.kmem_map, .*not all of it is allocated");
}

TEST_F(KmemCacheTest, TheSameRangeComesBackStillMapped)
{
	boot(2);
	for (unsigned npages = 1; npages <= KMEM_CACHE_PAGES_MAX; npages++) {
		vm_offset_t addr = take(npages);

		ASSERT_NE(addr, 0u);
		host_store64(addr + ptoa(npages) - 8, 1234);
		uint64_t before = shootdowns();
		give(addr, npages);
		EXPECT_EQ(take(npages), addr);
		EXPECT_EQ(shootdowns(), before);
		EXPECT_EQ(host_load64(addr + ptoa(npages) - 8), 1234u);
		give(addr, npages);
		EXPECT_TRUE(audit_ok());
	}
}

TEST_F(KmemCacheTest, CachedIsNotAllocated)
{
	uint64_t before;

	boot(1);
	before = allocated();
	vm_offset_t addr = take(3);
	EXPECT_EQ(allocated(), before + 3);
	give(addr, 3);
	EXPECT_EQ(allocated(), before);
	EXPECT_GE(kmem_cache_cached_pages(), 3u);
	EXPECT_TRUE(audit_ok());
	EXPECT_GE(kmem_cache_drain(), 3u);
	EXPECT_EQ(kmem_cache_cached_pages(), 0u);
	EXPECT_EQ(kmem_map->nentries, 0u);
	EXPECT_EQ(allocated(), before);
	EXPECT_TRUE(audit_ok());
}

TEST_F(KmemCacheTest, ZeroedMeansZeroed)
{
	boot(1);
	for (int round = 0; round < 3; round++) {
		vm_offset_t addr = take(2, M_NOWAIT | M_ZERO);

		for (vm_offset_t va = addr; va < addr + ptoa(2); va += 8)
			ASSERT_EQ(host_load64(va), 0u);
		host_fill(addr, 0xee, ptoa(2));
		give(addr, 2);
	}
}

/* What an idle CPU has zeroed is found by who wants zeroes, and is as good as any for others. */
TEST_F(KmemCacheTest, IdleCpusZeroWhatIsAskedFor)
{
	struct mag_cache_stats stats;

	boot(1);
	EXPECT_FALSE(kmem_cache_idle());
	vm_offset_t addr = take(4, M_NOWAIT | M_ZERO);
	host_fill(addr, 0xee, ptoa(4));
	give(addr, 4);
	EXPECT_TRUE(kmem_cache_idle());
	EXPECT_FALSE(kmem_cache_idle());
	kmem_cache_zeroed_stats(4, MAG_CACHE_ALL, &stats);
	EXPECT_EQ(stats.cached, 1u);
	EXPECT_TRUE(audit_ok());
	EXPECT_EQ(take(4, M_NOWAIT | M_ZERO), addr);
	for (vm_offset_t va = addr; va < addr + ptoa(4); va += 8)
		ASSERT_EQ(host_load64(va), 0u);
	kmem_cache_zeroed_stats(4, 0, &stats);
	EXPECT_EQ(stats.cached, 0u);
	give(addr, 4);
	EXPECT_TRUE(audit_ok());
	/* 3 pages have no such cache. */
	kmem_cache_zeroed_stats(3, MAG_CACHE_ALL, &stats);
	EXPECT_EQ(stats.allocs, 0u);
}

TEST_F(KmemCacheTest, ZeroedRangesServeOthersBeforeAnImport)
{
	boot(1);
	vm_offset_t addr = take(16, M_NOWAIT | M_ZERO);
	give(addr, 16);
	ASSERT_TRUE(kmem_cache_idle());
	std::set<vm_offset_t> ranges;
	vm_size_t in_use = kmem_map->size;
	while (kmem_map->size == in_use)
		ASSERT_TRUE(ranges.insert(take(16)).second);
	/* The zeroed one went before more was mapped. */
	EXPECT_EQ(ranges.count(addr), 1u);
	for (vm_offset_t range : ranges)
		give(range, 16);
	EXPECT_TRUE(audit_ok());
	uma_reclaim();
	EXPECT_EQ(kmem_map->nentries, 0u);
}

TEST_F(KmemCacheTest, ADrainTakesZeroedRangesAsWell)
{
	boot(1);
	give(take(2, M_NOWAIT | M_ZERO), 2);
	ASSERT_TRUE(kmem_cache_idle());
	EXPECT_GT(kmem_cache_drain(), 0u);
	EXPECT_EQ(kmem_cache_cached_pages(), 0u);
	EXPECT_EQ(kmem_map->nentries, 0u);
	EXPECT_TRUE(audit_ok());
}

TEST_F(KmemCacheTest, RangesOfAMissLieSideBySide)
{
	std::set<vm_offset_t> ranges;

	boot(1);
	for (int i = 0; i < 16; i++)
		ranges.insert(take(4));
	ASSERT_EQ(ranges.size(), 16u);
	unsigned pieces = 0;
	for (vm_offset_t addr : ranges)
		pieces += ranges.count(addr - ptoa(4)) == 0;
	EXPECT_LE(pieces, 3u);
	EXPECT_EQ(kmem_map->nentries, 1u);
	for (vm_offset_t addr : ranges)
		give(addr, 4);
	EXPECT_TRUE(audit_ok());
}

TEST_F(KmemCacheTest, OtherFreesTakeTheLongWay)
{
	uint64_t before;

	boot(1);
	before = allocated();
	vm_offset_t addr = take(4);
	/* A part, and then the rest in two pieces. */
	kmem_free(kmem_map, addr + PAGE_SIZE, PAGE_SIZE);
	EXPECT_EQ(allocated(), before + 3);
	kmem_free(kmem_map, addr, PAGE_SIZE);
	kmem_free(kmem_map, addr + 2 * PAGE_SIZE, 2 * PAGE_SIZE);
	EXPECT_EQ(allocated(), before);
	EXPECT_TRUE(audit_ok());

	/* Two neighbours at once. */
	vm_offset_t first = take(2), second = take(2);
	ASSERT_EQ(second, first + ptoa(2));
	kmem_free(kmem_map, first, ptoa(4));
	EXPECT_EQ(allocated(), before);
	EXPECT_TRUE(audit_ok());
}

TEST_F(KmemCacheTest, BadFreesAreRefusedAndLoseNothing)
{
	uint64_t refused;

	boot(1);
	kmem_free_set_strict(false);
	vm_offset_t addr = take(4), other = take(4);
	refused = kmem_free_refused_count();
	give(addr, 4);
	give(addr, 4);
	EXPECT_EQ(kmem_free_refused_count(), ++refused);
	give(addr + PAGE_SIZE, 2);
	EXPECT_EQ(kmem_free_refused_count(), ++refused);
	/* From what is allocated into what is not. */
	vm_offset_t low = addr < other ? addr : other;
	kmem_free(kmem_map, low, ptoa(8));
	EXPECT_EQ(kmem_free_refused_count(), ++refused);
	EXPECT_TRUE(audit_ok());
	EXPECT_EQ(take(4), addr);
	give(addr, 4);
	give(other, 4);
	EXPECT_TRUE(audit_ok());
}

TEST_F(KmemCacheTest, ExecutableMemoryIsNotCached)
{
	boot(1);
	vm_offset_t addr = take(1, M_NOWAIT | M_EXEC);
	uint64_t cached = kmem_cache_cached_pages();
	give(addr, 1);
	EXPECT_EQ(kmem_cache_cached_pages(), cached);
	EXPECT_FALSE(host_load_nofault(addr, &cached, 1));
	EXPECT_TRUE(audit_ok());
}

TEST_F(KmemCacheTest, OffMeansUnmappedAtOnce)
{
	uint64_t word;

	boot(2);
	vm_offset_t early = take(2), addr = take(2);
	give(early, 2);
	kmem_cache_enable(false);
	EXPECT_FALSE(kmem_cache_enabled());
	EXPECT_EQ(kmem_cache_cached_pages(), 0u);
	give(addr, 2);
	EXPECT_FALSE(host_load_nofault(addr, &word, sizeof(word)));
	EXPECT_EQ(kmem_map->nentries, 0u);
	kmem_cache_enable(true);
	addr = take(2);
	give(addr, 2);
	EXPECT_TRUE(host_load_nofault(addr, &word, sizeof(word)));
	EXPECT_TRUE(audit_ok());
}

/* One CPU hoards, another starves: what lies in a cache is as good as free. */
TEST_F(KmemCacheTest, NothingFailsWhileACacheHasIt)
{
	struct host_config config = {};

	config.cpus = 2;
	config.ranges[0] = {0x100000, 0x100000 + (32u << 20), 0};
	config.range_count = 1;
	boot(config);
	std::vector<vm_offset_t> held;
	quire::TestThread hoarder(1, [&] {
		for (unsigned i = 0; i < 24; i++)
			held.push_back(take(2));
		for (vm_offset_t addr : held)
			give(addr, 2);
	});
	hoarder.join();
	ASSERT_GT(kmem_cache_cached_pages(), 0u);

	std::vector<vm_offset_t> got;
	for (vm_offset_t addr; (addr = take(1)) != 0;)
		got.push_back(addr);
	for (unsigned npages = 2; npages <= KMEM_CACHE_PAGES_MAX; npages++) {
		struct mag_cache_stats stats;

		kmem_cache_stats(npages, MAG_CACHE_ALL, &stats);
		EXPECT_EQ(stats.cached, 0u) << npages;
	}
	for (vm_offset_t addr : got)
		give(addr, 1);
	EXPECT_TRUE(audit_ok());
}

/* Random operations on all CPUs against what each CPU knows about its own ranges. */
TEST_F(KmemCacheTest, ManyCpusWithDrains)
{
	for (uint64_t seed = 1; seed <= 8; seed++) {
		struct host_config config = {};

		config.cpus = 3;
		config.seed = seed;
		config.switch_ppm = 20000;
		boot(config);
		uint64_t before = allocated();
		on_all_cpus([&](unsigned cpu) {
			std::minstd_rand random(unsigned(seed * 100 + cpu));
			std::map<vm_offset_t, unsigned> mine;

			for (int i = 0; i < 400; i++) {
				if (random() % 100 == 0)
					uma_reclaim();
				if (random() % 10 == 0)
					(void)kmem_cache_idle();
				if (mine.size() < 20 && random() % 2 == 0) {
					unsigned npages = random() % 16 + 1;
					bool zero = random() % 4 == 0;
					vm_offset_t addr =
					    take(npages, zero ? M_NOWAIT | M_ZERO : M_NOWAIT);

					if (addr == 0)
						continue;
					if (zero) {
						ASSERT_EQ(host_load64(addr), 0u);
						ASSERT_EQ(host_load64(addr + ptoa(npages) - 8), 0u);
					}
					mine[addr] = npages;
					host_store64(addr, addr + cpu);
					host_store64(addr + ptoa(npages) - 8, addr + cpu);
				} else if (!mine.empty()) {
					auto it = mine.begin();

					std::advance(it, random() % mine.size());
					ASSERT_EQ(host_load64(it->first), it->first + cpu);
					ASSERT_EQ(host_load64(it->first + ptoa(it->second) - 8),
						  it->first + cpu);
					give(it->first, it->second);
					mine.erase(it);
				}
			}
			for (auto &range : mine)
				give(range.first, range.second);
		});
		EXPECT_EQ(allocated(), before);
		EXPECT_TRUE(audit_ok()) << "seed " << seed;
		uma_reclaim();
		EXPECT_EQ(kmem_map->nentries, 0u);
		EXPECT_TRUE(audit_ok()) << "seed " << seed;
		shut_down();
	}
}

TEST_F(KmemCacheTest, FiguresAddUp)
{
	struct mag_cache_stats stats;

	boot(1);
	for (int i = 0; i < 10; i++)
		give(take(5), 5);
	kmem_cache_stats(5, 0, &stats);
	EXPECT_EQ(stats.allocs, 10u);
	EXPECT_EQ(stats.frees, 10u);
	EXPECT_LE(stats.alloc_misses, 1u);
	kmem_cache_stats(5, MAG_CACHE_ALL, &stats);
	EXPECT_EQ(stats.allocs, 10u);
	kmem_cache_stats(6, MAG_CACHE_ALL, &stats);
	EXPECT_EQ(stats.allocs, 0u);
}

} // namespace
