// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/log_ring.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace
{

class LogRing : public testing::Test
{
      protected:
	char bytes[16];
	struct log_ring ring = {bytes, sizeof(bytes), 0};

	void append(const std::string &text)
	{
		log_ring_append(&ring, text.data(), text.size());
	}

	std::string read(uint64_t *position, size_t size)
	{
		std::string out(size, '\0');

		out.resize(log_ring_read(&ring, position, &out[0], size));
		return out;
	}

	std::string all()
	{
		uint64_t position = log_ring_first_line(&ring);

		return read(&position, 100);
	}
};

TEST_F(LogRing, EmptyHasNothing)
{
	EXPECT_EQ("", all());
}

TEST_F(LogRing, KeepsEverythingThatFits)
{
	append("one\n");
	append("two\n");
	EXPECT_EQ("one\ntwo\n", all());
	append("12345678");
	EXPECT_EQ("one\ntwo\n12345678", all());
}

TEST_F(LogRing, DropsWholeOldestLines)
{
	append("one\ntwo\nthree\nfour\n");
	EXPECT_EQ("two\nthree\nfour\n", all());
	append("five");
	EXPECT_EQ("three\nfour\nfive", all());
}

TEST_F(LogRing, KeepsTheRestOfALineLongerThanTheBuffer)
{
	append("a line much longer than the ring");
	EXPECT_EQ(std::string("a line much longer than the ring").substr(32 - 16), all());
	append("\n");
	EXPECT_EQ(16u, all().size());
}

TEST_F(LogRing, ReadsInPieces)
{
	uint64_t position = 0;

	append("one\ntwo\n");
	EXPECT_EQ("one", read(&position, 3));
	EXPECT_EQ("\ntwo\n", read(&position, 10));
	EXPECT_EQ("", read(&position, 10));
	append("six\n");
	EXPECT_EQ("six\n", read(&position, 10));
}

TEST_F(LogRing, AReaderThatWasOvertakenGoesOnAtALine)
{
	uint64_t position = 0;

	append("one\ntwo\n");
	EXPECT_EQ("on", read(&position, 2));
	append("three\nfour\nfive\n");
	EXPECT_EQ("four\nfive\n", read(&position, 100));
}

TEST_F(LogRing, AgreesWithAString)
{
	std::mt19937 random(3);
	std::string model;

	for (int round = 0; round < 2000; round++) {
		std::string text(random() % 8, '\0');

		for (char &c : text)
			c = random() % 4 ? 'x' : '\n';
		append(text);
		model += text;
		/* What can be read is always the end of what was written. */
		std::string seen = all();

		ASSERT_LE(seen.size(), model.size());
		ASSERT_EQ(model.substr(model.size() - seen.size()), seen);
		ASSERT_LE(seen.size(), sizeof(bytes));
	}
}

} // namespace
