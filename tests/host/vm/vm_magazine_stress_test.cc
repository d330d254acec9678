/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUs that allocate, hand over, free and drain at once: coroutines over many seeds, and threads.
 */
#include <tuple>

#include "tests/host/vm/pages_fixture.h"

namespace quire
{
namespace
{

constexpr int REQUEST = VM_ALLOC_NOOBJ | VM_ALLOC_INTERRUPT;

/* One page that a CPU puts down and any CPU may pick up. */
struct HandOver {
	struct spinlock lock;
	vm_page_t page;
};

class VmMagazineStressTest
    : public PagesTest,
      public ::testing::WithParamInterface<std::tuple<enum host_mode, unsigned>>
{
      protected:
	VmMagazineStressTest()
	{
		config_one_range(1 * MIB + 512 * KIB);
		config.mode = std::get<0>(GetParam());
		config.cpus = std::get<1>(GetParam());
		config.switch_ppm = 150000;
	}

	/* Restarts the machine for each seed, which one in the environment replaces. */
	template <typename F> void for_seeds(F scenario)
	{
		unsigned seeds = config.mode == HOST_THREADS ? 2 : 60;

		for (unsigned i = 1; i <= seeds; i++) {
			config.seed = i;
			restart();
			spin_init(&hand_over.lock, "hand-over", LOCK_RANK_NONE, 0);
			hand_over.page = nullptr;
			scenario();
			ASSERT_FALSE(HasFailure()) << "seed " << config.seed;
		}
	}

	unsigned operations() const
	{
		return config.mode == HOST_THREADS ? 3000 : 400;
	}

	/* The page is this CPU's alone, so what it writes there stays. */
	static void stamp(vm_page_t m)
	{
		*reinterpret_cast<uint64_t *>(bytes_of(m)) = stamp_of(m);
	}

	static uint64_t stamp_of(vm_page_t m)
	{
		return VM_PAGE_TO_PHYS(m) * 64 + arch_cpu_id();
	}

	static void expect_stamp(vm_page_t m)
	{
		EXPECT_EQ(*reinterpret_cast<uint64_t *>(bytes_of(m)), stamp_of(m));
	}

	/* Gives back what another CPU left, leaves `m` in its place. */
	void leave(vm_page_t m)
	{
		spin_lock(&hand_over.lock);
		std::swap(m, hand_over.page);
		spin_unlock(&hand_over.lock);
		if (m != nullptr)
			vm_page_free(m);
	}

	/*
	 * Holds at most `quota` pages and gives all back. Returns how many allocations failed.
	 */
	unsigned worker(unsigned quota)
	{
		std::mt19937_64 random(config.seed * 64 + arch_cpu_id());
		std::vector<vm_page_t> held;
		unsigned failed = 0;

		for (unsigned i = 0; i < operations(); i++) {
			unsigned what = random() % 100;

			if (what == 0) {
				vm_magazine_drain();
			} else if (what < 56 && held.size() < quota) {
				vm_page_t m = vm_page_alloc(nullptr, 0, REQUEST);

				if (m == nullptr) {
					failed++;
					continue;
				}
				stamp(m);
				held.push_back(m);
			} else if (!held.empty()) {
				size_t k = random() % held.size();
				vm_page_t m = held[k];

				expect_stamp(m);
				held[k] = held.back();
				held.pop_back();
				if (what < 60)
					leave(m);
				else
					vm_page_free(m);
			}
		}
		for (vm_page_t m : held) {
			expect_stamp(m);
			vm_page_free(m);
		}
		return failed;
	}

	/* Every page is back, and every rule holds. */
	void expect_at_rest(const Blocks &before)
	{
		leave(nullptr);
		EXPECT_TRUE(audit_ok());
		EXPECT_EQ(pages_in(VM_PAGE_ALLOCATED), 0u);
		vm_magazine_drain();
		EXPECT_EQ(blocks(), before);
	}

	HandOver hand_over;
};

TEST_P(VmMagazineStressTest, NoPageIsLostOrGivenTwice)
{
	for_seeds([this] {
		Blocks before = blocks();

		on_all_cpus([this] { worker(40); });
		expect_at_rest(before);
	});
}

TEST_P(VmMagazineStressTest, ShortageIsSurvived)
{
	for_seeds([this] {
		Blocks before = blocks();

		on_all_cpus([this] { worker(100000); });
		expect_at_rest(before);
	});
}

/* Quotas, and one page that is handed over, sum up to less than there is: nobody goes without. */
TEST_P(VmMagazineStressTest, NoAllocationFailsWhilePagesAreCached)
{
	for_seeds([this] {
		std::vector<vm_page_t> ballast;
		unsigned quota = 6, leave_free = quota * config.cpus + 2 * config.cpus + 1;
		struct atomic32 failed = {0};
		Blocks before = blocks();

		while (vm_page_free_count() > leave_free)
			ballast.push_back(vm_page_alloc(nullptr, 0, REQUEST));
		on_all_cpus([&] { atomic32_add(&failed, worker(quota), MO_RELAXED); });
		EXPECT_EQ(atomic32_load(&failed, MO_RELAXED), 0u);
		for (vm_page_t m : ballast)
			vm_page_free(m);
		expect_at_rest(before);
	});
}

INSTANTIATE_TEST_SUITE_P(Coroutines, VmMagazineStressTest,
			 ::testing::Combine(::testing::Values(HOST_COROUTINES),
					    ::testing::Values(2, 3, 4, 8)));
INSTANTIATE_TEST_SUITE_P(Threads, VmMagazineStressTest,
			 ::testing::Combine(::testing::Values(HOST_THREADS),
					    ::testing::Values(2, 4, 8)));

} // namespace
} // namespace quire
