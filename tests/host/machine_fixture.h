/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A test on the host machine.
 *
 *	class PmapTest : public MachineTest {
 *	protected:
 *		PmapTest() { config.cpus = 4; }     // any field of struct host_config
 *	};
 *	TEST_F(PmapTest, BehaviourByName) { ... the machine is there, CPU 0 runs ... }
 *
 * The machine is made in SetUp() and destroyed in TearDown(). A test that needs another one calls
 * recreate(). QUIRE_SEED in the environment replaces the seed of every machine that the fixture
 * makes: this is how a failure is replayed, and a failed test prints the seed to use.
 */
#ifndef QUIRE_TESTS_HOST_MACHINE_FIXTURE_H
#define QUIRE_TESTS_HOST_MACHINE_FIXTURE_H

#include <cstdio>
#include <cstdlib>

#include <gtest/gtest.h>

#include "arch/host/machine.h"

class MachineTest : public ::testing::Test
{
      protected:
	MachineTest()
	{
		config.cpus = 1;
		config.seed = 1;
		/* Death tests of a multiprocessor start over in a fresh process. */
		GTEST_FLAG_SET(death_test_style, "threadsafe");
	}

	void SetUp() override
	{
		create();
	}

	void TearDown() override
	{
		if (HasFailure())
			std::fprintf(stderr, "replay with QUIRE_SEED=%llu\n",
				     (unsigned long long)config.seed);
		if (host_machine_exists())
			host_machine_destroy();
	}

	/* Another machine, after a change of `config`. */
	void recreate()
	{
		host_machine_destroy();
		create();
	}

	/* Runs a C++ callable on a CPU's own flow and waits until it has returned. */
	template <typename F> static void on_cpu(unsigned cpu, F fn)
	{
		start_on_cpu(cpu, fn);
		host_cpu_wait(cpu);
	}

	/* The same without waiting: `fn` must stay alive until host_cpu_wait(cpu). */
	template <typename F> static void start_on_cpu(unsigned cpu, F &fn)
	{
		host_cpu_run(
		    cpu, [](void *arg) { (*static_cast<F *>(arg))(); }, &fn);
	}

	/* On all CPUs at once; fn() asks arch_cpu_id() where it is. */
	template <typename F> static void on_all_cpus(F fn)
	{
		host_run_all([](void *arg) { (*static_cast<F *>(arg))(); }, &fn);
	}

	struct host_config config = {};

      private:
	void create()
	{
		const char *seed = std::getenv("QUIRE_SEED");

		if (seed != nullptr)
			config.seed = std::strtoull(seed, nullptr, 0);
		host_machine_create(&config);
	}
};

#endif
