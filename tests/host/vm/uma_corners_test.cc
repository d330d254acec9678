/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What mutants of the zones showed to be untested: exact figures, sums and bounds at the places
 * where one more or one less makes a difference.
 */
#include "smp/preempt.h"
#include "smp/spinlock.h"
#include "tests/host/vm/uma_fixture.h"
#include "vm/vm_phys.h"

namespace quire
{

class UmaCornersTest : public UmaTest
{
      protected:
	/* A zone that has no part of the CPUs' areas: each item comes from its slab, and goes
	 * there. */
	uma_zone_t uncached(size_t size, bool debug = false)
	{
		while (percpu_lines_alloc(1) != 0)
			;
		uma_zone_t z = zone(size, debug);

		EXPECT_EQ(z->cache.lines, 0u);
		return z;
	}

	static std::vector<void *> take(uma_zone_t z, unsigned count)
	{
		std::vector<void *> items;

		for (unsigned i = 0; i < count; i++)
			items.push_back(uma_zalloc(z, M_NOWAIT));
		return items;
	}

	static void give(uma_zone_t z, const std::vector<void *> &items)
	{
		for (void *item : items)
			uma_zfree(z, item);
	}

	/* The number that the audit returns is that of its lines. */
	static size_t audit_counted()
	{
		audit_lines()->clear();
		unsigned broken = uma_audit(audit_collect);

		EXPECT_EQ(broken, audit_lines()->size());
		return audit_lines()->size();
	}
};

/* --- Shapes, against the rule in words --- */

static unsigned wasted(const struct uma_shape *shape, unsigned pages)
{
	return pages * PAGE_SIZE - PAGE_SIZE * pages / shape->slot * shape->slot;
}

/* The smallest run that holds 8 items and wastes an eighth at most; else what wastes least. */
static unsigned pages_by_the_rule(const struct uma_shape *shape)
{
	unsigned best = 0;

	for (unsigned pages = shape->pages_min; pages <= UMA_SLAB_PAGES_MAX; pages++) {
		if ((pages & (pages - 1)) != 0)
			continue;
		if (PAGE_SIZE * pages / shape->slot >= 8 &&
		    wasted(shape, pages) * 8 <= PAGE_SIZE * pages)
			return pages;
		if (best == 0 || wasted(shape, pages) * best < wasted(shape, best) * pages)
			best = pages;
	}
	return best;
}

TEST_F(UmaCornersTest, EveryShapeIsTheOneOfTheRule)
{
	for (size_t size = 1; size <= PAGE_SIZE; size++) {
		struct uma_shape shape;

		ASSERT_TRUE(uma_shape_init(&shape, size, 8, false)) << size;
		EXPECT_EQ(shape.header_inside, shape.slot <= 512) << size;
		EXPECT_EQ(shape.pages, shape.header_inside ? 1 : pages_by_the_rule(&shape)) << size;
		EXPECT_GE(uma_shape_capacity(&shape, shape.pages), 1u) << size;
	}
}

/* Bits behind a slab's last item are no items, whatever the number of items. */
TEST_F(UmaCornersTest, SlabsHoldAsManyItemsAsTheirShapeSays)
{
	boot(1);
	for (size_t size = 8; size <= 512; size += 8) {
		uma_zone_t z = zone(size, false);
		void *first = uma_zalloc(z, M_NOWAIT);
		struct uma_slab *slab = uma_slab_of(first);
		unsigned capacity = uma_shape_capacity(&z->shape, slab->pages), unused = 0;

		for (unsigned i = 0; i < 64 * uma_slab_words(slab); i++)
			unused += (slab->bitmap[i / 64] >> i % 64 & 1) == 0;
		EXPECT_EQ(unused + slab->used, capacity) << size;
		uma_zfree(z, first);
		EXPECT_TRUE(uma_zdestroy(z));
	}
	EXPECT_TRUE(audit_ok());
}

/* --- Counts --- */

TEST_F(UmaCornersTest, EveryRequestThatGetsNothingIsCountedOnce)
{
	boot(1);
	for (bool debug : {false, true}) {
		uma_zone_t z = zone(64, debug);
		struct host_fault_plan plan = {HOST_FAULT_FROM_NTH, 1, 0, "uma_slab_create"};

		host_fault_arm(&plan);
		EXPECT_EQ(uma_zalloc(z, M_NOWAIT), nullptr);
		EXPECT_EQ(stats(z).fails, 1u);
		EXPECT_EQ(uma_zalloc(z, M_NOWAIT), nullptr);
		EXPECT_EQ(stats(z).fails, 2u);
		host_fault_disarm();
		uma_zfree(z, uma_zalloc(z, M_NOWAIT));
		EXPECT_EQ(stats(z).fails, 2u);
		EXPECT_TRUE(uma_zdestroy(z));
	}
}

/* A request that does not wait is for those who may not sleep. */
TEST_F(UmaCornersTest, ARequestWithoutWaitingIsServedWithALockHeld)
{
	struct spinlock lock;

	boot(1);
	spin_init(&lock, "outer", LOCK_RANK_MAP, 0);
	for (bool debug : {false, true}) {
		uma_zone_t z = zone(64, debug);

		spin_lock(&lock);
		void *item = uma_zalloc(z, M_NOWAIT);
		spin_unlock(&lock);
		EXPECT_NE(item, nullptr);
		uma_zfree(z, item);
	}
}

TEST_F(UmaCornersTest, AZoneWithoutALimitCountsNoPlaces)
{
	boot(1);
	uma_zone_t z = zone(64, true);
	void *item = uma_zalloc(z, M_NOWAIT);

	EXPECT_EQ(z->counted, 0u);
	uma_zfree(z, item);
	EXPECT_EQ(z->counted, 0u);
}

TEST_F(UmaCornersTest, TakingTheLimitAwayServesThoseWhoWait)
{
	boot(1);
	uma_zone_t z = zone(100, false);

	uma_zone_set_max(z, 1);
	void *item = uma_zalloc(z, M_NOWAIT), *theirs = nullptr;
	TestThread thread(0, [&] { theirs = uma_zalloc(z, M_WAITOK); });

	while (stats(z).sleeps == 0)
		thread_yield();
	uma_zone_set_max(z, 0);
	thread.join();
	EXPECT_NE(theirs, nullptr);
	uma_zfree(z, item);
	uma_zfree(z, theirs);
	EXPECT_TRUE(audit_ok());
}

/* --- Giving back --- */

TEST_F(UmaCornersTest, ReclaimSaysHowManyPagesItGaveBack)
{
	boot(2);
	for (unsigned zones : {1u, 15u, 16u, 17u, 40u}) {
		std::vector<uma_zone_t> all;

		uma_zones_reclaim();
		for (unsigned i = 0; i < zones; i++) {
			all.push_back(zone(256, false));
			give(all[i], take(all[i], 40));
		}
		uint64_t before = slab_pages();
		uint64_t given = uma_zones_reclaim();

		EXPECT_EQ(given, before - slab_pages());
		EXPECT_GE(given, 3u * zones);
		for (uma_zone_t z : all)
			EXPECT_TRUE(uma_zdestroy(z));
	}
	uma_zone_t z = zone(256, false);

	give(z, take(z, 40));
	uint64_t pages = stats(z).pages;
	EXPECT_EQ(uma_zone_reclaim(z), pages);
	EXPECT_EQ(stats(z).pages, 0u);
}

/* Where other CPUs cannot be asked, this one's own items go all the same. */
TEST_F(UmaCornersTest, ReclaimWithInterruptsOffEmptiesTheOwnCache)
{
	boot(1);
	uma_zone_t z = zone(256, false);

	give(z, take(z, 40));
	ASSERT_GT(stats(z).cached, 0u);
	arch_irq_disable();
	EXPECT_GT(uma_zone_reclaim(z), 0u);
	arch_irq_enable();
	EXPECT_EQ(stats(z).cached, 0u);
	EXPECT_EQ(stats(z).pages, 0u);
}

TEST_F(UmaCornersTest, EmptySlabsBeyondTheKeptOnesGoByThemselves)
{
	boot(1);
	uma_zone_t z = uncached(512);
	uint64_t share = 0;

	for (unsigned d = 0; d < vm_phys_domain_count(); d++)
		share += vm_phys_total_pages(d) / 256;
	uint64_t keep = share > 32 ? share : 32;

	give(z, take(z, 7 * (unsigned)(3 * keep)));
	EXPECT_EQ(stats(z).pages, keep);
	EXPECT_TRUE(audit_ok());
}

/* Slabs in kmem_map go only where one may sleep; who holds a lock may free all the same. */
TEST_F(UmaCornersTest, LargeItemsAreFreedWithALockHeldAndGivenBackLater)
{
	struct spinlock lock;

	boot(1);
	spin_init(&lock, "outer", LOCK_RANK_MAP, 0);
	uma_zone_t z = uncached(2 * PAGE_SIZE);
	std::vector<void *> items = take(z, 100);

	spin_lock(&lock);
	give(z, items);
	spin_unlock(&lock);
	EXPECT_EQ(stats(z).pages, 200u);
	EXPECT_EQ(uma_zone_reclaim(z), 200u);
	EXPECT_TRUE(audit_ok());
}

/* --- Leaks --- */

/* Enough to see what they are; those that were damaged and never come back are no leaks. */
TEST_F(UmaCornersTest, EightLeaksAreNamed)
{
	boot(1);
	kmem_free_set_strict(false);
	for (bool debug : {false, true}) {
		for (unsigned live : {1u, 7u, 8u, 9u, 40u}) {
			uma_zone_t z = zone(100, debug);
			std::vector<void *> items = take(z, live + 1);
			unsigned named = 0;
			void *last = items.back();

			items.pop_back();
			uma_zfree(z, last);
			if (debug) {
				*byte(z, last, 5) ^= 1;
				void *next = uma_zalloc(z, M_NOWAIT);

				EXPECT_NE(next, last);
				uma_zfree(z, next);
			}
			host_log_clear();
			EXPECT_FALSE(uma_zdestroy(z));
			for (const char *at = host_log();
			     (at = strstr(at, "is still allocated, by")) != nullptr; at++)
				named++;
			EXPECT_EQ(named, live < 8 ? live : 8u) << host_log();
			give(z, items);
			EXPECT_TRUE(uma_zdestroy(z));
		}
	}
}

TEST_F(UmaCornersTest, ItemsOfAZoneWithoutCacheAreCounted)
{
	boot(1);
	uma_zone_t z = uncached(100);
	std::vector<void *> items = take(z, 10);

	uma_zfree(z, items.back());
	items.pop_back();
	EXPECT_EQ(stats(z).allocs, 10u);
	EXPECT_EQ(stats(z).frees, 1u);
	EXPECT_EQ(stats(z).live, 9u);
	give(z, items);
	EXPECT_EQ(stats(z).frees, 10u);
}

/* --- Domains --- */

TEST_F(UmaCornersTest, ItemsOfEveryDomainAreFoundBeforeASlabIsMade)
{
	struct host_config config = {};

	config.cpus = 3;
	for (unsigned d = 0; d < 3; d++) {
		config.ranges[d] = {0x100000 + d * 0x4000000ul, 0x2100000 + d * 0x4000000ul, d};
		config.cpu_domains[d] = d;
	}
	config.range_count = 3;
	boot(config);
	uma_zone_t z = uncached(512);
	std::vector<void *> items[3];

	on_all_cpus([&](unsigned cpu) { items[cpu] = take(z, 7); });
	for (unsigned owner = 0; owner < 3; owner++) {
		struct host_fault_plan plan = {HOST_FAULT_FROM_NTH, 1, 0, "uma_slab_create"};

		give(z, items[owner]);
		host_fault_arm(&plan);
		on_all_cpus([&](unsigned cpu) {
			for (unsigned turn = 0; turn < 3; turn++)
				if (cpu == (owner + turn) % 3) {
					void *item = uma_zalloc(z, M_NOWAIT);

					EXPECT_NE(item, nullptr) << owner << " " << cpu;
					uma_zfree(z, item);
				}
		});
		host_fault_disarm();
		for (void *&item : items[owner])
			item = uma_zalloc(z, M_NOWAIT);
	}
	for (auto &some : items)
		give(z, some);
	EXPECT_TRUE(audit_ok());
}

/* --- Bytes of items in kmem_map --- */

TEST_F(UmaCornersTest, BytesLieTogetherUpToTheEndOfTheirPage)
{
	boot(1);
	uma_zone_t z = zone(3 * PAGE_SIZE, false);
	void *item = uma_zalloc(z, M_NOWAIT);
	size_t n;

	for (size_t offset : {size_t{0}, size_t{1}, size_t{100}, PAGE_SIZE - 1, PAGE_SIZE + 7}) {
		uma_bytes(item, offset, 3 * PAGE_SIZE, &n);
		EXPECT_EQ(n, PAGE_SIZE - offset % PAGE_SIZE);
		uma_bytes(item, offset, offset + PAGE_SIZE, &n); /* ends on the next page */
		EXPECT_EQ(n, PAGE_SIZE - offset % PAGE_SIZE);
		uma_bytes(item, offset, offset + 1, &n);
		EXPECT_EQ(n, 1u);
	}
	uma_zfree(z, item);
}

/* --- The audit --- */

TEST_F(UmaCornersTest, TheAuditCountsEachLineItWrites)
{
	boot(1);
	uma_zone_t z = zone(64, false), other = zone(48, false);
	void *item = uma_zalloc(z, M_NOWAIT), *foreign = uma_zalloc(other, M_NOWAIT);
	struct uma_slab *slab = uma_slab_of(item);

	EXPECT_EQ(audit_counted(), 0u);
	slab->domain++;
	EXPECT_GE(audit_counted(), 1u);
	slab->domain--;
	slab->used++;
	EXPECT_GE(audit_counted(), 1u);
	slab->used--;
	z->lost.value++;
	EXPECT_GE(audit_counted(), 1u);
	z->lost.value--;
	kmem_free_set_strict(false);
	uma_zfree(z, foreign);
	EXPECT_GE(audit_counted(), 1u);
	uma_reclaim();
	EXPECT_EQ(audit_counted(), 0u);
	uma_zfree(z, item);
}

/* A cache may hold an address that is behind the slab's last item. */
TEST_F(UmaCornersTest, TheAuditFindsAnAddressBehindTheLastItem)
{
	boot(1);
	uma_zone_t z = zone(120, false);
	char *item = static_cast<char *>(uma_zalloc(z, M_NOWAIT));
	struct uma_slab *slab = uma_slab_of(item);

	kmem_free_set_strict(false);
	for (char *wrong : {uma_slab_item(slab, slab->capacity), item + 8}) {
		if (uma_slab_of(wrong) != slab)
			continue;
		uma_zfree(z, wrong);
		audit_lines()->clear();
		uma_audit(audit_collect);
		ASSERT_FALSE(audit_lines()->empty());
		EXPECT_NE(audit_lines()->front().find("is not the start of an item"),
			  std::string::npos);
		uma_reclaim();
	}
	uma_zfree(z, item);
	EXPECT_TRUE(audit_ok());
}

TEST_F(UmaCornersTest, TheAuditFindsAWaiterBesideAFreePlace)
{
	boot(1);
	uma_zone_t z = zone(64, false);
	struct uma_waiter waiter = {};

	uma_zone_set_max(z, 2);
	void *a = uma_zalloc(z, M_NOWAIT), *b = uma_zalloc(z, M_NOWAIT);
	TAILQ_INSERT_TAIL(&z->waiters, &waiter, link);
	EXPECT_EQ(audit_counted(), 0u); /* no place: it waits rightly */
	z->limit = 3;
	EXPECT_EQ(audit_counted(), 1u);
	z->limit = 0;
	EXPECT_EQ(audit_counted(), 1u);
	z->limit = 2;
	TAILQ_REMOVE(&z->waiters, &waiter, link);
	uma_zfree(z, a);
	uma_zfree(z, b);
	EXPECT_TRUE(audit_ok());
}

/* --- Slabs find their pages wherever these are --- */

TEST_F(UmaCornersTest, ItemsOfManySegmentsLeadToTheirSlabs)
{
	struct host_config config = {};

	config.cpus = 1;
	for (unsigned i = 0; i < 6; i++)
		config.ranges[i] = {0x1000000ul * (2 * i + 1),
				    0x1000000ul * (2 * i + 1) + 0x200000ul * (i + 1), 0};
	config.range_count = 6;
	boot(config);
	uma_zone_t z = zone(4096, false);
	std::vector<void *> items;
	void *item;

	while ((item = uma_zalloc(z, M_NOWAIT)) != nullptr)
		items.push_back(item);
	EXPECT_GT(items.size(), 5000u);
	for (void *one : items) {
		struct uma_slab *slab = uma_slab_of(one);

		ASSERT_NE(slab, nullptr);
		ASSERT_EQ(slab->zone, z);
	}
	give(z, items);
	uma_reclaim();
	EXPECT_TRUE(audit_ok());
}

} // namespace quire
