// SPDX-License-Identifier: BSD-2-Clause
#include "lib/cmdline.h"

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace
{

// One option as text: "key", "key=value" with the value unescaped, or "!text" when malformed.
std::string show(const cmdline_option &option)
{
	if (option.problem != nullptr)
		return "!" + std::string(option.text, option.text_len);

	std::string key(option.key, option.key_len);
	std::vector<char> value(cmdline_value(&option, nullptr, 0) + 1);

	EXPECT_EQ(cmdline_value(&option, value.data(), value.size()), value.size() - 1);
	return option.has_value ? key + "=" + std::string(value.data(), value.size() - 1) : key;
}

std::vector<std::string> options(const std::string &line)
{
	// Exactly as long as the line, so that a sanitizer sees every byte read behind it.
	std::vector<char> exact(line.begin(), line.end());
	std::vector<std::string> all;
	cmdline_iter iter;
	cmdline_option option;

	cmdline_begin(&iter, exact.data(), exact.size());
	while (cmdline_next(&iter, &option))
		all.push_back(show(option));
	return all;
}

using Strings = std::vector<std::string>;

TEST(Cmdline, EmptyAndBlankLinesHaveNoOptions)
{
	EXPECT_EQ(options(""), Strings());
	EXPECT_EQ(options("  \t\r\n "), Strings());
	EXPECT_EQ(options(std::string("\0smp=4", 6)), Strings());
}

TEST(Cmdline, KeysAndValues)
{
	EXPECT_EQ(options("smp=4 verbose  a.b-c_1=x=y"),
		  Strings({"smp=4", "verbose", "a.b-c_1=x=y"}));
	EXPECT_EQ(options("empty= next"), Strings({"empty=", "next"}));
}

TEST(Cmdline, AZeroByteEndsTheLine)
{
	EXPECT_EQ(options(std::string("a\0b", 3)), Strings({"a"}));
}

TEST(Cmdline, QuotesAroundTheValue)
{
	EXPECT_EQ(options("name=\"two words\" x"), Strings({"name=two words", "x"}));
	EXPECT_EQ(options("name=\"\" x"), Strings({"name=", "x"}));
}

TEST(Cmdline, QuotesAroundTheOptionAsGrubWritesThem)
{
	EXPECT_EQ(options("\"run=cpus; audit\" smp=2"), Strings({"run=cpus; audit", "smp=2"}));
	EXPECT_EQ(options("\"verbose\""), Strings({"verbose"}));
	EXPECT_EQ(options("\"say=a \\\"b\\\" \\\\ c\""), Strings({"say=a \"b\" \\ c"}));
}

TEST(Cmdline, BackslashesOutsideQuotesStay)
{
	EXPECT_EQ(options("path=a\\b"), Strings({"path=a\\b"}));
}

TEST(Cmdline, RunTakesTheRestOfTheLine)
{
	EXPECT_EQ(options("smp=4 run=cpus; alloc 3 4; audit  "),
		  Strings({"smp=4", "run=cpus; alloc 3 4; audit"}));
	EXPECT_EQ(options("start=stress 60 seed=7; audit"),
		  Strings({"start=stress 60 seed=7; audit"}));
	EXPECT_EQ(options("run="), Strings({"run="}));
	EXPECT_EQ(options("run=   "), Strings({"run="}));
	EXPECT_EQ(options("run=say \"x\" y=1"), Strings({"run=say \"x\" y=1"}));
	EXPECT_EQ(options("run x"), Strings({"run", "x"}));
}

TEST(Cmdline, RunInQuotesEndsWithThem)
{
	EXPECT_EQ(options("run=\"cpus; audit\" smp=2"), Strings({"run=cpus; audit", "smp=2"}));
}

TEST(Cmdline, MalformedPiecesAreNamedAndSkipped)
{
	EXPECT_EQ(options("=x a"), Strings({"!=x", "a"}));
	EXPECT_EQ(options("= a"), Strings({"!=", "a"}));
	EXPECT_EQ(options("k\x01y=1 a"), Strings({"!k\x01y=1", "a"}));
	EXPECT_EQ(options("\xff\xfe a"), Strings({"!\xff\xfe", "a"}));
	EXPECT_EQ(options("k=\"v\"w a"), Strings({"!k=\"v\"w", "a"}));
	EXPECT_EQ(options("k=v\"w a"), Strings({"!k=v\"w", "a"}));
	EXPECT_EQ(options("\"\" a"), Strings({"!\"\"", "a"}));
	EXPECT_EQ(options("\"two words\" a"), Strings({"!\"two words\"", "a"}));
}

TEST(Cmdline, AQuoteThatIsNotClosedTakesTheRest)
{
	EXPECT_EQ(options("a k=\"v w"), Strings({"a", "!k=\"v w"}));
	EXPECT_EQ(options("a \"k=v w"), Strings({"a", "!\"k=v w"}));
	EXPECT_EQ(options("\""), Strings({"!\""}));
	EXPECT_EQ(options("k=\"v\\\""), Strings({"!k=\"v\\\""}));
	EXPECT_EQ(options("k=\"v\\"), Strings({"!k=\"v\\"}));
}

TEST(CmdlineGet, FindsTheLastOne)
{
	char buf[16];

	EXPECT_EQ(cmdline_get("smp=4 x smp=2", "smp", buf, sizeof(buf)), CMDLINE_FOUND);
	EXPECT_STREQ(buf, "2");
	EXPECT_EQ(cmdline_get("smp=4 x", "x", buf, sizeof(buf)), CMDLINE_FOUND);
	EXPECT_STREQ(buf, "");
	EXPECT_EQ(cmdline_get("smp=4 x", "sm", buf, sizeof(buf)), CMDLINE_MISSING);
	EXPECT_EQ(cmdline_get("", "smp", buf, sizeof(buf)), CMDLINE_MISSING);
	EXPECT_STREQ(buf, "");
}

TEST(CmdlineGet, LeavesNothingOldInTheBuffer)
{
	char buf[4] = "old";

	EXPECT_EQ(cmdline_get("x", "smp", buf, sizeof(buf)), CMDLINE_MISSING);
	EXPECT_STREQ(buf, "");
	EXPECT_EQ(cmdline_get("smp=1", "smp", nullptr, 0), CMDLINE_CUT);
}

TEST(CmdlineGet, SaysWhenTheValueWasCut)
{
	char buf[4];

	EXPECT_EQ(cmdline_get("k=abc", "k", buf, sizeof(buf)), CMDLINE_FOUND);
	EXPECT_STREQ(buf, "abc");
	EXPECT_EQ(cmdline_get("k=abcd", "k", buf, sizeof(buf)), CMDLINE_CUT);
	EXPECT_STREQ(buf, "abc");
}

TEST(CmdlineGet, DoesNotLookInsideRunOrMalformedPieces)
{
	char buf[16];

	EXPECT_EQ(cmdline_get("run=smp=4 smp=5", "smp", buf, sizeof(buf)), CMDLINE_MISSING);
	EXPECT_EQ(cmdline_get("=smp=4", "smp", buf, sizeof(buf)), CMDLINE_MISSING);
}

TEST(Cmdline, AnyBytesAreHarmlessAndReadingAlwaysGoesOn)
{
	std::mt19937 random(3);
	const std::string alphabet = "abrun==\"\" \\;\t\x01\xff";

	for (int i = 0; i < 30000; i++) {
		std::vector<char> line(random() % 40);
		cmdline_iter iter;
		cmdline_option option;
		const char *end = line.data();

		for (char &c : line)
			c = alphabet[random() % alphabet.size()];
		cmdline_begin(&iter, line.data(), line.size());
		while (cmdline_next(&iter, &option)) {
			ASSERT_GE(option.text, end);
			ASSERT_GT(option.text_len, 0u);
			end = option.text + option.text_len;
			ASSERT_LE(end, line.data() + line.size());
			(void)show(option);
		}
	}
}

} // namespace
