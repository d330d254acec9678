/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole memory system on a host machine: CPUs started by the kernel's own code, threads,
 * kernel_map. What a test of vm/ begins with.
 */
#ifndef QUIRE_TESTS_HOST_VM_VM_FIXTURE_H
#define QUIRE_TESTS_HOST_VM_VM_FIXTURE_H

#include <sys/mman.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "arch/atomic.h"
#include "arch/clock.h"
#include "arch/host/machine.h"
#include "kernel/sched/thread.h"
#include "smp/smp.h"
#include "vm/vm.h"
#include "vm/vm_audit.h"
#include "vm/vm_fault.h"
#include "vm/vm_kern.h"
#include "vm/vm_kern_cache.h"
#include "vm/vm_kern_quarantine.h"
#include "gtest/gtest.h"

namespace quire
{

enum : size_t { HOST_STACK_SIZE = 256 * 1024 };

inline void *host_zeroed(size_t bytes)
{
	void *ptr =
	    mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return ptr == MAP_FAILED ? nullptr : ptr;
}

inline void *host_stack(size_t *size)
{
	*size = HOST_STACK_SIZE;
	return host_zeroed(HOST_STACK_SIZE);
}

inline void host_unmap(void *ptr, size_t bytes)
{
	munmap(ptr, bytes);
}

/* What an AP does when it is online: it becomes its CPU's idle thread. */
inline void host_ap_main()
{
	auto *idle = static_cast<struct thread *>(host_zeroed(sizeof(struct thread)));

	sched_init_cpu(idle);
	arch_timer_start(SCHED_HZ);
	sched_idle();
}

inline std::vector<std::string> *audit_lines()
{
	static std::vector<std::string> lines;
	return &lines;
}

inline void audit_collect(const char *line)
{
	audit_lines()->push_back(line);
}

/* A kernel thread that runs a C++ function. */
class TestThread
{
      public:
	TestThread(unsigned cpu, std::function<void()> body) : body_(std::move(body))
	{
		thread_create(&thread_, "test", run, this, cpu, THREAD_PRIO_NORMAL, stack_,
			      HOST_STACK_SIZE);
		thread_start(&thread_);
	}
	~TestThread()
	{
		host_unmap(stack_, HOST_STACK_SIZE);
	}
	void join()
	{
		thread_join(&thread_);
	}

      private:
	static void run(void *arg)
	{
		static_cast<TestThread *>(arg)->body_();
	}

	std::function<void()> body_;
	void *stack_ = host_zeroed(HOST_STACK_SIZE);
	struct thread thread_ = {};
};

/* Keeps every other CPU from idling, so that it is asked to forget what is unmapped meanwhile. */
class BusyCpus
{
      public:
	BusyCpus()
	{
		for (unsigned cpu = 1; cpu < smp_online_count(); cpu++)
			threads_.push_back(std::make_unique<TestThread>(cpu, [this] { spin(); }));
		while (atomic32_load(&running_, MO_ACQUIRE) != threads_.size())
			arch_cpu_relax();
	}
	~BusyCpus()
	{
		atomic32_store(&stop_, 1, MO_RELEASE);
		for (auto &thread : threads_)
			thread->join();
	}

      private:
	void spin()
	{
		atomic32_add(&running_, 1, MO_RELEASE);
		while (atomic32_load(&stop_, MO_ACQUIRE) == 0)
			arch_cpu_relax();
	}

	struct atomic32 running_ = {0}, stop_ = {0};
	std::vector<std::unique_ptr<TestThread>> threads_;
};

class VmTest : public ::testing::Test
{
      protected:
	/* Boots; call it first in the test (or in SetUp) with what the machine is to be. */
	void boot(struct host_config config)
	{
		host_machine_create(&config);
		booted_ = true;
		smp_init();
		vm_init();
		arch_fault_set_handler(vm_fault_kernel);
		boot_thread_ = {};
		idle_ = {};
		idle_stack_ = host_zeroed(HOST_STACK_SIZE);
		sched_init_boot_cpu(&boot_thread_, &idle_, idle_stack_, HOST_STACK_SIZE);
		arch_timer_set_handler(sched_tick);
		arch_irq_enable();
		arch_timer_start(SCHED_HZ);
		vm_kern_maps_init(&map_sizes_);
		kmem_cache_enable(kmem_caches_);
		kmem_quarantine_set_immediate(immediate_frees_);
		start_cpus();
	}

	void boot(unsigned cpus, uint64_t seed = 1)
	{
		struct host_config config = {};

		config.cpus = cpus;
		config.seed = seed;
		boot(config);
	}

	void shut_down()
	{
		if (!booted_)
			return;
		host_machine_destroy();
		host_unmap(idle_stack_, HOST_STACK_SIZE);
		booted_ = false;
	}

	void TearDown() override
	{
		shut_down();
	}

	/* Every rule holds. */
	static ::testing::AssertionResult audit_ok()
	{
		std::string text;

		audit_lines()->clear();
		if (vm_audit(audit_collect) == 0)
			return ::testing::AssertionSuccess();
		for (const std::string &line : *audit_lines())
			text += line + "\n";
		return ::testing::AssertionFailure() << text;
	}

	/* Runs body(cpu) in a thread on every CPU at once. */
	static void on_all_cpus(const std::function<void(unsigned)> &body)
	{
		std::vector<std::unique_ptr<TestThread>> threads;

		for (unsigned cpu = 0; cpu < smp_online_count(); cpu++)
			threads.push_back(
			    std::make_unique<TestThread>(cpu, [cpu, &body] { body(cpu); }));
		for (auto &thread : threads)
			thread->join();
	}

	/* Sizes of the submaps; set before boot(). */
	struct vm_kern_map_sizes map_sizes_ = {};

	/* Most tests ask what becomes of memory that is freed, and not what a cache makes of it. */
	bool kmem_caches_ = false;

	/* And not what becomes of it later. */
	bool immediate_frees_ = true;

      private:
	static void start_cpus()
	{
		static const struct smp_provider provider = {host_zeroed, host_unmap, host_stack,
							     host_unmap};

		smp_start(&provider, host_ap_main, 1000000000);
		ASSERT_EQ(smp_online_count(), host_machine_config()->cpus);
	}

	struct thread boot_thread_ = {}, idle_ = {};
	void *idle_stack_ = nullptr;
	bool booted_ = false;
};

} // namespace quire

#endif
