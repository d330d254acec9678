/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Faults in pageable memory against everything else that can happen to it, on several CPUs.
 */
#include <array>
#include <atomic>
#include <random>

#include "tests/host/vm/pageable_fixture.h"
#include "vm/vm_fault.h"

namespace
{

constexpr vm_size_t PAGES = 24;
constexpr unsigned EPOCHS = 8;

/* One run: so many CPUs, and a seed that decides who is interrupted where; or real threads. */
struct run {
	unsigned cpus;
	unsigned seed;
	enum host_mode mode;
};

std::ostream &operator<<(std::ostream &out, const struct run &run)
{
	return out << run.cpus << " CPUs, seed " << run.seed
		   << (run.mode == HOST_THREADS ? ", threads" : "");
}

class VmFaultRaceTest : public quire::PageableTest, public ::testing::WithParamInterface<struct run>
{
      protected:
	void SetUp() override
	{
		struct host_config config = {};

		config.cpus = GetParam().cpus;
		config.seed = GetParam().seed;
		config.mode = GetParam().mode;
		config.switch_ppm = 100000;
		config.speculate_ppm = 20000;
		boot(config);
		addr_ = alloc(PAGES);
		ASSERT_NE(addr_, 0u);
	}

	void finish()
	{
		free(addr_, PAGES);
		EXPECT_EQ(swap_reserved(), 0u);
		EXPECT_TRUE(audit_ok());
	}

	vm_offset_t page(vm_size_t i) const
	{
		return addr_ + ptoa(i);
	}

	/* A generator for each thread, so that a run depends on nothing but its parameters. */
	static std::mt19937 generator(unsigned cpu)
	{
		return std::mt19937(GetParam().seed * 64 + cpu);
	}

	/*
	 * A thread has a word of its own in each page, and knows what it last stored there. A store
	 * may be refused, for want of rights; one that was not refused must stay.
	 */
	void touch(unsigned cpu, unsigned rounds)
	{
		std::mt19937 random = generator(cpu);
		std::array<uint64_t, PAGES> last = {};

		for (unsigned round = 1; round <= rounds; round++) {
			unsigned i = random() % PAGES;
			vm_offset_t va = page(i) + cpu * 64;
			uint64_t word = 0;

			if (random() % 16 == 0 && host_store_nofault(va, &round, 4))
				last[i] = round;
			if (host_load_nofault(va, &word, 8)) {
				ASSERT_EQ(word, last[i]) << "page " << i << " CPU " << cpu;
			}
		}
	}

	/*
	 * Runs touch() on all CPUs but the first, and `disturb` there until they are done; again
	 * and again with fresh memory, because what was written once is not clean again.
	 */
	void against(unsigned rounds, const std::function<void(std::mt19937 *)> &disturb)
	{
		std::mt19937 random = generator(99);

		for (unsigned epoch = 0; epoch < EPOCHS; epoch++) {
			std::atomic<unsigned> busy{smp_online_count() - 1};

			on_all_cpus([&](unsigned cpu) {
				if (cpu == 0) {
					while (busy != 0)
						disturb(&random);
				} else {
					touch(cpu, rounds);
					busy--;
				}
			});
			free(addr_, PAGES);
			ASSERT_EQ(alloc(PAGES), addr_);
		}
		finish();
	}

	vm_offset_t addr_ = 0;
};

TEST_P(VmFaultRaceTest, TheScannerTakesCleanPagesAndNoOthers)
{
	struct vm_pageable_stats before, after;

	vm_pageable_stats(&before);
	against(60, [](std::mt19937 *random) {
		(void)vm_pageable_scan(1 + (*random)() % PAGES);
		thread_yield();
	});
	vm_pageable_stats(&after);
	EXPECT_GT(after.taken, before.taken);
}

TEST_P(VmFaultRaceTest, WiringAndUnwiring)
{
	against(60, [this](std::mt19937 *random) {
		vm_size_t first = (*random)() % PAGES,
			  end = first + 1 + (*random)() % (PAGES - first);

		ASSERT_EQ(vm_map_wire(pipe_map, page(first), page(end), 0), KERN_SUCCESS);
		(void)vm_pageable_scan(4);
		ASSERT_EQ(vm_map_unwire(pipe_map, page(first), page(end), 0), KERN_SUCCESS);
	});
}

TEST_P(VmFaultRaceTest, Protecting)
{
	against(60, [this](std::mt19937 *random) {
		static const vm_prot_t protections[] = {VM_PROT_NONE, VM_PROT_READ, VM_PROT_RW};
		vm_size_t first = (*random)() % PAGES,
			  end = first + 1 + (*random)() % (PAGES - first);

		ASSERT_EQ(vm_map_protect(pipe_map, page(first), page(end),
					 protections[(*random)() % 3], false),
			  KERN_SUCCESS);
		(void)vm_pageable_scan(4);
	});
}

/* Several at once scan, wire and protect; nobody sees anything but his own words or zeroes. */
TEST_P(VmFaultRaceTest, EverythingAtOnce)
{
	on_all_cpus([this](unsigned cpu) {
		std::mt19937 random = generator(cpu + 16);

		for (unsigned round = 0; round < 30; round++) {
			vm_size_t first = random() % PAGES, end = first + 1 + random() % 3;

			end = end > PAGES ? PAGES : end;
			switch (random() % 4) {
			case 0:
				(void)vm_pageable_scan(1 + random() % 4);
				break;
			case 1:
				ASSERT_EQ(vm_map_wire(pipe_map, page(first), page(end), 0),
					  KERN_SUCCESS);
				thread_yield();
				ASSERT_EQ(vm_map_unwire(pipe_map, page(first), page(end), 0),
					  KERN_SUCCESS);
				break;
			default:
				for (vm_size_t i = first; i < end; i++) {
					vm_offset_t va = page(i) + cpu * 64;

					host_store64(va, round);
					ASSERT_EQ(host_load64(va), round);
				}
			}
		}
	});
	finish();
}

/* The range goes while others touch it, and comes again; what they find is theirs or zero. */
TEST_P(VmFaultRaceTest, Deleting)
{
	std::atomic<unsigned> busy{smp_online_count() - 1};

	on_all_cpus([&](unsigned cpu) {
		std::mt19937 random = generator(cpu);

		if (cpu == 0) {
			while (busy != 0) {
				free(addr_, PAGES);
				thread_yield();
				ASSERT_EQ(alloc(PAGES), addr_);
			}
			return;
		}
		for (unsigned round = 1; round <= 100; round++) {
			vm_offset_t va = page(random() % PAGES) + cpu * 64;
			uint64_t word = cpu;

			if (random() % 2 == 0) {
				(void)host_store_nofault(va, &word, 8);
			} else if (host_load_nofault(va, &word, 8)) {
				ASSERT_TRUE(word == 0 || word == cpu) << word;
			}
		}
		busy--;
	});
	finish();
}

std::vector<struct run> runs()
{
	std::vector<struct run> runs;

	for (unsigned cpus : {2u, 3u, 4u, 8u})
		for (unsigned seed = 1; seed <= 12; seed++)
			runs.push_back({cpus, seed, HOST_COROUTINES});
	runs.push_back({2, 1, HOST_THREADS});
	runs.push_back({4, 1, HOST_THREADS});
	return runs;
}

INSTANTIATE_TEST_SUITE_P(Runs, VmFaultRaceTest, ::testing::ValuesIn(runs()));

} // namespace
