/* SPDX-License-Identifier: BSD-2-Clause */
/* Random operations on zones beside a model that knows who has what. */
#include <random>

#include "tests/host/vm/uma_fixture.h"

namespace quire
{

struct Held {
	unsigned zone;
	int value; /* what its bytes were filled with */
};

/* What must be true of the items that were handed out, and of what zones say about them. */
class ZoneModel
{
      public:
	ZoneModel(uint64_t seed, bool debug) : random_(seed)
	{
		uma_set_debug(debug);
		for (size_t size : {16, 40, 200, 512, 900, 4096, 9000})
			add(size);
	}

	void step()
	{
		unsigned what = pick(100);

		if (what < 45)
			alloc();
		else if (what < 88)
			free_one();
		else if (what < 91)
			uma_zone_reclaim(zone_[pick(zone_.size())]);
		else if (what < 93)
			uma_reclaim();
		else if (what < 95)
			set_limit();
		else if (what < 97)
			uma_prealloc(zone_[pick(zone_.size())], (int)pick(40));
		else
			replace_zone();
	}

	void check()
	{
		for (unsigned i = 0; i < zone_.size(); i++) {
			ASSERT_EQ(uma_zone_get_cur(zone_[i]), (int)live_[i]);
			if (limit_[i] != 0) {
				ASSERT_EQ(uma_zone_get_max(zone_[i]), (int)limit_[i]);
			}
		}
		for (auto &[item, held] : held_) {
			ASSERT_EQ(uma_zone_of(item), zone_[held.zone]);
			check_contents(item, held);
		}
	}

	void free_all()
	{
		while (!held_.empty())
			free_one();
		for (uma_zone_t zone : zone_)
			ASSERT_TRUE(uma_zdestroy(zone));
	}

      private:
	unsigned pick(size_t n)
	{
		return (unsigned)(random_() % n);
	}

	void add(size_t size)
	{
		zone_.push_back(uma_zcreate("model", size, nullptr, nullptr, nullptr, nullptr,
					    UMA_ALIGN_PTR, 0));
		ASSERT_NE(zone_.back(), nullptr);
		live_.push_back(0);
		limit_.push_back(0);
	}

	void check_contents(void *item, const Held &held)
	{
		size_t size = uma_zone_item_size(zone_[held.zone]);

		ASSERT_EQ(uma_bytes_differ(item, 0, size, held.value), size);
	}

	/* No byte of it belongs to another item. */
	void check_apart(void *item, size_t size)
	{
		auto next = held_.lower_bound(item);

		if (next != held_.end()) {
			ASSERT_LE((char *)item + size, (char *)next->first);
		}
		if (next == held_.begin())
			return;
		--next;
		ASSERT_LE((char *)next->first + uma_zone_item_size(zone_[next->second.zone]),
			  (char *)item);
	}

	void alloc()
	{
		unsigned i = pick(zone_.size());
		size_t size = uma_zone_item_size(zone_[i]);
		bool full = limit_[i] != 0 && live_[i] >= limit_[i];
		int flags =
		    (!full && pick(4) == 0 ? M_WAITOK : M_NOWAIT) | (pick(4) == 0 ? M_ZERO : 0);
		void *item = uma_zalloc(zone_[i], flags);
		Held held = {i, (int)pick(250)};

		ASSERT_EQ(item == nullptr, full);
		if (full)
			return;
		if (flags & M_ZERO) {
			ASSERT_EQ(uma_bytes_differ(item, 0, size, 0), size);
		}
		check_apart(item, size);
		uma_bytes_fill(item, 0, size, held.value);
		ASSERT_TRUE(held_.emplace(item, held).second);
		live_[i]++;
	}

	void free_one()
	{
		auto it = held_.begin();

		if (held_.empty())
			return;
		std::advance(it, pick(held_.size()));
		check_contents(it->first, it->second);
		uma_zfree(zone_[it->second.zone], it->first);
		live_[it->second.zone]--;
		held_.erase(it);
	}

	void set_limit()
	{
		unsigned i = pick(zone_.size());

		limit_[i] = pick(3) == 0 ? 0 : pick(60) + 1;
		uma_zone_set_max(zone_[i], (int)limit_[i]);
	}

	/* One without items, if there is one, for a new one of its size. */
	void replace_zone()
	{
		unsigned i = pick(zone_.size());
		size_t size = uma_zone_item_size(zone_[i]);

		if (live_[i] != 0)
			return;
		ASSERT_TRUE(uma_zdestroy(zone_[i]));
		zone_[i] = uma_zcreate("model", size, nullptr, nullptr, nullptr, nullptr, 7, 0);
		ASSERT_NE(zone_[i], nullptr);
		limit_[i] = 0;
	}

	std::mt19937_64 random_;
	std::vector<uma_zone_t> zone_;
	std::vector<size_t> live_, limit_;
	std::map<void *, Held> held_;
};

class UmaModelTest : public UmaTest, public ::testing::WithParamInterface<int>
{
};

TEST_P(UmaModelTest, RandomOperationsAgreeWithTheModel)
{
	for (bool debug : {false, true}) {
		struct host_config config = {};

		config.cpus = 2;
		config.seed = (uint64_t)GetParam();
		/* Two domains and a hole. */
		config.ranges[0] = {0x100000, 0x2100000, 0};
		config.ranges[1] = {0x4000000, 0x6000000, 1};
		config.range_count = 2;
		boot(config);
		{
			ZoneModel model((uint64_t)GetParam(), debug);

			for (unsigned i = 0; i < 3000 && !HasFatalFailure(); i++) {
				model.step();
				if ((i & (i - 1)) == 0 || i % 500 == 0) {
					model.check();
					ASSERT_TRUE(audit_ok()) << i;
				}
			}
			model.check();
			model.free_all();
		}
		EXPECT_EQ(slab_pages(), 0u);
		EXPECT_TRUE(audit_ok());
		shut_down();
	}
}

INSTANTIATE_TEST_SUITE_P(Seeds, UmaModelTest, ::testing::Range(1, 9));

} // namespace quire
