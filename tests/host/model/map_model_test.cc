/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random sequences of all operations on nested maps, against the array of map_model.h.
 *
 * QUIRE_MODEL_OPS: operations of each seed (default: a million in all seeds together).
 * QUIRE_MODEL_SEED: only this seed; with the seed that a failure names, the same run again.
 */
#include "tests/host/model/map_memory_ops.h"

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

class MapModelTest : public quire::MapMemoryOps, public ::testing::WithParamInterface<unsigned>
{
      protected:
	uint64_t steps_with_large_pages_ = 0;
	using Operation = void (MapModelTest::*)(Pair &pair);

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

	void step()
	{
		Pair &pair = some_map();
		vm_offset_t va = pair.model->min + ptoa(random(pair.model->pages.size()));
		size_t index = (size_t)(&pair - maps_.data());

		(this->*some_operation())(pair);
		steps_with_large_pages_ += kernel_pmap->large_mapped != 0;
		if (failed_)
			return;
		compare_map(maps_[index]);
		compare_entry(maps_[index], va);
		if (!failed_ && supply(1) == ENOUGH)
			compare_access(va);
	}

	struct Weighted {
		unsigned weight;
		Operation operation;
	};

	Operation some_operation()
	{
		static const Weighted operations[] = {
		    {3, &MapModelTest::do_findspace},      {3, &MapModelTest::do_lookup},
		    {6, &MapModelTest::do_insert},         {5, &MapModelTest::do_find},
		    {4, &MapModelTest::do_clip},           {1, &MapModelTest::do_submap},
		    {1, &MapModelTest::do_submap_refused}, {8, &MapModelTest::do_protect},
		    {7, &MapModelTest::do_wire},           {6, &MapModelTest::do_unwire},
		    {8, &MapModelTest::do_remove},         {10, &MapModelTest::do_free},
		    {6, &MapModelTest::do_alloc},          {3, &MapModelTest::do_nofault},
		    {6, &MapModelTest::do_malloc},         {4, &MapModelTest::do_back},
		    {3, &MapModelTest::do_alloc_attr},     {3, &MapModelTest::do_alloc_contig},
		    {6, &MapModelTest::do_alloc_wait},     {10, &MapModelTest::do_touch},
		    {1, &MapModelTest::do_clear},          {1, &MapModelTest::do_scan},
		    {1, &MapModelTest::do_swap_limit},
		};
		static const unsigned total = [] {
			unsigned sum = 0;

			for (const Weighted &one : operations)
				sum += one.weight;
			return sum;
		}();
		uint64_t draw = random(total);

		for (const Weighted &one : operations) {
			if (draw < one.weight)
				return one.operation;
			draw -= one.weight;
		}
		return operations[0].operation;
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
