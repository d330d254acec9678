/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/host/machine.h"

extern "C" {
#include "arch/host/tlb.h"
}

#include <map>
#include <random>
#include <tuple>

#include <gtest/gtest.h>

namespace
{

using Key = std::tuple<bool, unsigned, uint64_t>;

struct Model {
	std::map<Key, uint64_t> entries;
	int balance = 0;

	static Key key(const struct tlb_entry &entry)
	{
		unsigned shift = MMU_LEVEL_SHIFT(entry.table ? entry.level + 1u : entry.level);

		return Key(entry.table, entry.level, entry.va >> shift);
	}
};

void count(void *ctx, const struct tlb_entry *, int change)
{
	static_cast<Model *>(ctx)->balance += change;
}

void drop(Model &model, vm_offset_t va, bool tables)
{
	for (unsigned level = 1; level <= 3; level++) {
		struct tlb_entry entry = {};

		entry.va = va;
		entry.level = (uint8_t)level;
		model.entries.erase(Model::key(entry));
		entry.table = true;
		if (tables)
			model.entries.erase(Model::key(entry));
	}
}

struct tlb_entry random_entry(std::mt19937_64 &random)
{
	struct tlb_entry entry = {};

	entry.va =
	    VM_MIN_KERNEL_ADDRESS + random() % 1024 * PAGE_SIZE + random() % 4 * SUPERPAGE_SIZE;
	entry.level = (uint8_t)(random() % 3 + 1);
	entry.table = random() % 4 == 0;
	entry.pa = random() % 4096 * PAGE_SIZE;
	return entry;
}

TEST(TlbTest, BehavesAsAMapDoes)
{
	std::mt19937_64 random(7);
	struct tlb tlb = {};
	Model model;

	for (unsigned i = 0; i < 200000; i++) {
		struct tlb_entry entry = random_entry(random), found = {};
		unsigned what = random() % 8;

		if (what < 4) {
			tlb_insert(&tlb, &entry, count, &model);
			model.entries[Model::key(entry)] = entry.pa;
		} else if (what < 7) {
			tlb_drop(&tlb, entry.va, entry.table, count, &model);
			drop(model, entry.va, entry.table);
		} else if (random() % 4000 == 0) {
			tlb_flush(&tlb, count, &model);
			model.entries.clear();
		}
		ASSERT_EQ(tlb.used, model.entries.size());
		ASSERT_EQ((size_t)model.balance, model.entries.size());
		if (tlb_find_table(&tlb, entry.va, entry.level, &found)) {
			ASSERT_EQ(model.entries.at(Model::key(found)), found.pa);
		}
		if (tlb_find_leaf(&tlb, entry.va, &found)) {
			ASSERT_EQ(model.entries.at(Model::key(found)), found.pa);
		}
	}
	tlb_destroy(&tlb);
}

TEST(TlbTest, EvictionEmptiesIt)
{
	std::mt19937_64 random(9);
	struct tlb tlb = {};
	Model model;

	for (unsigned i = 0; i < 500; i++) {
		struct tlb_entry entry = random_entry(random);

		tlb_insert(&tlb, &entry, count, &model);
	}
	while (tlb.used > 0)
		tlb_evict(&tlb, random(), count, &model);
	EXPECT_EQ(model.balance, 0);
	tlb_evict(&tlb, 1, count, &model);
	tlb_destroy(&tlb);
}

} // namespace
