// SPDX-License-Identifier: BSD-2-Clause
#include "lib/parse.h"

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace
{

struct Number {
	const char *text;
	parse_status status;
	uint64_t value;
};

TEST(ParseU64, AcceptsNumbersAndNamesWhatIsWrong)
{
	const Number table[] = {
	    {"0", PARSE_OK, 0},
	    {"42", PARSE_OK, 42},
	    {"007", PARSE_OK, 7},
	    {"0x10", PARSE_OK, 16},
	    {"0XfF", PARSE_OK, 255},
	    {"18446744073709551615", PARSE_OK, UINT64_MAX},
	    {"0xffffffffffffffff", PARSE_OK, UINT64_MAX},
	    {"18446744073709551616", PARSE_OVERFLOW, 0},
	    {"0x10000000000000000", PARSE_OVERFLOW, 0},
	    {"99999999999999999999999", PARSE_OVERFLOW, 0},
	    {"99999999999999999999999z", PARSE_BAD, 0},
	    {"", PARSE_EMPTY, 0},
	    {"-1", PARSE_BAD, 0},
	    {"+1", PARSE_BAD, 0},
	    {" 1", PARSE_BAD, 0},
	    {"1 ", PARSE_BAD, 0},
	    {"0x", PARSE_BAD, 0},
	    {"x1", PARSE_BAD, 0},
	    {"1f", PARSE_BAD, 0},
	    {"1K", PARSE_BAD, 0},
	    {"0xg", PARSE_BAD, 0},
	};

	for (const Number &n : table) {
		uint64_t value = 0xdead;

		EXPECT_EQ(parse_u64(n.text, strlen(n.text), &value), n.status) << n.text;
		EXPECT_EQ(value, n.status == PARSE_OK ? n.value : 0xdead) << n.text;
	}
}

TEST(ParseSize, UnderstandsSuffixes)
{
	const Number table[] = {
	    {"512", PARSE_OK, 512},
	    {"1K", PARSE_OK, 1024},
	    {"64m", PARSE_OK, 64ull << 20},
	    {"0x2G", PARSE_OK, 2ull << 30},
	    {"16777215T", PARSE_OK, 16777215ull << 40},
	    {"16777216T", PARSE_OVERFLOW, 0},
	    {"18446744073709551616K", PARSE_OVERFLOW, 0},
	    {"0T", PARSE_OK, 0},
	    {"K", PARSE_BAD, 0},
	    {"", PARSE_EMPTY, 0},
	    {"1KK", PARSE_BAD, 0},
	    {"1.5G", PARSE_BAD, 0},
	    {"1P", PARSE_BAD, 0},
	};

	for (const Number &n : table) {
		uint64_t value = 0xdead;

		EXPECT_EQ(parse_size(n.text, strlen(n.text), &value), n.status) << n.text;
		EXPECT_EQ(value, n.status == PARSE_OK ? n.value : 0xdead) << n.text;
	}
}

TEST(ParseU64, ReadsNoFurtherThanTheLength)
{
	uint64_t value;

	EXPECT_EQ(parse_u64("1234", 2, &value), PARSE_OK);
	EXPECT_EQ(value, 12u);
}

TEST(ParseStatus, HasAWordForEach)
{
	EXPECT_STREQ(parse_status_text(PARSE_OK), "ok");
	EXPECT_STREQ(parse_status_text(PARSE_EMPTY), "empty");
	EXPECT_STREQ(parse_status_text(PARSE_BAD), "not a number");
	EXPECT_STREQ(parse_status_text(PARSE_OVERFLOW), "too large");
}

std::vector<std::string> words(const std::string &text)
{
	std::vector<std::string> all;
	parse_cursor cursor;
	parse_word word;

	parse_begin(&cursor, text.data(), text.size());
	while (parse_next_word(&cursor, &word))
		all.emplace_back(word.s, word.len);
	return all;
}

std::vector<std::string> pieces(const std::string &text)
{
	std::vector<std::string> all;
	parse_cursor cursor;
	parse_word word;

	parse_begin(&cursor, text.data(), text.size());
	while (parse_next_piece(&cursor, ';', &word))
		all.emplace_back(word.s, word.len);
	return all;
}

using Strings = std::vector<std::string>;

TEST(ParseWords, SplitsAtBlanks)
{
	EXPECT_EQ(words(""), Strings());
	EXPECT_EQ(words(" \t\r\n"), Strings());
	EXPECT_EQ(words("one"), Strings({"one"}));
	EXPECT_EQ(words("  one two\tthree\n"), Strings({"one", "two", "three"}));
}

TEST(ParsePieces, SplitsAtTheSeparatorAndTrims)
{
	EXPECT_EQ(pieces(""), Strings());
	EXPECT_EQ(pieces("cpus"), Strings({"cpus"}));
	EXPECT_EQ(pieces("cpus; alloc 1 2 ;audit"), Strings({"cpus", "alloc 1 2", "audit"}));
	EXPECT_EQ(pieces(" ; ;x;"), Strings({"", "", "x"}));
}

TEST(ParseWords, AnyBytesAreHarmless)
{
	std::mt19937 random(7);

	for (int i = 0; i < 20000; i++) {
		std::vector<char> text(random() % 20);
		uint64_t value;
		size_t total = 0;
		parse_cursor cursor;
		parse_word word;

		for (char &c : text)
			c = "0123456789xXkKmMgGtT af;\t\xff"[random() % 26];
		(void)parse_u64(text.data(), text.size(), &value);
		(void)parse_size(text.data(), text.size(), &value);
		parse_begin(&cursor, text.data(), text.size());
		while (parse_next_word(&cursor, &word))
			total += word.len;
		EXPECT_LE(total, text.size());
	}
}

} // namespace
