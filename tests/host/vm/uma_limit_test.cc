/* SPDX-License-Identifier: BSD-2-Clause */
/* Zones with a limit: exact, first come first served, nobody forgotten. */
#include "arch/atomic.h"
#include "kernel/sched/sleepq.h"
#include "smp/spinlock.h"
#include "tests/host/vm/uma_fixture.h"

namespace quire
{

using UmaLimitTest = UmaTest;

TEST_F(UmaLimitTest, WithoutWaitingTheLimitIsTheEnd)
{
	boot(1);
	for (bool debug : {false, true}) {
		uma_zone_t z = zone(100, debug);
		std::vector<void *> items;

		EXPECT_EQ(uma_zone_get_max(z), 0);
		EXPECT_EQ(uma_zone_set_max(z, 10), 10);
		EXPECT_EQ(uma_zone_get_max(z), 10);
		for (unsigned i = 0; i < 10; i++) {
			items.push_back(uma_zalloc(z, M_NOWAIT));
			ASSERT_NE(items[i], nullptr);
		}
		EXPECT_EQ(uma_zalloc(z, M_NOWAIT), nullptr);
		EXPECT_EQ(uma_zalloc(z, M_NOWAIT | M_USE_RESERVE), nullptr);
		EXPECT_EQ(stats(z).fails, 2u);
		EXPECT_EQ(stats(z).limit, 10u);
		EXPECT_EQ(uma_zone_get_cur(z), 10);
		uma_zfree(z, items[3]);
		items[3] = uma_zalloc(z, M_NOWAIT);
		EXPECT_NE(items[3], nullptr);
		EXPECT_EQ(uma_zalloc(z, M_NOWAIT), nullptr);
		EXPECT_TRUE(audit_ok());
		EXPECT_EQ(uma_zone_set_max(z, 11), 11);
		items.push_back(uma_zalloc(z, M_NOWAIT));
		EXPECT_NE(items.back(), nullptr);
		EXPECT_EQ(uma_zone_set_max(z, 0), 0);
		items.push_back(uma_zalloc(z, M_NOWAIT));
		EXPECT_NE(items.back(), nullptr);
		for (void *item : items)
			uma_zfree(z, item);
		EXPECT_TRUE(audit_ok());
		EXPECT_TRUE(uma_zdestroy(z));
	}
}

TEST_F(UmaLimitTest, ALimitOfNegativeItemsIsRefused)
{
	boot(1);
	uma_zone_t z = zone(100, false);

	uma_zone_set_max(z, 5);
	EXPECT_EQ(uma_zone_set_max(z, -1), 5);
	EXPECT_EQ(uma_zone_get_max(z), 5);
	EXPECT_NE(strstr(host_log(), "makes no sense"), nullptr);
}

TEST_F(UmaLimitTest, ItemsFromBeforeTheLimitCount)
{
	boot(1);
	uma_zone_t z = zone(100, false);
	void *a = uma_zalloc(z, M_NOWAIT), *b = uma_zalloc(z, M_NOWAIT);

	uma_zone_set_max(z, 2);
	EXPECT_EQ(uma_zalloc(z, M_NOWAIT), nullptr);
	uma_zfree(z, a);
	uma_zfree(z, b);
	EXPECT_TRUE(audit_ok());
}

TEST_F(UmaLimitTest, WaitersAreServedInTheOrderOfTheirComing)
{
	boot(1);
	uma_zone_t z = zone(100, false);
	std::vector<std::unique_ptr<TestThread>> threads;
	std::vector<unsigned> order;

	uma_zone_set_max(z, 1);
	void *item = uma_zalloc(z, M_NOWAIT);

	for (unsigned i = 0; i < 5; i++) {
		threads.push_back(std::make_unique<TestThread>(0, [&order, z, i] {
			void *mine = uma_zalloc(z, M_WAITOK);

			order.push_back(i);
			uma_zfree(z, mine);
		}));
		while (stats(z).sleeps <= i)
			thread_yield();
	}
	EXPECT_EQ(uma_zalloc(z, M_NOWAIT), nullptr);
	uma_zfree(z, item);
	/* The place is the first one's, whoever asks now. */
	EXPECT_EQ(uma_zalloc(z, M_NOWAIT), nullptr);
	for (auto &thread : threads)
		thread->join();
	EXPECT_EQ(order, (std::vector<unsigned>{0, 1, 2, 3, 4}));
	EXPECT_TRUE(audit_ok());
}

TEST_F(UmaLimitTest, RaisingTheLimitServesThoseWhoWait)
{
	boot(1);
	uma_zone_t z = zone(100, false);

	uma_zone_set_max(z, 1);
	void *item = uma_zalloc(z, M_NOWAIT), *theirs = nullptr;
	TestThread thread(0, [&] { theirs = uma_zalloc(z, M_WAITOK); });

	while (stats(z).sleeps == 0)
		thread_yield();
	EXPECT_EQ(theirs, nullptr);
	uma_zone_set_max(z, 2);
	thread.join();
	EXPECT_NE(theirs, nullptr);
	uma_zfree(z, item);
	uma_zfree(z, theirs);
	EXPECT_TRUE(audit_ok());
}

/* Many more threads than places, on all CPUs: never too many at a time, and all get their turn. */
TEST_F(UmaLimitTest, TheLimitHoldsAtEveryMomentAndAllAreServed)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct host_config config = {};
		static struct atomic32 inside, most;
		const uint32_t limit = 3;

