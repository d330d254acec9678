/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random sequences of all operations on nested maps, against the array of map_model.h.
 *
 * QUIRE_MODEL_OPS: operations of each seed (default: a million in all seeds together).
 * QUIRE_MODEL_SEED: only this seed; with the seed that a failure names, the same run again.
 */
#include "tests/host/model/map_steps.h"

namespace
{

constexpr unsigned SEEDS = 10;
constexpr uint64_t DEFAULT_OPS = 100000; /* of each */
constexpr uint64_t OPS_PER_MACHINE = 20000;
constexpr uint64_t AUDIT_EVERY = 1024;

uint64_t env_number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text != nullptr ? strtoull(text, nullptr, 0) : otherwise;
}

class MapModelTest : public quire::MapSteps, public ::testing::WithParamInterface<unsigned>
{
      protected:
	void run(uint64_t seed, uint64_t operations)
	{
		auto abort_handler = signal(SIGABRT, print_where_on_abort);

		where_ = {seed, 0, "begin", {0, 0, 0}};
		random_.seed(seed);
		for (uint64_t i = 0; i < operations && !failed_; i++) {
			where_.number = i;
			if (i % OPS_PER_MACHINE == 0)
				begin(seed + i, seed % 4 == 0 ? 2 : 1);
			step();
			if ((i + 1) % AUDIT_EVERY == 0)
				compare_everything();
			if ((i + 1) % OPS_PER_MACHINE == 0 || i + 1 == operations)
				end();
		}
		signal(SIGABRT, abort_handler);
		if (operations >= DEFAULT_OPS && !failed_)
			check_outcomes(operations / 1000);
	}

	/* A run in which an operation never did anything proves nothing about it. */
	void check_outcomes(uint64_t least)
	{
		for (auto &[name, outcomes] : outcomes_)
			EXPECT_GE(outcomes.good + outcomes.refused, least) << name;
		for (const char *name :
		     {"kmem_alloc", "kmem_alloc_attr", "kmem_alloc_contig", "kmem_alloc_wait",
		      "kmem_back", "kmem_free", "kmem_free_wakeup", "kmem_malloc", "vm_map_delete",
		      "vm_map_find", "vm_map_insert", "vm_map_protect", "vm_map_remove",
		      "vm_map_unwire", "vm_map_wire", "kmem_alloc_nofault_space"})
			EXPECT_GE(outcomes_[name].good, least) << name;
		EXPECT_GT(steps_with_large_pages_, 0u);
	}
};

TEST_P(MapModelTest, RandomOperationsAgreeWithAnArrayOfPages)
{
	if (getenv("QUIRE_MODEL_SEED") != nullptr && GetParam() != 0)
		GTEST_SKIP() << "one seed was asked for";
	run(env_number("QUIRE_MODEL_SEED", GetParam()), env_number("QUIRE_MODEL_OPS", DEFAULT_OPS));
}

INSTANTIATE_TEST_SUITE_P(Seeds, MapModelTest, ::testing::Range(0u, SEEDS));

} // namespace
