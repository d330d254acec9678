/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm/vm_pool.h"

#include <cstring>
#include <set>

#include "tests/host/vm/pages_fixture.h"

namespace quire
{
namespace
{

class VmPoolTest : public PagesTest
{
      protected:
	VmPoolTest()
	{
		config_with_holes();
	}

	void SetUp() override
	{
		PagesTest::SetUp();
		init(100, 0);
	}

	void init(size_t item_size, unsigned reserve)
	{
		vm_pool_init(&pool, "test items", item_size, reserve, LOCK_RANK_MAP_ENTRIES);
	}

	void *alloc(int how = VM_POOL_NORMAL)
	{
		return vm_pool_alloc(&pool, how, "vm_pool_test");
	}

	void free(void *item)
	{
		vm_pool_free(&pool, item);
	}

	::testing::AssertionResult pool_ok()
	{
		report_text()->clear();
		if (vm_pool_audit(&pool, report_collect) != 0)
			return ::testing::AssertionFailure() << *report_text();
		if (pages_in(VM_PAGE_META) != pool.slabs)
			return ::testing::AssertionFailure() << "slabs are not metadata pages";
		return audit_ok();
	}

	/* Nothing but magazines keeps pages back. */
	std::vector<vm_page_t> take_every_page()
	{
		std::vector<vm_page_t> pages;
		int req = VM_ALLOC_NOOBJ | VM_ALLOC_INTERRUPT;

		while (vm_page_t m = vm_page_alloc(nullptr, 0, req))
			pages.push_back(m);
		return pages;
	}

	struct vm_pool pool;
};

TEST_F(VmPoolTest, CleanItemsComeBackAsTheyWereLeft)
{
	std::set<void *> items;

	vm_pool_keep_clean(&pool);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 100; i++) {
			auto *item = static_cast<char *>(alloc());

			ASSERT_NE(item, nullptr);
			for (unsigned k = 0; k < pool.item_size; k++)
				ASSERT_EQ(item[k], 0);
			item[7] = 1;
			items.insert(item);
		}
		for (void *item : items) {
			static_cast<char *>(item)[7] = 0;
			free(item);
		}
		items.clear();
		EXPECT_TRUE(pool_ok());
	}
}

TEST_F(VmPoolTest, ItemsAreZeroedAlignedAndDistinct)
{
	std::set<void *> items;

	for (unsigned i = 0; i < 300; i++) {
		auto *item = static_cast<unsigned char *>(alloc());

		ASSERT_NE(item, nullptr);
		EXPECT_EQ((uintptr_t)item % 16, 0u);
		EXPECT_TRUE(items.insert(item).second);
		for (unsigned k = 0; k < 100; k++)
			ASSERT_EQ(item[k], 0);
		memset(item, 0xff, 100);
	}
	EXPECT_EQ(pool.used_items, 300u);
	EXPECT_TRUE(pool_ok());
	for (void *item : items)
		free(item);
	EXPECT_TRUE(pool_ok());
}

TEST_F(VmPoolTest, ItemsDoNotOverlap)
{
	for (size_t size : {1, 16, 17, 48, 64, 100, 528, 1000, 2016, 2017, 4032}) {
		std::vector<char *> items;

		init(size, 0);
		for (unsigned i = 0; i < 3 * pool.per_slab; i++) {
			items.push_back(static_cast<char *>(alloc()));
			memset(items[i], (int)i, size);
		}
		EXPECT_EQ(pool.slabs, 3u);
		for (unsigned i = 0; i < items.size(); i++)
			for (size_t k = 0; k < size; k++)
				ASSERT_EQ(items[i][k], (char)i) << size;
		EXPECT_TRUE(pool_ok());
		for (char *item : items)
			free(item);
		EXPECT_EQ(pool.slabs, 0u);
		EXPECT_TRUE(pool_ok());
	}
}

TEST_F(VmPoolTest, ReusedItemIsZeroedAgain)
{
	void *keep = alloc(), *item = alloc();

	memset(item, 0xff, 100);
	free(item);
	EXPECT_EQ(alloc(), item);
	for (unsigned k = 0; k < 100; k++)
		EXPECT_EQ(static_cast<char *>(item)[k], 0);
	free(item);
	free(keep);
}

TEST_F(VmPoolTest, EmptySlabGoesBack)
{
	uint64_t before = vm_page_free_count();
	void *item = alloc();

	EXPECT_EQ(vm_page_free_count(), before - 1);
	free(item);
	EXPECT_EQ(vm_page_free_count(), before);
	EXPECT_EQ(pool.slabs, 0u);
	EXPECT_EQ(pool.avail, nullptr);
}