		config.cpus = 4;
		config.seed = seed;
		config.switch_ppm = 100000;
		boot(config);
		uma_zone_t z = zone(100, seed % 2 == 0);

		atomic32_store(&inside, 0, MO_RELAXED);
		atomic32_store(&most, 0, MO_RELAXED);
		uma_zone_set_max(z, (int)limit);
		auto body = [z] {
			for (unsigned i = 0; i < 30; i++) {
				void *item = uma_zalloc(z, M_WAITOK);
				uint32_t now = atomic32_add(&inside, 1, MO_SEQ_CST) + 1;

				ASSERT_NE(item, nullptr);
				if (now > atomic32_load(&most, MO_RELAXED))
					atomic32_store(&most, now, MO_RELAXED);
				if (i % 4 == 0)
					thread_yield();
				atomic32_sub(&inside, 1, MO_SEQ_CST);
				uma_zfree(z, item);
			}
		};
		on_all_cpus([body](unsigned cpu) {
			TestThread second(cpu, body);

			body();
			second.join();
		});
		EXPECT_LE(atomic32_load(&most, MO_RELAXED), limit);
		EXPECT_GT(stats(z).sleeps, 0u);
		EXPECT_EQ(uma_zone_get_cur(z), 0);
		EXPECT_EQ(stats(z).allocs, 240u);
		EXPECT_TRUE(audit_ok());
		shut_down();
	}
}

/* A place that was granted and then could not be used goes to the next one. */
TEST_F(UmaLimitTest, ARefusalAfterTheWaitFreesThePlace)
{
	boot(1);
	static unsigned calls;
	calls = 0;
	uma_zone_t z = uma_zcreate(
	    "refuses", 64, [](void *, int, void *, int) { return ++calls == 2 ? 1 : 0; }, nullptr,
	    nullptr, nullptr, 7, 0);

	uma_zone_set_max(z, 1);
	void *item = uma_zalloc(z, M_NOWAIT), *second = item, *third = nullptr;
	TestThread a(0, [&] { second = uma_zalloc(z, M_WAITOK); });
	while (stats(z).sleeps < 1)
		thread_yield();
	TestThread b(0, [&] { third = uma_zalloc(z, M_WAITOK); });
	while (stats(z).sleeps < 2)
		thread_yield();
	uma_zfree(z, item);
	a.join();
	b.join();
	EXPECT_EQ(second, nullptr);
	EXPECT_NE(third, nullptr);
	uma_zfree(z, third);
	EXPECT_TRUE(audit_ok());
}

} // namespace quire
