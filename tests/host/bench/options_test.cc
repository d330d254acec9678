// SPDX-License-Identifier: BSD-2-Clause
#include "bench/kernel/options.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace
{

/* Keeps the words that the options point into. */
struct Parsed {
	explicit Parsed(std::vector<std::string> words) : words_(std::move(words))
	{
		words_.insert(words_.begin(), "bench");
		for (std::string &word : words_)
			argv_.push_back(word.data());
		problem = bench_options_parse(&options, static_cast<int>(argv_.size()),
					      argv_.data(), &word);
	}

	bool chosen(const char *name) const
	{
		return bench_options_chosen(&options, name);
	}

	struct bench_options options;
	const char *problem;
	const char *word = nullptr;

      private:
	std::vector<std::string> words_;
	std::vector<char *> argv_;
};

} // namespace

TEST(BenchOptionsTest, NothingMeansEverything)
{
	Parsed parsed({});

	ASSERT_EQ(parsed.problem, nullptr);
	EXPECT_FALSE(parsed.options.quick);
	EXPECT_FALSE(parsed.options.list);
	EXPECT_EQ(parsed.options.modes, unsigned{BENCH_ALONE | BENCH_ALL});
	EXPECT_EQ(parsed.options.samples, unsigned{BENCH_SAMPLES});
	EXPECT_EQ(parsed.options.seed, 1u);
	EXPECT_TRUE(parsed.chosen("page.pair"));
}

TEST(BenchOptionsTest, SwitchesAndNames)
{
	Parsed parsed({"--quick", "--seed", "0x10", "--mode", "all", "--list", "page", "kmem.1"});

	ASSERT_EQ(parsed.problem, nullptr);
	EXPECT_TRUE(parsed.options.quick);
	EXPECT_TRUE(parsed.options.list);
	EXPECT_EQ(parsed.options.modes, unsigned{BENCH_ALL});
	EXPECT_EQ(parsed.options.samples, unsigned{BENCH_SAMPLES_QUICK});
	EXPECT_EQ(parsed.options.seed, 16u);
	EXPECT_TRUE(parsed.chosen("page.pair"));
	EXPECT_TRUE(parsed.chosen("kmem.1"));
	EXPECT_FALSE(parsed.chosen("kmem.16"));
	EXPECT_FALSE(parsed.chosen("zone.64"));
}

TEST(BenchOptionsTest, HelpIsASwitchOfItsOwn)
{
	EXPECT_TRUE(Parsed({"--help"}).options.help);
	EXPECT_FALSE(Parsed({"--list"}).options.help);
}

TEST(BenchOptionsTest, SamplesAreAskedForWhateverTheOrder)
{
	EXPECT_EQ(Parsed({"--samples", "5", "--quick"}).options.samples, 5u);
	EXPECT_EQ(Parsed({"--quick", "--samples", "5"}).options.samples, 5u);
}

TEST(BenchOptionsTest, BadWordsAreNamed)
{
	const struct {
		std::vector<std::string> words;
		std::string word;
	} rows[] = {
	    {{"--quickly"}, "--quickly"},    {{"--seed"}, "--seed"},
	    {{"--seed", "x"}, "x"},          {{"--samples", "0"}, "0"},
	    {{"--samples", "1001"}, "1001"}, {{"--samples", "-1"}, "-1"},
	    {{"--mode", "both"}, "both"},    {{"--quick", "--mode"}, "--mode"},
	};

	for (const auto &row : rows) {
		Parsed parsed(row.words);

		ASSERT_NE(parsed.problem, nullptr) << row.word;
		EXPECT_EQ(parsed.word, row.word);
	}
}

TEST(BenchOptionsTest, ANameCoversWhatItBeginsUpToADot)
{
	EXPECT_TRUE(bench_name_covers("kmem", "kmem.1"));
	EXPECT_TRUE(bench_name_covers("kmem.1", "kmem.1"));
	EXPECT_FALSE(bench_name_covers("kmem.1", "kmem.16"));
	EXPECT_FALSE(bench_name_covers("kme", "kmem.1"));
	EXPECT_FALSE(bench_name_covers("kmem.1.2", "kmem.1"));
	EXPECT_FALSE(bench_name_covers("", "kmem.1"));
}
