/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A host machine whose CPUs were started by smp_start(), without a scheduler: what a test of smp/
 * begins with. An AP takes jobs from the test, or waits for interrupts.
 */
#ifndef QUIRE_TESTS_HOST_SMP_SMP_FIXTURE_H
#define QUIRE_TESTS_HOST_SMP_SMP_FIXTURE_H

#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <string>

#include "arch/atomic.h"
#include "arch/cpu.h"
#include "smp/smp.h"
#include "tests/host/machine_fixture.h"

namespace quire
{

/* The provider's memory: boot CPU only, as is everything that allocates here. */
class SmpMemory
{
      public:
	enum : size_t { STACK_SIZE = HOST_STACK_MIN };

	static std::map<void *, size_t> &live()
	{
		static std::map<void *, size_t> blocks;
		return blocks;
	}

	/* Fails the call after `left` more, when it is not negative. */
	static int &left()
	{
		static int calls = -1;
		return calls;
	}

	static void *alloc(size_t bytes)
	{
		void *ptr = alloc_dirty(bytes);

		if (ptr != nullptr)
			std::memset(ptr, 0, bytes);
		return ptr;
	}

	static void *alloc_dirty(size_t bytes)
	{
		if (left() == 0)
			return nullptr;
		if (left() > 0)
			left()--;
		size_t size = (bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
		void *ptr = std::aligned_alloc(CACHE_LINE, size);
		live()[ptr] = bytes;
		return ptr;
	}

	static void free(void *ptr, size_t bytes)
	{
		ASSERT_EQ(live()[ptr], bytes);
		live().erase(ptr);
		std::free(ptr);
	}

	static void *stack_alloc(size_t *size)
	{
		*size = STACK_SIZE;
		return alloc_dirty(STACK_SIZE);
	}

	/* After the machine has been destroyed. */
	static void free_all()
	{
		for (auto &block : live())
			std::free(block.first);
		live().clear();
		left() = -1;
	}

	static const struct smp_provider *provider()
	{
		static const struct smp_provider functions = {alloc, free, stack_alloc, free};
		return &functions;
	}
};

/* A function that all CPUs run together. */
struct SmpJobs {
	const std::function<void()> *fn;
	struct atomic32 round; /* job number `round` may be taken */
	struct atomic32 done;  /* by so many APs */
};

inline SmpJobs smp_jobs;

inline void smp_ap_main()
{
	uint32_t seen = 0;

	arch_irq_enable();
	for (;;) {
		while (atomic32_load(&smp_jobs.round, MO_ACQUIRE) == seen)
			arch_cpu_relax();
		seen++;
		(*smp_jobs.fn)();
		atomic32_add(&smp_jobs.done, 1, MO_RELEASE);
	}
}

class SmpTest : public MachineTest
{
      protected:
	enum : uint64_t { TIMEOUT_NS = 2 * 1000 * 1000 };

	void SetUp() override
	{
	}

	void TearDown() override
	{
		halt();
	}

	/* A machine with its boot CPU initialised, and no other. */
	void boot(unsigned cpus, uint64_t seed, enum host_mode mode = HOST_COROUTINES)
	{
		halt();
		config.cpus = cpus;
		config.seed = seed;
		config.mode = mode;
		config.switch_ppm = mode == HOST_COROUTINES ? 200 * 1000 : 0;
		if (mode == HOST_COROUTINES && std::getenv("QUIRE_SEED") != nullptr)
			config.seed = std::strtoull(std::getenv("QUIRE_SEED"), nullptr, 0);
		smp_jobs = {};
		host_machine_create(&config);
		smp_init();
		arch_irq_enable();
	}

	void start(uint64_t timeout_ns = TIMEOUT_NS)
	{
		smp_start(SmpMemory::provider(), smp_ap_main, timeout_ns);
	}

	void boot_all(unsigned cpus, uint64_t seed, enum host_mode mode = HOST_COROUTINES)
	{
		boot(cpus, seed, mode);
		start(mode == HOST_COROUTINES ? (uint64_t)TIMEOUT_NS : 20 * 1000 * 1000 * 1000ull);
		ASSERT_EQ(smp_online_count(), cpus);
	}

	void halt()
	{
		if (host_machine_exists()) {
			if (HasFailure())
				std::fprintf(stderr, "replay with QUIRE_SEED=%llu (%u CPUs)\n",
					     (unsigned long long)config.seed, config.cpus);
			host_machine_destroy();
		}
		SmpMemory::free_all();
	}

	/* On every online CPU at once, this one included; returns when all have finished. */
	void run_all(const std::function<void()> &fn)
	{
		uint32_t others = smp_online_count() - 1;

		smp_jobs.fn = &fn;
		atomic32_store(&smp_jobs.done, 0, MO_RELAXED);
		atomic32_add(&smp_jobs.round, 1, MO_RELEASE);
		fn();
		while (atomic32_load(&smp_jobs.done, MO_ACQUIRE) != others)
			arch_cpu_relax();
	}

	/* Sanitizers are slow, and look at more than the outcome of each run. */
	static unsigned scaled(unsigned seeds)
	{
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
		return (seeds + 9) / 10;
#else
		return seeds;
#endif
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

	static bool logged(const std::string &line)
	{
		return std::strstr(host_log(), line.c_str()) != nullptr;
	}
};

} // namespace quire

#endif
