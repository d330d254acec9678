/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine short of pages: what the tests of vm_wait and vm_pageout begin with.
 */
#ifndef QUIRE_TESTS_HOST_VM_PAGEOUT_FIXTURE_H
#define QUIRE_TESTS_HOST_VM_PAGEOUT_FIXTURE_H

#include <cstring>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "arch/atomic.h"
#include "arch/clock.h"
#include "kernel/sched/sleepq.h"
#include "tests/host/vm/vm_fixture.h"
#include "vm/vm_magazine.h"
#include "vm/vm_page_internal.h"
#include "vm/vm_pageout.h"
#include "vm/vm_phys_internal.h"

namespace quire
{

constexpr uint64_t MIB = 1024 * 1024;
constexpr uint64_t MS = 1000000, SECOND = 1000 * MS;

class PageoutTest : public VmTest
{
      protected:
	void TearDown() override
	{
		shut_down();
		daemon_.reset();
	}

	/* 8 MiB and another 4 MiB, in one domain or in two. */
	static struct host_config small_machine(unsigned cpus, uint64_t seed = 1,
						bool two_domains = false)
	{
		struct host_config config = {};

		config.cpus = cpus;
		config.seed = seed;
		config.ranges[0] = {1 * MIB, 9 * MIB, 0};
		config.ranges[1] = {16 * MIB, 20 * MIB, two_domains ? 1u : 0u};
		config.range_count = 2;
		/* A waiter that is forgotten must not keep the test from ending. */
		config.max_steps = 20000000;
		return config;
	}

	void start_daemon()
	{
		daemon_ = std::make_unique<TestThread>(0, [] { vm_pageout_daemon(nullptr); });
	}

	/* Another machine in the same test. */
	void reboot(const struct host_config &config)
	{
		TearDown();
		boot(config);
	}

	static vm_page_t alloc(int page_class)
	{
		return vm_page_alloc(nullptr, 0, VM_ALLOC_NOOBJ | page_class);
	}

	/* Takes pages, whatever class they are left for, until exactly so many are free. */
	void leave_free(uint64_t npages)
	{
		while (vm_page_free_count() > npages)
			held_.push_back(alloc(VM_ALLOC_INTERRUPT));
		vm_magazine_drain();
		ASSERT_EQ(vm_phys_free_total(), npages);
	}

	/* Takes what vm_phys has, and leaves alone what magazines have. */
	void take_all_free()
	{
		vm_page_t m;

		for (unsigned domain = 0; domain < vm_phys_domain_count(); domain++)
			while (vm_phys_alloc_batch(domain, &m, 1) == 1)
				held_.push_back(m);
	}

	void free_one()
	{
		vm_page_t m = held_.back();

		held_.pop_back();
		vm_page_free(m);
	}

	void free_some(uint64_t npages)
	{
		while (npages-- > 0)
			free_one();
	}

	void free_all()
	{
		free_some(held_.size());
	}

	/* Lets the others go on for so long. */
	static void pass_time(uint64_t ns)
	{
		thread_sleep_ns(ns);
	}

	static struct vm_pageout_stats stats()
	{
		struct vm_pageout_stats stats;

		vm_pageout_stats(&stats);
		return stats;
	}

	static struct vm_watermarks marks(unsigned domain = 0)
	{
		struct vm_watermarks marks;

		vm_pageout_watermarks(domain, &marks);
		return marks;
	}

	/* Every page is in its place again. */
	static void expect_at_rest(uint64_t free_before)
	{
		EXPECT_EQ(vm_pageout_waiters(), 0u);
		vm_magazine_drain();
		EXPECT_EQ(vm_phys_free_total(), free_before);
		EXPECT_TRUE(audit_ok());
	}

	std::deque<vm_page_t> held_;

      private:
	std::unique_ptr<TestThread> daemon_;
};

/* A handler of vm_lowmem that runs a C++ function. */
class LowmemHandler
{
      public:
	explicit LowmemHandler(std::function<void()> body) : body_(std::move(body))
	{
		EVENTHANDLER_REGISTER_ENTRY(vm_lowmem, &entry_, run, this, EVENTHANDLER_PRI_ANY);
	}
	~LowmemHandler()
	{
		EVENTHANDLER_DEREGISTER(vm_lowmem, &entry_);
	}

      private:
	static void run(void *arg)
	{
		static_cast<LowmemHandler *>(arg)->body_();
	}

	std::function<void()> body_;
	struct eventhandler_entry entry_ = {};
};

} // namespace quire

#endif
