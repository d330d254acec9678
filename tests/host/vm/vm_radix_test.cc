// SPDX-License-Identifier: BSD-2-Clause
#include "vm/vm_radix.h"

#include <map>

#include "tests/host/vm/pages_fixture.h"

namespace quire
{
namespace
{

constexpr vm_pindex_t LAST = UINT64_MAX;

class VmRadixTest : public PagesTest
{
      protected:
	using Model = std::map<vm_pindex_t, vm_page_t>;

	/* The tree never looks into a page, so any distinct addresses will do. */
	vm_page_t page(size_t i)
	{
		return &pages_[i % pages_.size()];
	}

	::testing::AssertionResult sound()
	{
		report_text()->clear();
		if (vm_radix_audit(&tree_, report_collect) != 0)
			return ::testing::AssertionFailure() << *report_text();
		return ::testing::AssertionSuccess();
	}

	/* Every index of the model, and the ones around, in order: lookup and lookup_ge agree. */
	void expect_equals(const Model &model)
	{
		vm_pindex_t at = 0;

		for (const auto &[index, expected] : model) {
			vm_pindex_t found = 0;

			ASSERT_EQ(vm_radix_lookup(&tree_, index), expected);
			ASSERT_EQ(vm_radix_lookup_ge(&tree_, at, &found), expected) << at;
			ASSERT_EQ(found, index);
			at = index + 1;
		}
		if (at != 0 || model.empty()) {
			vm_pindex_t found;

			ASSERT_EQ(vm_radix_lookup_ge(&tree_, at, &found), nullptr) << at;
		}
		ASSERT_TRUE(sound());
	}

	/* 10^5 operations on indices that next() draws. */
	template <typename Next> void run_against_model(uint64_t seed, Next next)
	{
		std::mt19937_64 random(seed);
		Model model;

		for (unsigned i = 0; i < 100000; i++) {
			vm_pindex_t index = next(random);
			auto it = model.find(index);
			vm_pindex_t found = 0;

			switch (random() % 4) {
			case 0:
			case 1: /* the tree fills up and empties in waves */
				if ((i / 5000) % 2 == 0)
					insert(&model, index, page(i));
				else
					remove(&model, index);
				break;
			case 2:
				ASSERT_EQ(vm_radix_lookup(&tree_, index),
					  it == model.end() ? nullptr : it->second);
				break;
			case 3:
				it = model.lower_bound(index);
				ASSERT_EQ(vm_radix_lookup_ge(&tree_, index, &found),
					  it == model.end() ? nullptr : it->second);
				if (it != model.end()) {
					ASSERT_EQ(found, it->first);
				}
				break;
			}
			if ((i & (i - 1)) == 0)
				expect_equals(model);
			if (HasFatalFailure())
				return;
		}
		expect_equals(model);
		while (!model.empty() && !HasFatalFailure())
			remove(&model, model.begin()->first);
		EXPECT_EQ(tree_.height, 0u);
		EXPECT_EQ(tree_.root, nullptr);
	}

	void insert(Model *model, vm_pindex_t index, vm_page_t m)
	{
		bool is_new = model->emplace(index, m).second;

		ASSERT_EQ(vm_radix_insert(&tree_, index, m),
			  is_new ? KERN_SUCCESS : KERN_INVALID_ARGUMENT);
	}

	void remove(Model *model, vm_pindex_t index)
	{
		auto it = model->find(index);

		ASSERT_EQ(vm_radix_remove(&tree_, index),
			  it == model->end() ? nullptr : it->second);
		if (it != model->end())
			model->erase(it);
	}

	/* Where nothing is: all of the n indices, else what vm_radix_place would refuse. */
	void place_run(Model *model, vm_pindex_t index, unsigned n, unsigned seed)
	{
		auto next = model->lower_bound(index);
		vm_page_t *places;

		if (next != model->end() && next->first - index < n)
			return;
		places = vm_radix_place(&tree_, index, n);
		ASSERT_NE(places, nullptr);
		for (unsigned i = 0; i < n; i++) {
			places[i] = page(seed + i);
			model->emplace(index + i, places[i]);
		}
	}

