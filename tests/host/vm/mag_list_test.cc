/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of magazines, one by one and in chains; what CPUs do to them at once is explored. */
#include "tests/host/vm/pages_fixture.h"
#include "vm/mag_cache_private.h"

namespace quire
{
namespace
{

class MagListTest : public PagesTest
{
      protected:
	MagListTest()
	{
		config_one_range(32 * MIB);
	}

	/* A chain of magazines with so many items each; the first one is its top. */
	struct mag *chain(std::vector<uint32_t> counts)
	{
		struct mag *top = nullptr;

		for (auto count = counts.rbegin(); count != counts.rend(); ++count) {
			struct mag *mag = mag_pool_get();

			mag->count = *count;
			mag_set_next(mag, top);
			top = mag;
		}
		return top;
	}

	static std::vector<uint32_t> counts(struct mag *chain)
	{
		std::vector<uint32_t> found;

		for (; chain != nullptr; chain = mag_next(chain))
			found.push_back(chain->count);
		return found;
	}

	bool push(std::vector<uint32_t> counts, uint32_t limit = UINT32_MAX)
	{
		return mag_list_push_chain(&list, chain(counts), limit, &retries);
	}

	std::vector<uint32_t> pop(unsigned want)
	{
		unsigned taken;
		std::vector<uint32_t> found =
		    counts(mag_list_pop_chain(&list, want, &taken, &retries));

		EXPECT_EQ(found.size(), taken);
		return found;
	}

	using Counts = std::vector<uint32_t>;
	struct atomic64 list = {};
	unsigned retries = 0;
};

TEST_F(MagListTest, AChainGoesOnTopInItsOrder)
{
	EXPECT_TRUE(mag_list_is_empty(&list));
	EXPECT_TRUE(push({3, 4}));
	EXPECT_TRUE(push({5, 6, 7}));
	EXPECT_FALSE(mag_list_is_empty(&list));
	EXPECT_EQ(mag_list_items(&list), 25u);
	EXPECT_EQ(pop(4), (Counts{5, 6, 7, 3}));
	EXPECT_EQ(mag_list_items(&list), 4u);
	EXPECT_EQ(pop(4), Counts{4});
	EXPECT_EQ(pop(4), Counts{});
	EXPECT_TRUE(mag_list_is_empty(&list));
	EXPECT_EQ(mag_list_items(&list), 0u);
}

TEST_F(MagListTest, SumsAreRightAtEachPlaceOfAChain)
{
	EXPECT_TRUE(push({9}));
	EXPECT_TRUE(push({1, 2, 3}));
	for (uint32_t left : {14u, 12u, 9u, 0u}) {
		EXPECT_NE(mag_list_pop(&list, &retries), nullptr);
		EXPECT_EQ(mag_list_items(&list), left);
	}
}

TEST_F(MagListTest, AChainThatIsRefusedStaysWhole)
{
	unsigned taken;

	EXPECT_TRUE(push({10}, 20));
	struct mag *refused = chain({5, 6});
	EXPECT_FALSE(mag_list_push_chain(&list, refused, 20, &retries));
	EXPECT_EQ(counts(refused), (Counts{5, 6}));
	EXPECT_EQ(mag_list_items(&list), 10u);
	EXPECT_TRUE(mag_list_push_chain(&list, refused, 21, &retries));
	EXPECT_EQ(mag_list_pop_chain(&list, 2, &taken, &retries), refused);
	EXPECT_EQ(mag_list_items(&list), 10u);
}

TEST_F(MagListTest, NoneIsAChainAsWell)
{
	EXPECT_TRUE(mag_list_push_chain(&list, nullptr, 0, &retries));
	EXPECT_TRUE(mag_list_is_empty(&list));
	EXPECT_EQ(retries, 0u);
}

TEST_F(MagListTest, OneMagazineMayHaveAnyLink)
{
	struct mag *two = chain({1, 2}), *below = mag_next(two);

	EXPECT_TRUE(mag_list_push(&list, two, UINT32_MAX, &retries));
	EXPECT_EQ(mag_list_items(&list), 1u);
	EXPECT_EQ(pop(5), Counts{1});
	EXPECT_EQ(counts(below), Counts{2});
}

} // namespace
} // namespace quire
