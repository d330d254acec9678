/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A host machine with all CPUs online and scheduling: what a test of kernel/sched begins with. The
 * test itself runs as the boot CPU's first thread.
 */
#ifndef QUIRE_TESTS_HOST_SCHED_SCHED_FIXTURE_H
#define QUIRE_TESTS_HOST_SCHED_SCHED_FIXTURE_H

#include <functional>
#include <list>

#include "arch/clock.h"
#include "kernel/sched/thread.h"
#include "tests/host/smp/smp_fixture.h"

namespace quire
{

enum : uint64_t { MS = 1000 * 1000, TICK_NS = 1000 * MS / SCHED_HZ };

inline struct thread idle_threads[MAXCPU];

inline void sched_ap_main()
{
	sched_init_cpu(&idle_threads[arch_cpu_id()]);
	arch_timer_start(SCHED_HZ);
	sched_idle();
}

/* A kernel thread that runs a C++ function. Joined before it goes. */
class Thread
{
      public:
	Thread(unsigned cpu, enum thread_priority priority, std::function<void()> body)
	    : body_(std::move(body))
	{
		thread_create(&thread, "test", run, this, cpu, priority, stack_, STACK_SIZE);
	}
	Thread(unsigned cpu, std::function<void()> body)
	    : Thread(cpu, THREAD_PRIO_NORMAL, std::move(body))
	{
		start();
	}
	~Thread()
	{
		std::free(stack_);
	}
	Thread(const Thread &) = delete;
	Thread &operator=(const Thread &) = delete;

	void start()
	{
		thread_start(&thread);
	}
	void join()
	{
		thread_join(&thread);
	}

	struct thread thread;

      private:
	enum : size_t { STACK_SIZE = HOST_STACK_MIN };

	static void run(void *arg)
	{
		static_cast<Thread *>(arg)->body_();
	}

	std::function<void()> body_;
	void *stack_ = std::aligned_alloc(CACHE_LINE, STACK_SIZE);
};

class SchedTest : public SmpTest
{
      protected:
	/* Replaces SmpTest's: threads do what its jobs did. */
	void boot_all(unsigned cpus, uint64_t seed, enum host_mode mode = HOST_COROUTINES)
	{
		size_t stack_size;
		void *stack;

		boot(cpus, seed, mode);
		stack = SmpMemory::stack_alloc(&stack_size);
		arch_irq_disable();
		sched_init_boot_cpu(&boot_thread, &idle_threads[0], stack, stack_size);
		arch_irq_enable();
		arch_timer_set_handler(sched_tick);
		arch_timer_start(SCHED_HZ);
		smp_start(SmpMemory::provider(), sched_ap_main, 20000 * MS);
		ASSERT_EQ(smp_online_count(), cpus);
	}

	/* One thread for each CPU, `each` of them; fn(index); returns when all have ended. */
	void on_threads(unsigned each, const std::function<void(unsigned)> &fn)
	{
		std::list<Thread> threads;
		unsigned index = 0;

		for (unsigned i = 0; i < each; i++) {
			for (unsigned cpu = 0; cpu < config.cpus; cpu++, index++)
				threads.emplace_back(cpu, [&fn, index] { fn(index); });
		}
		for (auto &thread : threads)
			thread.join();
	}

	/* body() on many small machines, and some with real threads; stops at a failure. */
	void for_machines(unsigned seeds, const std::function<void()> &body)
	{
		for (unsigned cpus : {1u, 2u, 3u, 4u, 8u}) {
			for (uint64_t seed = 1; seed <= scaled(seeds) && !HasFailure(); seed++) {
				boot_all(cpus, seed);
				body();
			}
		}
		for (uint64_t seed = 1; seed <= 5 && !HasFailure(); seed++) {
			boot_all(4, seed, HOST_THREADS);
			body();
		}
	}

	struct thread boot_thread;
};

} // namespace quire

#endif
