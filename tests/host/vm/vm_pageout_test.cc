/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reclaim: watermarks, the daemon's rounds, the event, grow_cache, and what is shown by name.
 */
#include "kernel/registry/sysctl.h"
#include "tests/host/vm/pageout_fixture.h"
#include "vm/uma.h"
#include "vm/vm_pageout_internal.h"

namespace quire
{
namespace
{

class VmPageoutTest : public PageoutTest
{
      protected:
	void TearDown() override
	{
		PageoutTest::TearDown();
		scan_body() = nullptr;
	}

	/* What the scanner does; it has no argument to carry it. */
	static std::function<uint64_t(uint64_t)> &scan_body()
	{
		static std::function<uint64_t(uint64_t)> body;
		return body;
	}

	static void set_scanner(std::function<uint64_t(uint64_t)> body)
	{
		scan_body() = std::move(body);
		vm_pageout_set_scanner([](uint64_t wanted) { return scan_body()(wanted); });
	}

	/* Frees so many held pages in the handlers and scanners that follow. */
	uint64_t give(uint64_t npages)
	{
		if (npages > held_.size())
			npages = held_.size();
		free_some(npages);
		return npages;
	}

	static std::string read(const char *name)
	{
		char text[SYSCTL_TEXT_MAX];

		EXPECT_EQ(sysctl_read(name, text, sizeof(text)), SYSCTL_OK) << name;
		return text;
	}
};

/* --- Watermarks --- */

TEST_F(VmPageoutTest, WatermarksAscendInEveryDomain)
{
	for (bool two_domains : {false, true}) {
		reboot(small_machine(1, 1, two_domains));
		uint64_t min = 0;

		for (unsigned d = 0; d < vm_phys_domain_count(); d++) {
			EXPECT_GT(marks(d).min, 0u);
			EXPECT_GE(marks(d).low, marks(d).min + 8);
			EXPECT_EQ(marks(d).high - marks(d).low, marks(d).low - marks(d).min);
			EXPECT_LT(marks(d).high, vm_phys_total_pages(d) / 16);
			min += marks(d).min;
		}
		EXPECT_GE(min, vm_page_limits.free_reserved);
	}
}

TEST_F(VmPageoutTest, WatermarksFollowRam)
{
	struct host_config config = {};

	config.cpus = 1;
	boot(config);
	uint64_t total = vm_phys_total_pages(0);

	ASSERT_EQ(vm_phys_domain_count(), 1u);
	EXPECT_EQ(marks().min, vm_page_limits.free_reserved);
	EXPECT_EQ(marks().low, marks().min + total / 256);
	EXPECT_EQ(marks().high, marks().low + total / 256);
}

TEST_F(VmPageoutTest, ShortageIsWhatIsBelowHighInSomeDomain)
{
	boot(small_machine(1, 1, true));
	vm_magazine_drain();
	uint64_t spare = vm_phys_free_total() - marks(0).high - marks(1).high;

	EXPECT_EQ(vm_watermarks_shortage(0), 0u);
	EXPECT_EQ(vm_watermarks_shortage(spare), 0u);
	EXPECT_EQ(vm_watermarks_shortage(spare + 5), 5u);
	/* All of domain 0 is gone, and what domain 1 has does not count for it. */
	std::vector<vm_page_t> taken;
	vm_page_t m;

	while (vm_phys_alloc_batch(0, &m, 1) == 1)
		taken.push_back(m);
	EXPECT_EQ(vm_watermarks_shortage(0), marks(0).high);
	for (vm_page_t page : taken)
		vm_phys_free(page, 0);
	EXPECT_EQ(vm_watermarks_shortage(0), 0u);
}

/* --- A round --- */

TEST_F(VmPageoutTest, ARoundWithoutShortageEmptiesCachesOnly)
{
	boot(2);
	unsigned events = 0;
	LowmemHandler handler([&] { events++; });

	vm_page_free(alloc(VM_ALLOC_NORMAL));
	ASSERT_GT(vm_magazine_cached(), 0u);
	set_scanner([](uint64_t) -> uint64_t {
		ADD_FAILURE() << "nothing is short";
		return 0;
	});
	vm_pageout_pass();
	EXPECT_EQ(vm_magazine_cached(), 0u);
	EXPECT_GT(stats().drained_pages, 0u);
	EXPECT_EQ(events, 0u);
}

TEST_F(VmPageoutTest, TheEventComesBeforePageableMemory)
{
	boot(small_machine(2));
	uint64_t free = vm_page_free_count();
	std::string order;
	uint64_t wanted = 0;
	LowmemHandler handler([&] {
		order += "event ";
		give(4);
	});

	set_scanner([&](uint64_t n) {
		order += "scan";
		wanted = n;
		vm_pageout_count_aged(2 * n);
		return give(n);
	});
	leave_free(1);
	vm_pageout_pass();
	EXPECT_EQ(order, "event scan");
	EXPECT_EQ(wanted, marks().high - 5);
	EXPECT_EQ(vm_phys_free_total(), marks().high);
	EXPECT_EQ(stats().taken_pages, wanted);
	EXPECT_EQ(stats().aged_pages, 2 * wanted);
	free_all();
	expect_at_rest(free);
}

TEST_F(VmPageoutTest, PageableMemoryIsSparedWhenTheEventIsEnough)
{
	boot(small_machine(2));
	uint64_t free = vm_page_free_count();
	LowmemHandler handler([&] { give(marks().high); });

	set_scanner([](uint64_t) -> uint64_t {
		ADD_FAILURE() << "the handler freed enough";
		return 0;
	});
	leave_free(0);
	vm_pageout_pass();
	free_all();
	expect_at_rest(free);
}

TEST_F(VmPageoutTest, TheEventIsNotRepeatedWithinASecond)
{
	boot(small_machine(1));
	unsigned events = 0;
	LowmemHandler handler([&] { events++; });

	leave_free(vm_page_limits.free_reserved + 1);
	for (unsigned i = 0; i < 5; i++) {
		vm_pageout_pass();
		EXPECT_EQ(events, 1u);
		pass_time(150 * MS);
	}
	pass_time(500 * MS);
	vm_pageout_pass();
	EXPECT_EQ(events, 2u);
	EXPECT_EQ(stats().lowmem_events, 2u);
	free_all();
}

TEST_F(VmPageoutTest, TheEventIsRepeatedWhileADeficitPersists)
{
	boot(small_machine(1));
	unsigned events = 0;
	LowmemHandler handler([&] { events++; });

	leave_free(0);
	for (unsigned i = 1; i <= 5; i++) {
		EXPECT_EQ(alloc(VM_ALLOC_NORMAL), nullptr);
		vm_pageout_pass();
		EXPECT_EQ(events, i);
	}
	free_all();
}

TEST_F(VmPageoutTest, ADeficitIsMetBeyondTheWatermarks)
{
	boot(small_machine(1));
	uint64_t wanted = 0;

	set_scanner([&](uint64_t n) {
		wanted = n;
		return 0;
	});
	leave_free(marks().high);
	vm_pageout_deficit(7);
	vm_pageout_deficit(4);
	vm_pageout_pass();
	EXPECT_EQ(wanted, 11u);
	wanted = 0;
	vm_pageout_pass();
	EXPECT_EQ(wanted, 0u) << "a deficit is worked for once";
	/* Requests that nothing can meet do not cost everybody else their memory. */
	for (unsigned i = 0; i < 10000; i++)
		vm_pageout_deficit(1000);
	vm_pageout_pass();
	EXPECT_EQ(wanted, marks().high);
	free_all();
}

TEST_F(VmPageoutTest, AFailedRunIsADeficitOfAllItsPages)
{
	boot(small_machine(1));
	uint64_t wanted = 0;

	set_scanner([&](uint64_t n) {
		wanted = n;
		return 0;
	});
	leave_free(marks().high);
	EXPECT_EQ(vm_page_alloc_contig(nullptr, 0, VM_ALLOC_NOOBJ | VM_ALLOC_INTERRUPT,
				       marks().high + 1, 0, ~UINT64_C(0), PAGE_SIZE, 0,
				       VM_MEMATTR_DEFAULT),
		  nullptr);
	vm_pageout_pass();
	EXPECT_EQ(wanted, marks().high) << "as many as deficits may be";
	free_all();
}

TEST_F(VmPageoutTest, ARoundWakesThoseWhoCanGoOn)
{
	boot(small_machine(2));
	uint64_t free = vm_page_free_count();

	leave_free(0);
	set_scanner([&](uint64_t n) { return give(n); });
	TestThread waiter(1, [] { vm_wait(VM_ALLOC_NORMAL); });
	pass_time(20 * MS);
	ASSERT_EQ(vm_pageout_waiters(), 1u);
	vm_pageout_pass();
	waiter.join();
	free_all();
	expect_at_rest(free);
}

/* --- The daemon --- */

TEST_F(VmPageoutTest, TheDaemonSleepsWhileNothingIsShort)
{
	boot(2);
	start_daemon();
	pass_time(60 * SECOND);
	EXPECT_EQ(stats().wakeups, 0u);
}

TEST_F(VmPageoutTest, ADeficitWakesTheDaemon)
{
	boot(small_machine(2));
	uint64_t free = vm_page_free_count();

	leave_free(0);
	set_scanner([&](uint64_t n) { return give(n); });
	start_daemon();
	pass_time(20 * MS);
	uint64_t rounds = stats().wakeups;

	leave_free(0);
	EXPECT_EQ(alloc(VM_ALLOC_NORMAL), nullptr);
	pass_time(200 * MS);
	EXPECT_GT(stats().wakeups, rounds);
	EXPECT_GE(vm_phys_free_total(), marks().high);
	free_all();
	expect_at_rest(free);
}

TEST_F(VmPageoutTest, FewerThanLowPagesWakeTheDaemonWithoutAnyFailure)
{
	for (bool two_domains : {false, true}) {
		unsigned events = 0;

		reboot(small_machine(2, 1, two_domains));
		LowmemHandler handler([&] { events++; });
		start_daemon();
		pass_time(20 * MS);
		/* From domain 0 first. */
		while (vm_phys_free_pages(0) > marks(0).low)
			held_.push_back(alloc(VM_ALLOC_NORMAL));
		vm_magazine_drain();
		while (vm_phys_free_pages(0) >= marks(0).low)
			held_.push_back(alloc(VM_ALLOC_NORMAL));
		pass_time(100 * MS);
		EXPECT_GT(stats().wakeups, 0u);
		EXPECT_EQ(events, 1u);
		free_all();
	}
}

/* Memory may be in use for good: the daemon must not work for that all the time. */
TEST_F(VmPageoutTest, RoundsForNothingBecomeRare)
{
	boot(small_machine(2));
	start_daemon();
	leave_free(vm_page_limits.free_reserved + 2);
	for (unsigned i = 0; i < 1000; i++) {
		vm_page_t m = alloc(VM_ALLOC_NORMAL);

		ASSERT_NE(m, nullptr);
		vm_page_free(m);
		vm_magazine_drain();
		pass_time(100 * MS);
	}
	EXPECT_GE(stats().wakeups, 6u);
	EXPECT_LE(stats().wakeups, 16u);
	free_all();
}

TEST_F(VmPageoutTest, FailingRequestsInALoopDoNotKeepTheDaemonBusy)
{
	boot(small_machine(2));
	leave_free(0);
	start_daemon();
	for (unsigned i = 0; i < 200; i++) {
		EXPECT_EQ(alloc(VM_ALLOC_NORMAL), nullptr);
		pass_time(10 * MS);
	}
	EXPECT_GE(stats().wakeups, 10u);
	EXPECT_LE(stats().wakeups, 45u);
	free_all();
}

TEST_F(VmPageoutTest, TheDaemonGoesOnUntilHigh)
{
	boot(small_machine(2));
	uint64_t free = vm_page_free_count();

	/* A page at a time. */
	set_scanner([&](uint64_t) { return give(1); });
	leave_free(0);
	start_daemon();
	EXPECT_EQ(alloc(VM_ALLOC_NORMAL), nullptr);
	pass_time(3 * SECOND);
	EXPECT_GE(vm_phys_free_total(), marks().high);
	EXPECT_LE(vm_phys_free_total(), marks().high + 1);
	EXPECT_GE(stats().wakeups, marks().high);
	free_all();
	expect_at_rest(free);
}

TEST_F(VmPageoutTest, TheDaemonTriesAgainWhileSomebodyWaits)
{
	boot(small_machine(2));
	uint64_t free = vm_page_free_count();
	bool may_give = false;
	LowmemHandler handler([&] {
		if (may_give)
			give(marks().high);
	});

	leave_free(0);
	start_daemon();
	TestThread waiter(1, [] { vm_wait(VM_ALLOC_NORMAL); });
	pass_time(4500 * MS);
	EXPECT_EQ(vm_pageout_waiters(), 1u);
	EXPECT_GE(stats().lowmem_events, 3u);
	may_give = true;
	waiter.join();
	EXPECT_LT(arch_clock_ns(), 7 * SECOND);
	free_all();
	expect_at_rest(free);
}

TEST_F(VmPageoutTest, AHandlerMaySleepAndFree)
{
	for (unsigned seed = 1; seed <= 20; seed++) {
		struct host_config config = small_machine(4, seed);

		config.switch_ppm = 100000;
		reboot(config);
		uint64_t free = vm_page_free_count();
		std::list<TestThread> waiters;
		LowmemHandler handler([&] {
			thread_sleep_ns(300 * MS);
			give(marks().high);
		});

		start_daemon();
		leave_free(0);
		for (unsigned cpu = 0; cpu < 4; cpu++)
			waiters.emplace_back(cpu, [] {
				vm_page_t m;

				while ((m = alloc(VM_ALLOC_NORMAL)) == nullptr)
					VM_WAIT;
				vm_page_free(m);
			});
		for (TestThread &waiter : waiters)
			waiter.join();
		EXPECT_GE(stats().lowmem_events, 1u);
		/* The daemon may still be in the handler. */
		pass_time(2 * SECOND);
		free_all();
		expect_at_rest(free);
		ASSERT_FALSE(HasFailure()) << "seed " << seed;
	}
}

/* --- For one request --- */

TEST_F(VmPageoutTest, GrowCacheWorksHarderWithEachTry)
{
	boot(small_machine(4));
	uint64_t free = vm_page_free_count();
	unsigned events = 0, scans = 0;
	LowmemHandler handler([&] {
		events++;
		give(3);
	});

	set_scanner([&](uint64_t wanted) {
		scans++;
		EXPECT_EQ(wanted, UINT64_MAX);
		return give(5);
	});
	for (int tries = 0; tries < 4; tries++) {
		/* Some pages in the magazine of a CPU that is idle, and none elsewhere. */
		free_all();
		vm_magazine_drain();
		TestThread freer(2, [] { vm_page_free(alloc(VM_ALLOC_NORMAL)); });
		freer.join();
		uint64_t cached = vm_magazine_cached();
		ASSERT_GE(cached, 2u);
		take_all_free();
		uint64_t gained = vm_pageout_grow_cache(tries, 0, ~UINT64_C(0));

		EXPECT_EQ(events, (unsigned)tries);
		EXPECT_EQ(scans, tries < 2 ? 0u : (unsigned)tries - 1);
		EXPECT_EQ(gained, cached + (tries > 0 ? 3 : 0) + (tries > 1 ? 5 : 0)) << tries;
		EXPECT_EQ(vm_magazine_cached(), 0u);
	}
	free_all();
	expect_at_rest(free);
}

TEST_F(VmPageoutTest, GrowCacheDoesNothingForAddressesWithoutRam)
{
	boot(small_machine(1));
	LowmemHandler handler([] { ADD_FAILURE() << "nothing can be gained"; });

	vm_page_free(alloc(VM_ALLOC_NORMAL));
	ASSERT_GT(vm_magazine_cached(), 0u);
	EXPECT_EQ(vm_pageout_grow_cache(2, 10 * MIB, 15 * MIB), 0u);
	EXPECT_EQ(vm_pageout_grow_cache(2, 0, 0), 0u);
	EXPECT_EQ(vm_pageout_grow_cache(2, 5 * MIB, 4 * MIB), 0u);
	EXPECT_GT(vm_magazine_cached(), 0u);
}

TEST_F(VmPageoutTest, GrowCacheWithoutTriesNeverSleeps)
{
	boot(small_machine(2));
	LowmemHandler handler([] { ADD_FAILURE() << "it may sleep"; });
	struct spinlock lock;

	spin_init(&lock, "a lock", LOCK_RANK_NONE, 0);
	vm_page_free(alloc(VM_ALLOC_NORMAL));
	spin_lock(&lock);
	EXPECT_GT(vm_pageout_grow_cache(0, 0, ~UINT64_C(0)), 0u);
	spin_unlock(&lock);
}

TEST_F(VmPageoutTest, ReclaimEmptiesEveryCpusMagazines)
{
	boot(small_machine(8));
	on_all_cpus([](unsigned) { vm_page_free(alloc(VM_ALLOC_NORMAL)); });
	ASSERT_GE(vm_magazine_cached(), 8u);
	uma_reclaim();
	EXPECT_EQ(vm_magazine_cached(), 0u);
	EXPECT_TRUE(audit_ok());
}

/* --- By name --- */

TEST_F(VmPageoutTest, AddressesOfTheKernelMapAreReadOnlyValues)
{
	boot(1);
	EXPECT_EQ(std::stoull(read("vm.min_kernel_address"), nullptr, 16), VM_MIN_KERNEL_ADDRESS);
	EXPECT_EQ(std::stoull(read("vm.max_kernel_address"), nullptr, 16), VM_MAX_KERNEL_ADDRESS);
	EXPECT_EQ(sysctl_write("vm.min_kernel_address", "1"), SYSCTL_READ_ONLY);
	EXPECT_EQ(sysctl_write("vm.max_kernel_address", "1"), SYSCTL_READ_ONLY);
}

TEST_F(VmPageoutTest, RefusedFreesAreCounted)
{
	boot(1);
	uint64_t before = std::stoull(read("vm.stats.refused_frees"));

	EXPECT_EQ(sysctl_write("debug.kmem_free_strict", "0"), SYSCTL_OK);
	kmem_free(kernel_map, kernel_map->max_offset - PAGE_SIZE, PAGE_SIZE);
	EXPECT_EQ(sysctl_write("debug.kmem_free_strict", "1"), SYSCTL_OK);
	EXPECT_EQ(std::stoull(read("vm.stats.refused_frees")), before + 1);
}

TEST_F(VmPageoutTest, WritingTheDebugValueFiresTheEvent)
{
	boot(1);
	unsigned events = 0;
	LowmemHandler handler([&] { events++; });

	EXPECT_EQ(sysctl_write("debug.vm_lowmem", "0"), SYSCTL_OK);
	EXPECT_EQ(events, 0u);
	EXPECT_EQ(sysctl_write("debug.vm_lowmem", "1"), SYSCTL_OK);
	EXPECT_EQ(sysctl_write("debug.vm_lowmem", "-3"), SYSCTL_OK);
	EXPECT_EQ(events, 2u);
	EXPECT_EQ(read("debug.vm_lowmem"), "0");
	EXPECT_EQ(read("vm.stats.lowmem_events"), "2");
}

TEST_F(VmPageoutTest, StatisticsHaveNames)
{
	boot(small_machine(2));
	leave_free(0);
	set_scanner([&](uint64_t n) {
		vm_pageout_count_aged(n + 1);
		return give(n);
	});
	start_daemon();
	vm_wait(VM_ALLOC_NORMAL);
	vm_page_free(alloc(VM_ALLOC_NORMAL));
	pass_time(50 * MS);
	struct vm_pageout_stats now = stats();

	EXPECT_GT(now.taken_pages, 0u);
	EXPECT_EQ(read("vm.stats.free_pages"), std::to_string(vm_phys_free_total()));
	EXPECT_EQ(read("vm.stats.cached_pages"), std::to_string(vm_magazine_cached()));
	EXPECT_EQ(read("vm.stats.page_waiters"), "0");
	EXPECT_EQ(read("vm.stats.page_waits"), std::to_string(now.waits));
	EXPECT_EQ(read("vm.stats.daemon_rounds"), std::to_string(now.wakeups));
	EXPECT_EQ(read("vm.stats.drained_pages"), std::to_string(now.drained_pages));
	EXPECT_EQ(read("vm.stats.aged_pages"), std::to_string(now.aged_pages));
	EXPECT_EQ(read("vm.stats.taken_pages"), std::to_string(now.taken_pages));
	free_all();
}

} // namespace
} // namespace quire
