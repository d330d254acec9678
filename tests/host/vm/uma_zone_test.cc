/* SPDX-License-Identifier: BSD-2-Clause */
/* Zones: items, constructors, sizes, statistics, destruction. */
#include <algorithm>

#include "tests/host/vm/uma_fixture.h"

namespace quire
{

using UmaZoneDeathTest = UmaTest;
using UmaZoneTest = UmaTest;

TEST_F(UmaZoneDeathTest, DestroyingAZoneWithLiveItemsNamesThem)
{
	boot(1);
	uma_zone_t z = zone(100, true);
	void *item = uma_zalloc(z, M_WAITOK);

	EXPECT_DEATH(uma_zdestroy(z), "panic: uma_zdestroy: zone things has 1 items allocated"
				      "(.|\n)*zone things: 0x.* is still allocated, by 0x");
	uma_zfree(z, item);
	EXPECT_TRUE(uma_zdestroy(z));
}

TEST_F(UmaZoneDeathTest, WaitingWhereSleepingIsForbiddenIsDiagnosed)
{
	boot(1);
	for (bool debug : {false, true}) {
		uma_zone_t z = zone(100, debug);

		EXPECT_DEATH(
		    {
			    arch_irq_disable();
			    uma_zalloc(z, M_WAITOK);
		    },
		    "uma_zalloc\\(M_WAITOK\\)");
	}
}

TEST_F(UmaZoneTest, ItemsAreAlignedAndDoNotOverlap)
{
	boot(1);
	for (bool debug : {false, true}) {
		for (size_t size :
		     {1,   8,    16,   17,   48,   64,   100,  256,  511,  512,   513,
		      768, 1000, 1024, 1536, 2048, 3000, 4095, 4096, 4097, 10000, 65536}) {
			for (int align : {0, 7, 63, 1023}) {
				uma_zone_t z = zone(size, debug, align);
				unsigned count = size > PAGE_SIZE ? 5 : 40;
				std::vector<void *> items;

				ASSERT_NE(z, nullptr);
				for (unsigned i = 0; i < count; i++) {
					items.push_back(uma_zalloc(z, M_NOWAIT));
					ASSERT_NE(items[i], nullptr) << size;
					if (size <= PAGE_SIZE) {
						EXPECT_EQ((uintptr_t)items[i] & (unsigned)align,
							  0u);
					}
					fill(z, items[i], (int)(i + 1));
				}
				for (unsigned i = 0; i < count; i++)
					ASSERT_TRUE(holds(z, items[i], (int)(i + 1))) << size;
				EXPECT_EQ(uma_zone_get_cur(z), (int)count);
				ASSERT_TRUE(audit_ok());
				for (void *item : items)
					uma_zfree(z, item);
				EXPECT_EQ(uma_zone_get_cur(z), 0);
				ASSERT_TRUE(audit_ok()) << size;
				ASSERT_TRUE(uma_zdestroy(z));
			}
		}
	}
	EXPECT_EQ(slab_pages(), 0u);
	EXPECT_TRUE(audit_ok());
}

TEST_F(UmaZoneTest, SlabsWasteLittle)
{
	for (size_t size = 1; size <= PAGE_SIZE; size++) {
		struct uma_shape shape;

		ASSERT_TRUE(uma_shape_init(&shape, size, 8, false));
		unsigned items = uma_shape_capacity(&shape, shape.pages);

		ASSERT_GE(items, 1u);
		ASSERT_GE(uma_shape_capacity(&shape, shape.pages_min), 1u);
		/* Small sizes are rounded up to 16 bytes, and have a header with two bits each. */
		if (size >= 64) {
			ASSERT_LE((ptoa(shape.pages) - items * size) * 5, ptoa(shape.pages))
			    << size;
		}
	}
}

TEST_F(UmaZoneTest, PowersOfTwoFillTheirSlabs)
{
	for (size_t size : {1024, 2048, 4096}) {
		struct uma_shape shape;

		ASSERT_TRUE(uma_shape_init(&shape, size, 8, false));
		EXPECT_EQ(uma_shape_capacity(&shape, shape.pages) * size, ptoa(shape.pages));
		EXPECT_EQ(uma_shape_capacity(&shape, shape.pages_min), PAGE_SIZE / size);
	}
}

TEST_F(UmaZoneTest, SenselessArgumentsAreRefused)
{
	boot(1);
	auto create = [](size_t size, int align, uint32_t flags) {
		return uma_zcreate("odd", size, nullptr, nullptr, nullptr, nullptr, align, flags);
	};

	EXPECT_EQ(create(0, 0, 0), nullptr);
	EXPECT_EQ(create((size_t)UMA_ITEM_MAX + 1, 0, 0), nullptr);
	EXPECT_EQ(create(~(size_t)0, 0, 0), nullptr);
	EXPECT_EQ(create(8, 2, 0), nullptr);
	EXPECT_EQ(create(8, -1, 0), nullptr);
	EXPECT_EQ(create(8, INT32_MAX, 0), nullptr);
	EXPECT_EQ(create(8, 0, 0x8000), nullptr);
	EXPECT_EQ(uma_zcreate(
		      "odd", 8, nullptr, nullptr, [](void *, int, int) { return 0; }, nullptr, 0,
		      UMA_ZONE_ZINIT),
		  nullptr);
	EXPECT_NE(strstr(host_log(), "zone odd refused"), nullptr);
	EXPECT_TRUE(audit_ok());
}

TEST_F(UmaZoneTest, LongNamesAreCut)
{
	boot(1);
	uma_zone_t z = zone(8, false, 0, "a name that is much longer than a zone's name may be");

	EXPECT_STREQ(stats(z).name, "a name that is much longer than");
	EXPECT_TRUE(uma_zdestroy(z));
}

struct Calls {
	unsigned ctor, dtor, init, fini;
	int flags, size;
	void *ctor_arg, *dtor_arg;
	unsigned refuse_ctor, refuse_init; /* the so manieth call */
};
static Calls calls;

static int count_ctor(void *, int size, void *arg, int flags)
{
	calls.ctor++;
	calls.size = size;
	calls.ctor_arg = arg;
	calls.flags = flags;
	return calls.ctor == calls.refuse_ctor;
}

static void count_dtor(void *, int, void *arg)
{
	calls.dtor++;
	calls.dtor_arg = arg;
}

static int count_init(void *mem, int size, int)
{
	memset(mem, 0x77, (size_t)size);
	return ++calls.init == calls.refuse_init;
}

static void count_fini(void *mem, int size)
{
	for (int i = 0; i < size; i++)
		EXPECT_EQ(static_cast<unsigned char *>(mem)[i], 0x77);
	calls.fini++;
}

static uma_zone_t counted_zone(bool debug)
{
	calls = {};
	uma_set_debug(debug);
	return uma_zcreate("counted", 200, count_ctor, count_dtor, count_init, count_fini, 7, 0);
}

TEST_F(UmaZoneTest, ConstructorsRunForItemsAndInitForSlabs)
{
	boot(1);
	for (bool debug : {false, true}) {
		uma_zone_t z = counted_zone(debug);
		int word = 1;
		void *item = uma_zalloc_arg(z, &word, M_WAITOK);

		EXPECT_EQ(calls.ctor, 1u);
		EXPECT_EQ(calls.ctor_arg, &word);
		EXPECT_EQ(calls.size, 200);
		EXPECT_EQ(calls.flags, M_WAITOK);
		EXPECT_EQ(calls.init, stats(z).free_items + stats(z).cached + 1);
		EXPECT_TRUE(holds(z, item, 0x77));
		uma_zfree_arg(z, item, &calls);
		EXPECT_EQ(calls.dtor, 1u);
		EXPECT_EQ(calls.dtor_arg, &calls);
		/* What init made is there the next time, too. */
		item = uma_zalloc(z, M_NOWAIT);
		EXPECT_TRUE(holds(z, item, 0x77));
		uma_zfree(z, item);
		EXPECT_EQ(calls.fini, 0u);
		EXPECT_TRUE(audit_ok());
		EXPECT_TRUE(uma_zdestroy(z));
		EXPECT_EQ(calls.fini, calls.init);
		EXPECT_EQ(calls.ctor, calls.dtor);
	}
}

TEST_F(UmaZoneTest, ARefusalOfTheConstructorIsUndone)
{
	boot(1);
	for (bool debug : {false, true}) {
		uma_zone_t z = counted_zone(debug);

		calls.refuse_ctor = 2;
		void *item = uma_zalloc(z, M_WAITOK);

		EXPECT_NE(item, nullptr);
		EXPECT_EQ(uma_zalloc(z, M_WAITOK), nullptr);
		EXPECT_EQ(calls.dtor, 0u);
		EXPECT_EQ(uma_zone_get_cur(z), 1);
		EXPECT_EQ(stats(z).fails, 1u);
		uma_zfree(z, item);
		EXPECT_TRUE(audit_ok());
		EXPECT_TRUE(uma_zdestroy(z));
	}
}

TEST_F(UmaZoneTest, ARefusalOfInitEndsTheItemsBeforeIt)
{
	boot(1);
	for (bool debug : {false, true}) {
		uint64_t pages = slab_pages();
		uma_zone_t z = counted_zone(debug);

		calls.refuse_init = 5;
		EXPECT_EQ(uma_zalloc(z, M_WAITOK), nullptr);
		EXPECT_EQ(calls.fini, 4u);
		EXPECT_EQ(slab_pages(), pages);
		EXPECT_TRUE(audit_ok());
		void *item = uma_zalloc(z, M_WAITOK);
		EXPECT_NE(item, nullptr);
		uma_zfree(z, item);
		EXPECT_TRUE(uma_zdestroy(z));
	}
}

TEST_F(UmaZoneTest, ZeroedItemsAreZero)
{
	boot(1);
	for (bool debug : {false, true}) {
		for (size_t size : {24, 3000, 4096, 9000}) {
			uma_zone_t z = zone(size, debug);
			void *item = uma_zalloc(z, M_NOWAIT);

			fill(z, item, 0xff);
			uma_zfree(z, item);
			for (unsigned i = 0; i < 3; i++) {
				item = uma_zalloc(z, M_NOWAIT | M_ZERO);
				EXPECT_TRUE(holds(z, item, 0));
				fill(z, item, 0xff);
			}
		}
	}
	EXPECT_TRUE(audit_ok());
}

TEST_F(UmaZoneTest, ZinitItemsAreZeroAtFirstAndKeepTheirContents)
{
	struct host_config config = {};

	config.fill_ram = true;
	boot(config);
	for (bool debug : {false, true}) {
		uma_set_debug(debug);
		uma_zone_t z =
		    uma_zcreate("zinit", 80, nullptr, nullptr, nullptr, nullptr, 7, UMA_ZONE_ZINIT);
		void *item = uma_zalloc(z, M_NOWAIT);

		EXPECT_TRUE(holds(z, item, 0));
		fill(z, item, 3);
		uma_zfree(z, item);
		EXPECT_EQ(uma_zalloc(z, M_NOWAIT), item);
		EXPECT_TRUE(holds(z, item, 3));
		uma_zfree(z, item);
		EXPECT_TRUE(uma_zdestroy(z));
	}
}

TEST_F(UmaZoneTest, FreeingNullIsNothing)
{
	boot(1);
	for (bool debug : {false, true}) {
		uma_zone_t z = zone(40, debug);

		uma_zfree(z, nullptr);
		EXPECT_EQ(stats(z).frees, 0u);
		EXPECT_TRUE(uma_zdestroy(z));
	}
}

TEST_F(UmaZoneTest, StatisticsCountWhatHappened)
{
	boot(1);
	uma_zone_t z = zone(128, false);
	void *items[100];

	for (void *&item : items)
		item = uma_zalloc(z, M_NOWAIT);
	for (unsigned i = 0; i < 40; i++)
		uma_zfree(z, items[i]);
	EXPECT_EQ(stats(z).allocs, 100u);
	EXPECT_EQ(stats(z).frees, 40u);
	EXPECT_EQ(stats(z).live, 60u);
	EXPECT_EQ(stats(z).size, 128u);
	EXPECT_GE(stats(z).pages, 60 * 128 / PAGE_SIZE);
	EXPECT_EQ(stats(z).live + stats(z).cached, uma_zone_out(z));
	EXPECT_EQ(uma_zone_item_size(z), 128u);
	EXPECT_FALSE(stats(z).debug);
}

TEST_F(UmaZoneTest, PreallocatedItemsNeedNoPages)
{
	boot(1);
	for (size_t size : {64, 2048, 8192}) {
		uma_zone_t z = zone(size, false);

		EXPECT_GE(uma_prealloc(z, 50), 50);
		struct host_fault_plan plan = {HOST_FAULT_FROM_NTH, 1, 0, "uma_slab_create"};

		host_fault_arm(&plan);
		for (unsigned i = 0; i < 50; i++)
			EXPECT_NE(uma_zalloc(z, M_NOWAIT), nullptr) << size;
		host_fault_disarm();
	}
	EXPECT_EQ(uma_prealloc(zone(64, false), -1), 0);
}

TEST_F(UmaZoneTest, ReclaimGivesEmptySlabsBack)
{
	boot(2);
	for (size_t size : {64, 4096, 20000}) {
		uint64_t before = slab_pages();
		uma_zone_t z = zone(size, false);
		std::vector<void *> items;

		for (unsigned i = 0; i < 64; i++)
			items.push_back(uma_zalloc(z, M_NOWAIT));
		EXPECT_GE(stats(z).pages, atop(64 * size));
		for (void *item : items)
			uma_zfree(z, item);
		EXPECT_GT(stats(z).pages, 0u);
		uma_reclaim();
		EXPECT_EQ(stats(z).pages, 0u);
		EXPECT_EQ(stats(z).cached, 0u);
		EXPECT_EQ(slab_pages(), before);
		EXPECT_TRUE(audit_ok());
	}
}

/* Every second page is taken, so that no run of two is left. */
TEST_F(UmaZoneTest, FragmentedMemoryIsGoodEnough)
{
	boot(1);
	std::vector<vm_page_t> taken;
	vm_page_t page;

	while ((page = vm_page_alloc(nullptr, 0, VM_ALLOC_NORMAL | VM_ALLOC_NOOBJ)) != nullptr)
		taken.push_back(page);
	std::sort(taken.begin(), taken.end(),
		  [](vm_page_t a, vm_page_t b) { return VM_PAGE_TO_PHYS(a) < VM_PAGE_TO_PHYS(b); });
	for (vm_page_t &m : taken) {
		if (atop(VM_PAGE_TO_PHYS(m)) % 2 == 0)
			continue;
		vm_page_free(m);
		m = nullptr;
	}
	uma_reclaim();
	for (bool debug : {false, true}) {
		for (size_t size : {100, 768, 2048, 4096, 10000}) {
			uma_zone_t z = zone(size, debug);
			void *a = uma_zalloc(z, M_NOWAIT), *b = uma_zalloc(z, M_WAITOK);

			ASSERT_NE(a, nullptr) << size;
			fill(z, a, 1);
			fill(z, b, 2);
			EXPECT_TRUE(holds(z, a, 1));
			EXPECT_TRUE(audit_ok());
			uma_zfree(z, a);
			uma_zfree(z, b);
			EXPECT_TRUE(uma_zdestroy(z));
		}
	}
	for (vm_page_t m : taken)
		if (m != nullptr)
			vm_page_free(m);
	EXPECT_TRUE(audit_ok());
}

TEST_F(UmaZoneTest, NofreeZonesKeepTheirSlabsUntilTheyGo)
{
	boot(1);
	uma_zone_t z =
	    uma_zcreate("stable", 64, nullptr, nullptr, nullptr, nullptr, 7, UMA_ZONE_NOFREE);

	uma_zfree(z, uma_zalloc(z, M_NOWAIT));
	uma_reclaim();
	EXPECT_EQ(stats(z).pages, 1u);
	EXPECT_TRUE(uma_zdestroy(z));
	EXPECT_EQ(slab_pages(), 0u);
}

TEST_F(UmaZoneTest, AZoneWithLiveItemsIsNotDestroyed)
{
	boot(1);
	kmem_free_set_strict(false);
	for (bool debug : {false, true}) {
		uma_zone_t z = zone(100, debug);
		void *item = uma_zalloc(z, M_WAITOK);

		EXPECT_FALSE(uma_zdestroy(z));
		EXPECT_NE(strstr(host_log(), "zone things refused: 1 items are allocated"),
			  nullptr);
		/* It goes on. */
		void *other = uma_zalloc(z, M_WAITOK);
		EXPECT_NE(other, item);
		uma_zfree(z, item);
		uma_zfree(z, other);
		EXPECT_TRUE(audit_ok());
		EXPECT_TRUE(uma_zdestroy(z));
	}
}

TEST_F(UmaZoneTest, ForeachVisitsAllInOrder)
{
	boot(1);
	std::vector<std::string> names;

	zone(8, false, 0, "one");
	uma_zone_t two = zone(8, false, 0, "two");
	zone(8, false, 0, "three");
	uma_zdestroy(two);
	uma_zone_foreach(
	    [](void *ctx, uma_zone_t z) {
		    static_cast<std::vector<std::string> *>(ctx)->push_back(stats(z).name);
	    },
	    &names);
	ASSERT_GE(names.size(), 2u);
	EXPECT_EQ(names[names.size() - 2], "one");
	EXPECT_EQ(names.back(), "three");
}

TEST_F(UmaZoneTest, AnAddressLeadsToItsZone)
{
	boot(1);
	for (size_t size : {64, 4096, 8192}) {
		uma_zone_t z = zone(size, false);
		char *item = static_cast<char *>(uma_zalloc(z, M_NOWAIT));

		EXPECT_EQ(uma_zone_of(item), z);
		EXPECT_EQ(uma_zone_of(item + size - 1), z);
	}
	int local;
	EXPECT_EQ(uma_zone_of(&local), nullptr);
	EXPECT_EQ(uma_zone_of(nullptr), nullptr);
	EXPECT_EQ(uma_zone_of((void *)(kmem_map->max_offset - 8)), nullptr);
	EXPECT_EQ(uma_zone_of((void *)~UINT64_C(0)), nullptr);
}

TEST_F(UmaZoneTest, ZonesBeyondTheCpusAreasWorkWithoutCache)
{
	boot(2);
	std::vector<uma_zone_t> zones;

	for (unsigned i = 0; i < PERCPU_LINES; i++) {
		zones.push_back(zone(64, i % 2 == 0));
		ASSERT_NE(zones[i], nullptr);
	}
	EXPECT_EQ(zones.back()->cache.lines, 0u);
	for (uma_zone_t z : {zones[zones.size() - 1], zones[zones.size() - 2]}) {
		void *a = uma_zalloc(z, M_NOWAIT), *b = uma_zalloc(z, M_NOWAIT | M_ZERO);

		EXPECT_EQ(uma_zone_get_cur(z), 2);
		EXPECT_TRUE(audit_ok());
		uma_zfree(z, a);
		uma_zfree(z, b);
		EXPECT_EQ(uma_zone_get_cur(z), 0);
		EXPECT_EQ(stats(z).cached, 0u);
	}
	for (uma_zone_t z : zones)
		EXPECT_TRUE(uma_zdestroy(z));
	EXPECT_TRUE(audit_ok());
}

TEST_F(UmaZoneTest, LargeMemoryRemembersItsSize)
{
	boot(1);
	for (size_t size : {5000, 8192, 100000}) {
		void *ptr = uma_large_malloc(size, M_WAITOK | M_ZERO);

		ASSERT_NE(ptr, nullptr);
		EXPECT_EQ(uma_large_size(ptr), size);
		EXPECT_EQ(uma_large_size(static_cast<char *>(ptr) + PAGE_SIZE), 0u);
		EXPECT_EQ(uma_large_size(static_cast<char *>(ptr) + 1), 0u);
		EXPECT_EQ(uma_zone_of(ptr), nullptr);
		uma_large_free(ptr);
		EXPECT_EQ(uma_large_size(ptr), 0u);
	}
	EXPECT_EQ(uma_large_malloc(0, M_NOWAIT), nullptr);
	EXPECT_EQ(uma_large_malloc(~(size_t)0, M_NOWAIT), nullptr);
	EXPECT_TRUE(audit_ok());
}

} // namespace quire
