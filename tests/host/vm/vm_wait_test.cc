/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waiting for pages: who wakes when, and that nobody is forgotten.
 */
#include <random>

#include "tests/host/vm/pageout_fixture.h"

namespace quire
{
namespace
{

class VmWaitTest : public PageoutTest
{
      protected:
	struct spinlock lock_ = SPINLOCK_INIT("held pages", LOCK_RANK_NONE);
};

/* A thread that waits once, for a class. */
class Waiter
{
      public:
	Waiter(unsigned cpu, int page_class)
	    : thread_(cpu, [this, page_class] {
		      vm_wait(page_class);
		      atomic32_store(&done_, 1, MO_RELEASE);
	      })
	{
	}
	bool done() const
	{
		return atomic32_load(&done_, MO_ACQUIRE) != 0;
	}
	void join()
	{
		thread_.join();
	}

      private:
	struct atomic32 done_ = {0};
	TestThread thread_;
};

TEST_F(VmWaitTest, ReturnsAtOnceWhileThereIsEnough)
{
	boot(2);
	for (int page_class : {VM_ALLOC_NORMAL, VM_ALLOC_SYSTEM, VM_ALLOC_INTERRUPT})
		vm_wait(page_class);
	VM_WAIT;
	EXPECT_EQ(stats().waits, 0u);
	EXPECT_EQ(vm_pageout_waiters(), 0u);
}

TEST_F(VmWaitTest, FlagsBesidesTheClassDoNotMatter)
{
	boot(1);
	vm_wait(VM_ALLOC_SYSTEM | VM_ALLOC_WIRED | VM_ALLOC_ZERO | VM_ALLOC_NOOBJ);
	EXPECT_EQ(stats().waits, 0u);
}

TEST_F(VmWaitTest, EachClassWakesExactlyAtItsThreshold)
{
	boot(small_machine(3));
	const struct {
		int page_class;
		uint64_t floor;
	} classes[] = {{VM_ALLOC_INTERRUPT, 0},
		       {VM_ALLOC_SYSTEM, vm_page_limits.interrupt_free_min},
		       {VM_ALLOC_NORMAL, vm_page_limits.free_reserved}};
	uint64_t free = vm_page_free_count();
	std::list<Waiter> waiters;

	leave_free(0);
	for (auto &c : classes)
		waiters.emplace_back(1 + waiters.size() % 2, c.page_class);
	pass_time(50 * MS);
	ASSERT_EQ(vm_pageout_waiters(), 3u);
	for (uint64_t n = 1; n <= vm_page_limits.free_reserved + 1; n++) {
		auto waiter = waiters.begin();

		free_one();
		pass_time(30 * MS);
		for (auto &c : classes) {
			EXPECT_EQ(waiter->done(), n > c.floor) << n << " pages, " << c.page_class;
			++waiter;
		}
	}
	for (Waiter &waiter : waiters)
		waiter.join();
	free_all();
	expect_at_rest(free);
}

TEST_F(VmWaitTest, ManyOfAClassWakeTogether)
{
	boot(small_machine(4));
	uint64_t free = vm_page_free_count();
	std::list<Waiter> waiters;

	leave_free(vm_page_limits.free_reserved);
	for (unsigned i = 0; i < 12; i++)
		waiters.emplace_back(i % 4, VM_ALLOC_NORMAL);
	pass_time(50 * MS);
	EXPECT_EQ(vm_pageout_waiters(), 12u);
	free_one();
	for (Waiter &waiter : waiters)
		waiter.join();
	free_all();
	expect_at_rest(free);
}

TEST_F(VmWaitTest, PagesThatAreTakenAwayAgainLeaveTheWaiterAsleep)
{
	boot(small_machine(2));
	uint64_t free = vm_page_free_count();

	leave_free(0);
	Waiter waiter(1, VM_ALLOC_SYSTEM);
	pass_time(20 * MS);
	for (unsigned i = 0; i < 20; i++) {
		free_some(vm_page_limits.interrupt_free_min);
		leave_free(0);
	}
	pass_time(50 * MS);
	EXPECT_FALSE(waiter.done());
	free_some(vm_page_limits.interrupt_free_min + 1);
	waiter.join();
	free_all();
	expect_at_rest(free);
}

/* The page goes through the magazine of a CPU that does nothing afterwards. */
TEST_F(VmWaitTest, TheLastPageMayBeFreedOnAnyCpu)
{
	for (unsigned cpus : {2u, 3u, 8u}) {
		for (unsigned cpu = 0; cpu < cpus; cpu++) {
			reboot(small_machine(cpus));
			uint64_t free = vm_page_free_count();

			leave_free(vm_page_limits.free_reserved);
			Waiter waiter((cpu + 1) % cpus, VM_ALLOC_NORMAL);
			pass_time(20 * MS);
			TestThread freer(cpu, [this] { free_one(); });
			freer.join();
			waiter.join();
			EXPECT_LT(arch_clock_ns(), 5 * SECOND) << "it was the timeout that woke it";
			free_all();
			expect_at_rest(free);
		}
	}
}

/* Pages that are in magazines already are found when the waiter comes. */
TEST_F(VmWaitTest, PagesInTheMagazineOfAnIdleCpuAreFound)
{
	boot(small_machine(4));
	uint64_t free = vm_page_free_count();

	TestThread freer(3, [] { vm_page_free(alloc(VM_ALLOC_NORMAL)); });
	freer.join();
	ASSERT_GT(vm_magazine_cached(), 0u);
	take_all_free();
	while (vm_page_free_count() <= vm_page_limits.free_reserved)
		free_one();
	ASSERT_LE(vm_phys_free_total(), vm_page_limits.free_reserved);
	vm_wait(VM_ALLOC_NORMAL);
	EXPECT_EQ(stats().waits, 0u);
	free_all();
	expect_at_rest(free);
}

TEST_F(VmWaitTest, MagazinesKeepNothingWhileSomebodyWaits)
{
	boot(small_machine(2));
	uint64_t free = vm_page_free_count();

	leave_free(0);
	Waiter waiter(1, VM_ALLOC_NORMAL);
	pass_time(20 * MS);
	free_some(vm_page_limits.free_reserved);
	EXPECT_EQ(vm_magazine_cached(), 0u);
	held_.push_back(alloc(VM_ALLOC_INTERRUPT));
	EXPECT_EQ(vm_magazine_cached(), 0u);
	EXPECT_FALSE(waiter.done());
	free_all();
	waiter.join();
	expect_at_rest(free);
}

TEST_F(VmWaitTest, ARunThatIsFreedWakes)
{
	boot(small_machine(2));
	uint64_t free = vm_page_free_count();
	vm_page_t run = vm_phys_alloc_contig(8, 0, ~UINT64_C(0), PAGE_SIZE, 0);

	ASSERT_NE(run, nullptr);
	leave_free(vm_page_limits.free_reserved - 7);
	Waiter waiter(1, VM_ALLOC_NORMAL);
	pass_time(20 * MS);
	EXPECT_FALSE(waiter.done());
	vm_phys_free_contig(run, 8);
	waiter.join();
	free_all();
	expect_at_rest(free);
}

TEST_F(VmWaitTest, ALongWaitIsNamedInTheLog)
{
	boot(small_machine(2));
	uint64_t free = vm_page_free_count();

	leave_free(3);
	Waiter waiter(1, VM_ALLOC_NORMAL);
	pass_time(9 * SECOND);
	EXPECT_EQ(strstr(host_log(), "vm_wait:"), nullptr);
	pass_time(2 * SECOND);
	const char *line = strstr(host_log(), "vm_wait: thread \"test\" has waited 10 s for a page "
					      "of class normal: 3 pages are free");
	ASSERT_NE(line, nullptr) << host_log();
	EXPECT_EQ(strstr(line + 1, "vm_wait:"), nullptr) << "said twice";
	pass_time(10 * SECOND);
	EXPECT_NE(strstr(line + 1, "has waited 20 s"), nullptr);
	free_all();
	waiter.join();
	expect_at_rest(free);
}

TEST_F(VmWaitTest, OfManyOneAtATimeIsNamed)
{
	boot(small_machine(4));
	uint64_t free = vm_page_free_count();
	std::list<Waiter> waiters;
	unsigned lines = 0;

	leave_free(0);
	for (unsigned i = 0; i < 20; i++)
		waiters.emplace_back(i % 4, VM_ALLOC_SYSTEM);
	pass_time(35 * SECOND);
	for (const char *p = host_log(); (p = strstr(p, "vm_wait: thread")) != nullptr; p++)
		lines++;
	EXPECT_EQ(lines, 3u) << host_log();
	EXPECT_NE(strstr(host_log(), "threads that wait: 20"), nullptr);
	free_all();
	for (Waiter &waiter : waiters)
		waiter.join();
	expect_at_rest(free);
}

using VmWaitDeathTest = VmWaitTest;

TEST_F(VmWaitDeathTest, MayNotBeCalledWithASpinlock)
{
	boot(1);
	EXPECT_DEATH(
	    {
		    struct spinlock lock;

		    spin_init(&lock, "a lock", LOCK_RANK_NONE, 0);
		    spin_lock(&lock);
		    vm_wait(VM_ALLOC_NORMAL);
	    },
	    "vm_wait");
}

/*
 * Callers that give up and callers that wait, on all CPUs, with less memory than they want. Each
 * worker holds pages only for a while, except for those it hands to somebody else to free.
 */
class VmWaitMixTest : public PageoutTest,
		      public ::testing::WithParamInterface<std::tuple<enum host_mode, unsigned>>
{
      protected:
	struct host_config machine(uint64_t seed) const
	{
		struct host_config config = small_machine(std::get<1>(GetParam()), seed, seed % 2);

		config.mode = std::get<0>(GetParam());
		config.switch_ppm = 60000;
		return config;
	}

	bool threads() const
	{
		return std::get<0>(GetParam()) == HOST_THREADS;
	}

	static int class_of(uint64_t number)
	{
		static const int classes[] = {VM_ALLOC_NORMAL, VM_ALLOC_SYSTEM, VM_ALLOC_INTERRUPT};
		return classes[number % 3];
	}

	/* Pages that a thread leaves for any other to free; none is left in it at the end. */
	struct Exchange {
		struct spinlock lock;
		std::deque<vm_page_t> pages;

		Exchange()
		{
			spin_init(&lock, "exchange", LOCK_RANK_NONE, 0);
		}
		void put(vm_page_t m)
		{
			spin_lock(&lock);
			pages.push_back(m);
			spin_unlock(&lock);
		}
		vm_page_t take()
		{
			vm_page_t m = nullptr;

			spin_lock(&lock);
			if (!pages.empty()) {
				m = pages.front();
				pages.pop_front();
			}
			spin_unlock(&lock);
			return m;
		}
	};

	/* Waits until the page is there. Counts how often it had to wait. */
	static vm_page_t alloc_waiting(int page_class, struct atomic64 *waits)
	{
		vm_page_t m;

		while ((m = alloc(page_class)) == nullptr) {
			atomic64_add(waits, 1, MO_RELAXED);
			vm_wait(page_class);
		}
		return m;
	}

	/* Asks for one page after the other and passes each on; holds none while it waits. */
	void patient(uint64_t seed)
	{
		std::mt19937_64 random(seed);

		for (unsigned i = 0; i < operations_; i++) {
			exchange_.put(alloc_waiting(class_of(random()), &waits_));
			if (random() % 4 == 0)
				thread_yield();
		}
	}

	/* Takes what it can get, keeps it for a while. */
	void greedy(uint64_t seed)
	{
		std::mt19937_64 random(seed);
		std::vector<vm_page_t> mine;

		for (unsigned i = 0; i < operations_; i++) {
			vm_page_t m = alloc(class_of(random()));

			if (m != nullptr)
				mine.push_back(m);
			else
				atomic64_add(&refused_, 1, MO_RELAXED);
			if (m == nullptr || random() % 8 == 0) {
				for (vm_page_t page : mine)
					vm_page_free(page);
				mine.clear();
				thread_yield();
			}
		}
		for (vm_page_t page : mine)
			vm_page_free(page);
	}

	/* Frees what others left, until all of them are done and nothing is left. */
	void cleaner()
	{
		for (;;) {
			bool last = atomic32_load(&working_, MO_ACQUIRE) == 0;
			vm_page_t m = exchange_.take();

			if (m != nullptr)
				vm_page_free(m);
			else if (last)
				return;
			else
				thread_sleep_ns(10 * MS);
		}
	}

	void worker(const std::function<void()> &body)
	{
		body();
		atomic32_sub(&working_, 1, MO_ACQ_REL);
	}

	void run_mix(uint64_t seed)
	{
		unsigned cpus = std::get<1>(GetParam());
		std::list<TestThread> all;

		atomic32_store(&working_, 3 * cpus, MO_RELAXED);
		for (unsigned cpu = 0; cpu < cpus; cpu++) {
			uint64_t own = seed * 64 + cpu;

			all.emplace_back(cpu, [=] { worker([=] { patient(own); }); });
			all.emplace_back(cpu, [=] { worker([=] { patient(own + 16); }); });
			all.emplace_back(cpu, [=] { worker([=] { greedy(own + 32); }); });
		}
		/* The CPU with the last page does nothing else. */
		all.emplace_back(seed % cpus, [this] { cleaner(); });
		for (TestThread &thread : all)
			thread.join();
	}

	unsigned operations_ = 40;
	Exchange exchange_;
	struct atomic32 working_ = {0};
	struct atomic64 waits_ = {0}, refused_ = {0};
};

TEST_P(VmWaitMixTest, EveryWaiterFinishesAndNoPageIsLost)
{
	unsigned seeds = threads() ? 3 : 25;
	uint64_t sleeps = 0;

	for (unsigned i = 1; i <= seeds; i++) {
		const char *replay = getenv("QUIRE_SEED");
		uint64_t seed = replay != nullptr ? strtoull(replay, nullptr, 0) : i;

		reboot(machine(seed));
		uint64_t free = vm_page_free_count();
		if (i % 2 == 0)
			start_daemon();
		leave_free(vm_page_limits.free_reserved + 1 + seed % 5);
		run_mix(seed);
		sleeps += stats().waits;
		EXPECT_EQ(strstr(host_log(), "vm_wait:"), nullptr) << host_log();
		free_all();
		expect_at_rest(free);
		ASSERT_FALSE(HasFailure()) << "QUIRE_SEED=" << seed;
	}
	EXPECT_GT(sleeps, 0u) << "the test does not test anything";
	EXPECT_GT(atomic64_load(&refused_, MO_RELAXED), 0u);
}

INSTANTIATE_TEST_SUITE_P(Coroutines, VmWaitMixTest,
			 ::testing::Combine(::testing::Values(HOST_COROUTINES),
					    ::testing::Values(1, 2, 3, 4, 8)));
INSTANTIATE_TEST_SUITE_P(Threads, VmWaitMixTest,
			 ::testing::Combine(::testing::Values(HOST_THREADS),
					    ::testing::Values(2, 4)));

/*
 * One page and one waiter, with a switch possible at every step: the page is freed while the
 * waiter is anywhere between its failed request and its sleep. If it were forgotten, only its
 * timeout would wake it.
 */
TEST_F(VmWaitTest, AFreeAtAnyMomentOfTheWaitIsNotLost)
{
	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct host_config config = small_machine(2 + seed % 3, seed);

		config.switch_ppm = 300000;
		reboot(config);
		leave_free(vm_page_limits.free_reserved);
		TestThread waiter(1, [] { vm_wait(VM_ALLOC_NORMAL); });
		TestThread freer(2 % config.cpus, [this] {
			uint64_t steps = host_random(400);

			for (uint64_t i = 0; i < steps; i++)
				arch_cpu_relax();
			free_one();
		});
		waiter.join();
		freer.join();
		ASSERT_LT(arch_clock_ns(), 5 * SECOND) << "seed " << seed;
		EXPECT_EQ(vm_pageout_waiters(), 0u);
	}
}

/* As before, and a third CPU takes pages into its magazine at the same time. */
TEST_F(VmWaitTest, ARefillAtAnyMomentOfTheWaitHidesNoPage)
{
	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct host_config config = small_machine(3, seed);

		config.switch_ppm = 300000;
		reboot(config);
		leave_free(vm_page_limits.free_reserved + 1);
		held_.push_back(alloc(VM_ALLOC_NORMAL));
		vm_magazine_drain();
		TestThread waiter(1, [] { vm_wait(VM_ALLOC_NORMAL); });
		TestThread taker(2, [this] {
			vm_page_t m;

			for (uint64_t i = host_random(200); i > 0; i--)
				arch_cpu_relax();
			/* Fills its magazine with more than it takes, if it may. */
			m = alloc(VM_ALLOC_INTERRUPT);
			spin_lock(&lock_);
			held_.push_front(m);
			spin_unlock(&lock_);
		});
		TestThread freer(0, [this] {
			for (uint64_t i = host_random(400); i > 0; i--)
				arch_cpu_relax();
			for (unsigned i = 0; i < 2; i++) {
				vm_page_t m;

				spin_lock(&lock_);
				m = held_.back();
				held_.pop_back();
				spin_unlock(&lock_);
				vm_page_free(m);
			}
		});
		waiter.join();
		taker.join();
		freer.join();
		ASSERT_LT(arch_clock_ns(), 5 * SECOND) << "seed " << seed;
		EXPECT_TRUE(audit_ok());
	}
}

} // namespace
} // namespace quire