	/* Takes [index, end) out run by run, as the model says where they begin and end. */
	void take_run(Model *model, vm_pindex_t index, vm_pindex_t end)
	{
		auto it = model->lower_bound(index);

		while (it != model->end() && it->first < end) {
			vm_pindex_t first = it->first;
			unsigned n = 0;

			while (it != model->end() && it->first < end && it->first == first + n &&
			       it->first / VM_RADIX_RUN == first / VM_RADIX_RUN) {
				it = model->erase(it);
				n++;
			}
			vm_radix_remove_run(&tree_, first, n);
		}
	}

	void expect_run(const Model &model, vm_pindex_t index)
	{
		unsigned n;
		vm_page_t const *pages = vm_radix_run(&tree_, index, &n);
		unsigned expected = 0;

		while (model.count(index + expected) != 0 &&
		       (index + expected) / VM_RADIX_RUN == index / VM_RADIX_RUN) {
			if (expected < n) {
				ASSERT_EQ(pages[expected], model.at(index + expected));
			}
			expected++;
			if (index + expected == 0)
				break;
		}
		ASSERT_EQ(n, expected);
	}

	std::vector<struct vm_page> pages_ = std::vector<struct vm_page>(1000);
	struct vm_radix tree_ = {};
};

TEST_F(VmRadixTest, EmptyTreeHasNothing)
{
	vm_pindex_t found;

	EXPECT_EQ(vm_radix_lookup(&tree_, 0), nullptr);
	EXPECT_EQ(vm_radix_lookup(&tree_, LAST), nullptr);
	EXPECT_EQ(vm_radix_lookup_ge(&tree_, 0, &found), nullptr);
	EXPECT_EQ(vm_radix_remove(&tree_, 7), nullptr);
	EXPECT_TRUE(sound());
}

TEST_F(VmRadixTest, HeightIsThatOfTheLargestIndex)
{
	EXPECT_EQ(vm_radix_insert(&tree_, 63, page(0)), KERN_SUCCESS);
	EXPECT_EQ(tree_.height, 1u);
	EXPECT_EQ(vm_radix_insert(&tree_, 64, page(1)), KERN_SUCCESS);
	EXPECT_EQ(tree_.height, 2u);
	EXPECT_EQ(vm_radix_insert(&tree_, LAST, page(2)), KERN_SUCCESS);
	EXPECT_EQ(tree_.height, 11u);
	EXPECT_TRUE(sound());
	EXPECT_EQ(vm_radix_remove(&tree_, LAST), page(2));
	EXPECT_EQ(tree_.height, 2u);
	EXPECT_EQ(vm_radix_remove(&tree_, 64), page(1));
	EXPECT_EQ(tree_.height, 1u);
	EXPECT_EQ(vm_radix_lookup(&tree_, 63), page(0));
	EXPECT_TRUE(sound());
}

TEST_F(VmRadixTest, TakenIndexIsRefused)
{
	EXPECT_EQ(vm_radix_insert(&tree_, 5, page(0)), KERN_SUCCESS);
	EXPECT_EQ(vm_radix_insert(&tree_, 5, page(1)), KERN_INVALID_ARGUMENT);
	EXPECT_EQ(vm_radix_lookup(&tree_, 5), page(0));
}

TEST_F(VmRadixTest, LookupGeWorksAtTheLargestIndices)
{
	vm_pindex_t found = 1;

	ASSERT_EQ(vm_radix_insert(&tree_, LAST, page(1)), KERN_SUCCESS);
	EXPECT_EQ(vm_radix_lookup_ge(&tree_, 0, &found), page(1));
	EXPECT_EQ(found, LAST);
	EXPECT_EQ(vm_radix_lookup_ge(&tree_, LAST, &found), page(1));
	ASSERT_EQ(vm_radix_insert(&tree_, LAST - 64, page(2)), KERN_SUCCESS);
	EXPECT_EQ(vm_radix_lookup_ge(&tree_, LAST - 63, &found), page(1));
	EXPECT_EQ(vm_radix_remove(&tree_, LAST), page(1));
	EXPECT_EQ(vm_radix_lookup_ge(&tree_, LAST - 63, &found), nullptr);
	EXPECT_EQ(vm_radix_lookup_ge(&tree_, LAST, &found), nullptr);
	EXPECT_EQ(vm_radix_lookup_ge(&tree_, LAST - 64, &found), page(2));
	EXPECT_EQ(found, LAST - 64);
}

TEST_F(VmRadixTest, EqualsModelWhenDense)
{
	run_against_model(1, [](std::mt19937_64 &random) { return random() % 1000; });
}

TEST_F(VmRadixTest, EqualsModelWhenSparse)
{
	std::vector<vm_pindex_t> pool;
	std::mt19937_64 random(2);

	for (unsigned i = 0; i < 300; i++) /* of all lengths */
		pool.push_back(random() >> (random() % 64));
	run_against_model(3, [&](std::mt19937_64 &r) { return pool[r() % pool.size()]; });
}

TEST_F(VmRadixTest, EqualsModelAtTheUpperEnd)
{
	run_against_model(4, [](std::mt19937_64 &random) { return LAST - random() % 5000; });
}

TEST_F(VmRadixTest, RunsEqualTheModel)
{
	std::mt19937_64 random(5);
	Model model;

	for (unsigned i = 0; i < 20000 && !HasFatalFailure(); i++) {
		vm_pindex_t index = random() % 1000;
		unsigned n = 1 + (unsigned)(random() % (VM_RADIX_RUN - index % VM_RADIX_RUN));

		if ((i / 2000) % 2 == 0)
			place_run(&model, index, n, i);
		else
			take_run(&model, index, index + random() % 200);
		expect_run(model, random() % 1000);
		if (i % 100 == 0)
			expect_equals(model);
	}
	take_run(&model, 0, LAST);
	EXPECT_TRUE(model.empty());
	EXPECT_EQ(tree_.root, nullptr);
}

TEST_F(VmRadixTest, RunAtTheLargestIndices)
{
	Model model;

	place_run(&model, LAST - 63, 64, 0);
	place_run(&model, LAST - 64, 1, 0);
	expect_equals(model);
	expect_run(model, LAST - 63);
	take_run(&model, LAST - 2, LAST);
	take_run(&model, 0, LAST);
	EXPECT_EQ(model.size(), 1u) << "the end is exclusive";
	EXPECT_EQ(vm_radix_remove(&tree_, LAST), model[LAST]);
}

TEST_F(VmRadixTest, FailedPlaceChangesNothingWhicheverNodeIsMissing)
{
	struct host_fault_plan plan = {};
	Model model;
	vm_page_t *places;

	insert(&model, 3, page(3));
	plan.policy = HOST_FAULT_NTH;
	plan.site = "vm_radix_insert";
	for (plan.nth = 1;; plan.nth++) {
		host_fault_arm(&plan);
		places = vm_radix_place(&tree_, LAST - 63, 64);
		host_fault_disarm();
		if (places != nullptr)
			break;
		expect_equals(model);
	}
	EXPECT_GT(plan.nth, 10u);
	for (unsigned i = 0; i < 64; i++) {
		places[i] = page(i);
		model[LAST - 63 + i] = page(i);
	}
	expect_equals(model);
	remove(&model, LAST);
	take_run(&model, 0, LAST);
}

using VmRadixDeathTest = VmRadixTest;

TEST_F(VmRadixDeathTest, PlaceThatIsTakenIsRefused)
{
	Model model;

	insert(&model, 70, page(1));
	EXPECT_DEATH(vm_radix_place(&tree_, 65, 6), "one is taken");
	EXPECT_DEATH(vm_radix_place(&tree_, 60, 5), "check failed");
	EXPECT_DEATH(vm_radix_remove_run(&tree_, 69, 2), "check failed");
	place_run(&model, 65, 5, 0);
	expect_equals(model);
	take_run(&model, 0, 100);
}

TEST_F(VmRadixTest, NodesGoBackWhenTheTreeIsEmpty)
{
	uint64_t before = pages_in(VM_PAGE_META);

	for (unsigned i = 0; i < 2000; i++)
		ASSERT_EQ(vm_radix_insert(&tree_, (vm_pindex_t)i * 4096, page(i)), KERN_SUCCESS);
	EXPECT_GT(pages_in(VM_PAGE_META), before);
	for (unsigned i = 0; i < 2000; i++)
		ASSERT_EQ(vm_radix_remove(&tree_, (vm_pindex_t)i * 4096), page(i));
	/* The pool may keep what it likes to have at hand, but not one slab for each node. */
	EXPECT_LE(pages_in(VM_PAGE_META), before + 2);
}

TEST_F(VmRadixTest, FailedInsertChangesNothingWhicheverNodeIsMissing)
{
	/* From an empty tree, into a tree that must grow, and below an existing path. */
	const std::vector<vm_pindex_t> starts[] = {{}, {0}, {5, 64 * 64 * 64}, {LAST}};
	const vm_pindex_t targets[] = {LAST - 1, LAST >> 1, 64 * 64 * 64 * 7, 70};

	for (const auto &start : starts) {
		Model model;

		for (vm_pindex_t index : start)
			insert(&model, index, page(index));
		for (vm_pindex_t target : targets) {
			struct host_fault_plan plan = {};
			unsigned failures = 0;
			int rv;

			plan.policy = HOST_FAULT_NTH;
			plan.site = "vm_radix_insert";
			for (plan.nth = 1;; plan.nth++) {
				host_fault_arm(&plan);
				rv = vm_radix_insert(&tree_, target, page(9));
				host_fault_disarm();
				if (rv == KERN_SUCCESS)
					break;
				ASSERT_EQ(rv, KERN_RESOURCE_SHORTAGE);
				failures++;
				expect_equals(model);
			}
			EXPECT_EQ(vm_radix_remove(&tree_, target), page(9));
			EXPECT_EQ(failures, host_fault_calls()) << "each node failed once";
			expect_equals(model);
		}
		while (!model.empty())
			remove(&model, model.begin()->first);
	}
}

TEST_F(VmRadixTest, AuditFindsAHeightWithoutARoot)
{
	tree_.height = 1;
	EXPECT_FALSE(sound());
	tree_.height = 0;
	ASSERT_EQ(vm_radix_insert(&tree_, 0, page(0)), KERN_SUCCESS);
	tree_.height = 12;
	EXPECT_FALSE(sound());
	tree_.height = 1;
	EXPECT_TRUE(sound());
	vm_radix_remove(&tree_, 0);
}

/* What a node begins with. */
struct NodeHeader {
	uint64_t present;
	void *slots[64];
};

TEST_F(VmRadixTest, AuditSeesEachPartOfANode)
{
	ASSERT_EQ(vm_radix_insert(&tree_, 0, page(0)), KERN_SUCCESS);
	ASSERT_EQ(vm_radix_insert(&tree_, 64, page(1)), KERN_SUCCESS);
	auto *root = reinterpret_cast<NodeHeader *>(tree_.root);
	auto *leaf = static_cast<NodeHeader *>(root->slots[1]);
	auto expect_found = [this](auto *field, auto value, const char *text) {
		auto before = *field;

		*field = value;
		EXPECT_FALSE(sound());
		EXPECT_NE(report_text()->find(text), std::string::npos) << *report_text();
		*field = before;
	};

	expect_found(&leaf->present, UINT64_C(0), "a node is empty");
	expect_found(&leaf->present, UINT64_C(3), "a slot and its bit differ");
	expect_found(&root->slots[1], static_cast<void *>(nullptr), "a slot and its bit differ");
	expect_found(&root->present, UINT64_C(1), "higher than it need be");
	EXPECT_TRUE(sound());
	vm_radix_remove(&tree_, 0);
	vm_radix_remove(&tree_, 64);

	ASSERT_EQ(vm_radix_insert(&tree_, LAST, page(0)), KERN_SUCCESS);
	root = reinterpret_cast<NodeHeader *>(tree_.root);
	expect_found(&root->present, root->present | UINT64_C(1) << 16,
		     "a slot lies beyond the largest index");
	vm_radix_remove(&tree_, LAST);
}

} // namespace
} // namespace quire