TEST_F(VmPoolTest, RefillFillsTheReserveAndKeepsIt)
{
	void *item;

	init(100, 70);
	EXPECT_TRUE(vm_pool_refill(&pool));
	EXPECT_GE(pool.free_items, 70u);
	EXPECT_LT(pool.free_items, 70u + pool.per_slab);
	EXPECT_TRUE(vm_pool_refill(&pool));
	uint64_t slabs = pool.slabs;
	item = alloc();
	free(item);
	EXPECT_GE(pool.free_items, 70u);
	EXPECT_LE(pool.slabs, slabs + 1);
	EXPECT_TRUE(pool_ok());
}

TEST_F(VmPoolTest, ReserveIsOnlyForThoseWhoMayTakeIt)
{
	std::vector<vm_page_t> pages;
	std::vector<void *> items;

	init(100, 50);
	ASSERT_TRUE(vm_pool_refill(&pool));
	pages = take_every_page();
	while (void *item = alloc())
		items.push_back(item);
	EXPECT_EQ(pool.free_items, 50u);
	while (void *item = alloc(VM_POOL_RESERVE))
		items.push_back(item);
	EXPECT_EQ(pool.free_items, 0u);
	EXPECT_FALSE(vm_pool_refill(&pool));
	EXPECT_TRUE(pool_ok());

	/* What comes back fills the reserve before anybody else gets it. */
	for (unsigned i = 0; i < 50; i++) {
		free(items.back());
		items.pop_back();
		EXPECT_EQ(alloc(), nullptr);
	}
	free(items.back());
	items.back() = alloc();
	EXPECT_NE(items.back(), nullptr);
	for (void *item : items)
		free(item);
	EXPECT_GE(pool.free_items, 50u);
	EXPECT_TRUE(pool_ok());
}

TEST_F(VmPoolTest, ReserveMayTakeTheLastPage)
{
	std::vector<vm_page_t> pages = take_every_page();
	void *item;

	vm_page_free(pages.back());
	pages.pop_back();
	vm_magazine_drain();
	EXPECT_EQ(alloc(), nullptr) << "the last page is not for everybody";
	item = alloc(VM_POOL_RESERVE);
	ASSERT_NE(item, nullptr);
	free(item);
}

TEST_F(VmPoolTest, RandomUseAgreesWithASetOfItems)
{
	std::mt19937_64 random(config.seed);
	std::vector<void *> held;
	std::set<void *> items;

	init(200, 10);
	for (unsigned i = 1; i <= 100000; i++) {
		bool grow = random() % 100 < (i / 8192 % 2 == 0 ? 60 : 40);

		if (grow || held.empty()) {
			void *item = alloc(random() % 2 ? VM_POOL_NORMAL : VM_POOL_RESERVE);

			ASSERT_NE(item, nullptr);
			ASSERT_TRUE(items.insert(item).second);
			held.push_back(item);
		} else {
			std::swap(held[random() % held.size()], held.back());
			free(held.back());
			items.erase(held.back());
			held.pop_back();
		}
		ASSERT_EQ(pool.used_items, held.size());
		if (i % 4096 == 0) {
			ASSERT_TRUE(pool_ok()) << i;
		}
	}
	for (void *item : held)
		free(item);
	EXPECT_TRUE(pool_ok());
}

TEST_F(VmPoolTest, EachFailureLeavesThePoolAsItWas)
{
	for (uint64_t nth = 1;; nth++) {
		struct host_fault_plan plan = {HOST_FAULT_FROM_NTH, nth, 0, nullptr};
		void *item;

		host_fault_arm(&plan);
		item = alloc();
		bool failed = host_fault_failures() != 0;
		host_fault_disarm();
		if (item != nullptr)
			free(item);
		ASSERT_EQ(pool.used_items, 0u);
		ASSERT_EQ(pool.slabs, 0u);
		ASSERT_TRUE(pool_ok());
		if (!failed) {
			EXPECT_NE(item, nullptr);
			EXPECT_GT(nth, 2u);
			break;
		}
	}
}

TEST_F(VmPoolTest, FaultsGoByTheCallersName)
{
	struct host_fault_plan plan = {HOST_FAULT_FROM_NTH, 1, 0, "vm_pool_test"};
	void *item = alloc();

	host_fault_arm(&plan);
	EXPECT_EQ(alloc(), nullptr);
	EXPECT_EQ(host_fault_failures(), 1u);
	host_fault_disarm();
	free(item);
}

