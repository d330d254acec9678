/* SPDX-License-Identifier: BSD-2-Clause */
/* Every case of quire_bench does what it says: a few operations, contents checked, audit clean. */
#include "bench/host/quire_cases.h"

#include <atomic>
#include <set>

#include "bench/host/crew.h"
#include "bench/host/machine.h"
#include "bench/host/shapes.h"
#include "vm/vm_audit.h"
#include "gtest/gtest.h"

namespace
{

class QuireCasesTest : public ::testing::TestWithParam<unsigned>
{
      protected:
	void SetUp() override
	{
		bench::machine_boot(GetParam());
		cases_ = bench::quire_cases();
	}

	void TearDown() override
	{
		cases_.clear();
		bench::machine_shut_down();
	}

	static uint64_t allocated()
	{
		struct vm_accounting acc;

		vm_accounting(&acc);
		return acc.allocated;
	}

	std::vector<bench::Case> cases_;
};

TEST_P(QuireCasesTest, EveryCaseKeepsContentsAndRules)
{
	unsigned threads = GetParam();
	size_t ran = 0;
	std::string broken;

	for (const bench::Case &c : cases_) {
		if (!c.runs_with(threads))
			continue;
		SCOPED_TRACE(c.name);
		bench::Workers workers = c.make(threads);

		ASSERT_EQ(workers.size(), threads);
		bench::crew_run(threads, [&](unsigned i) { workers[i]->verify(512); });
		bench::crew_run(threads, [&](unsigned i) { workers[i]->run(512); });
		EXPECT_TRUE(bench::machine_audit(&broken)) << broken;
		ran++;
	}
	EXPECT_GT(ran, 10u);
}

/* A case that kept its blocks would measure allocations only. */
TEST_P(QuireCasesTest, PagesComeBack)
{
	unsigned threads = GetParam();
	uint64_t before = 0;

	/* The first round fills caches, whose pages stay. */
	for (int round = 0; round < 2; round++) {
		before = allocated();
		for (const bench::Case &c : cases_)
			if (c.name.compare(0, 4, "page") == 0 && c.runs_with(threads)) {
				bench::Workers workers = c.make(threads);

				bench::crew_run(threads, [&](unsigned i) { workers[i]->run(512); });
			}
	}
	EXPECT_EQ(allocated(), before);
}

TEST_P(QuireCasesTest, NamesAreUnique)
{
	std::set<std::string> names;

	for (const bench::Case &c : cases_)
		EXPECT_TRUE(names.insert(c.name).second) << c.name;
}

TEST_P(QuireCasesTest, CrewRunsEveryShareOnceAndStopwatchEndsWithTheLast)
{
	unsigned threads = GetParam();
	std::atomic<unsigned> seen{0};
	bench::Stopwatch watch(threads);

	bench::crew_run(threads, [&](unsigned i) {
		watch.ready();
		seen.fetch_add(1u << (8 * i));
		watch.finished();
	});
	EXPECT_EQ(seen.load(), threads == 1 ? 1u : 0x101u);
	EXPECT_GE(watch.seconds(), 0.0);
}

INSTANTIATE_TEST_SUITE_P(Cpus, QuireCasesTest, ::testing::Values(1u, 2u));

/* Gives every block the same memory, as a broken allocator would. */
struct OneForAll : bench::PlainMemory {
	Block alloc(size_t) const
	{
		static char memory[64];

		return memory;
	}
	void free(Block, size_t) const
	{
	}
};

TEST(ShapesDeathTest, SharedMemoryIsNoticed)
{
	bench::Batch<OneForAll, 64> batch(OneForAll(), 64, 0);

	EXPECT_EXIT(batch.verify(64), ::testing::ExitedWithCode(1), "changed while it was alloc");
}

struct Empty : OneForAll {
	Block alloc(size_t) const
	{
		return nullptr;
	}
};

TEST(ShapesDeathTest, ShortageIsNoticed)
{
	bench::Pair<Empty> pair(Empty(), 64, 0);

	EXPECT_EXIT(pair.run(1), ::testing::ExitedWithCode(1), "no memory for a block of 64");
}

} // namespace