TEST_F(VmPoolTest, CpusShareAPool)
{
	config.cpus = 4;
	config.switch_ppm = 100000;
	for (unsigned seed = 1; seed <= 30; seed++) {
		config.seed = seed;
		restart();
		init(300, 5);
		on_all_cpus([this] {
			std::mt19937_64 random(config.seed * 8 + arch_cpu_id());
			std::vector<uint64_t *> held;

			for (unsigned i = 0; i < 300; i++) {
				if (random() % 2 == 0) {
					held.push_back(static_cast<uint64_t *>(alloc()));
					ASSERT_NE(held.back(), nullptr);
					*held.back() = arch_cpu_id();
				} else if (!held.empty()) {
					ASSERT_EQ(*held.back(), arch_cpu_id());
					free(held.back());
					held.pop_back();
				}
			}
			for (uint64_t *item : held)
				free(item);
		});
		ASSERT_EQ(pool.used_items, 0u);
		ASSERT_TRUE(pool_ok()) << "seed " << seed;
	}
}

/* --- Misuse --- */

using VmPoolDeathTest = VmPoolTest;

TEST_F(VmPoolDeathTest, DoubleFreeIsNamed)
{
	void *keep = alloc(), *item = alloc();

	free(item);
	EXPECT_DEATH(free(item), "pool test items: .* is freed twice");
	free(keep);
	EXPECT_DEATH(free(keep), "pool test items: .* is freed, but is no item");
}

TEST_F(VmPoolDeathTest, ForeignPointersAreNamed)
{
	struct vm_pool other;
	char *item;
	int local;

	init(528, 0); /* leaves a rest behind the last item */
	item = static_cast<char *>(alloc());

	EXPECT_DEATH(free(&local), "is freed, but is no item of a pool");
	EXPECT_DEATH(free(nullptr), "is freed, but is no item of a pool");
	EXPECT_DEATH(free(item + 16), "is not the start of an item");
	EXPECT_DEATH(free(item - 1), "is not the start of an item");
	EXPECT_DEATH(free(item + pool.per_slab * pool.item_size), "is not the start of an item");
	vm_pool_init(&other, "other items", 528, 0, LOCK_RANK_MAP_ENTRIES);
	EXPECT_DEATH(vm_pool_free(&other, item), "is an item of pool test items");
}

TEST_F(VmPoolDeathTest, ItemsThatNoSlabHoldsAreRefused)
{
	EXPECT_DEATH(init(4033, 0), "check failed");
	EXPECT_DEATH(init(0, 0), "check failed");
}

TEST_F(VmPoolTest, AuditSeesWhatIsBroken)
{
	void *item = alloc();

	pool.used_items++;
	EXPECT_FALSE(pool_ok());
	pool.used_items--;
	pool.slabs++;
	EXPECT_FALSE(pool_ok());
	pool.slabs--;
	EXPECT_TRUE(pool_ok());
	free(item);
}

/* What a slab of the pool begins with. */
struct SlabHeader {
	struct vm_pool *pool;
	SlabHeader *next, *prev;
	uint64_t used;
	uint64_t bitmap[4];
};

TEST_F(VmPoolTest, AuditSeesEachPartOfASlab)
{
	struct vm_pool other;
	std::vector<void *> items;

	for (unsigned i = 0; i < 2 * pool.per_slab + 1; i++)
		items.push_back(alloc());
	ASSERT_TRUE(pool_ok());
	auto *slab = reinterpret_cast<SlabHeader *>(pool.avail); /* the one with room */
	auto expect_found = [this](auto *field, auto value, const char *text) {
		auto before = *field;

		*field = value;
		EXPECT_FALSE(pool_ok());
		EXPECT_NE(report_text()->find(text), std::string::npos) << *report_text();
		*field = before;
	};

	expect_found(&slab->pool, &other, "is no slab of it");
	expect_found(&PHYS_TO_VM_PAGE(arch_physmap_paddr(slab))->state, uint8_t(VM_PAGE_ALLOCATED),
		     "is no slab of it");
	expect_found(&slab->next->prev, slab->next, "ring broken after slab");
	expect_found(&slab->used, slab->used + 1, "items in use, counts");
	expect_found(&slab->bitmap[0], ~UINT64_C(0), "items in use, counts");
	expect_found(&pool.avail, reinterpret_cast<struct vm_pool_slab *>(slab->next),
		     "has room and is behind a full one");
	expect_found(&pool.slabs, pool.slabs - 1, "the ring does not have its 2 slabs");
	expect_found(&pool.free_items, pool.free_items + 1, "free counted");
	EXPECT_TRUE(pool_ok());
	for (void *item : items)
		free(item);
}

TEST_F(VmPoolDeathTest, ASlabThatLiesAboutItsRoomIsFound)
{
	init(16, 0); /* the bitmap has hardly more bits than there are items */
	alloc();
	memset(reinterpret_cast<SlabHeader *>(pool.avail)->bitmap, 0xff, 32);
	EXPECT_DEATH(alloc(), "pool test items: slab .* has no free item");
}

} // namespace
} // namespace quire
