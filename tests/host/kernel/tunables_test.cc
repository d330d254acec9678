// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/tunables.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "kernel/registry/sysctl.h"

namespace
{

unsigned number;
char text[8];
SYSCTL_UINT(number_node, "boot.number", SYSCTL_RW, &number, "a number");
SYSCTL_STRING(text_node, "boot.text", SYSCTL_RW, text, "a text");
SYSCTL_UINT(fixed_node, "boot.fixed", SYSCTL_RD, &number, "not to be set");

enum sysctl_status fussy(struct sysctl_oid *, bool write, uint64_t *, char *, size_t)
{
	return write ? SYSCTL_REFUSED : SYSCTL_OK;
}
SYSCTL_PROC(fussy_node, "boot.fussy", SYSCTL_TYPE_UINT, SYSCTL_RW, fussy, nullptr, "refuses all");

std::vector<std::string> reported;

void report(const char *line)
{
	reported.push_back(line);
}

bool is_option(const struct cmdline_option *option)
{
	return cmdline_key_is(option, "smp.max");
}

using Lines = std::vector<std::string>;

class Tunables : public testing::Test
{
      protected:
	void SetUp() override
	{
		struct sysctl_oid *nodes[] = {&number_node, &text_node, &fixed_node, &fussy_node};

		ASSERT_TRUE(sysctl_register_all(nodes, nitems(nodes)));
		number = 1;
		text[0] = '\0';
		reported.clear();
	}

	void apply(const std::string &line)
	{
		tunables_apply(line.c_str(), is_option, report);
	}
};

TEST_F(Tunables, SetTheSysctlOfTheirName)
{
	apply("boot.number=64K quiet boot.text=\"a b\" run=sysctl boot.number=3");
	EXPECT_EQ(number, 65536u);
	EXPECT_STREQ(text, "a b");
	EXPECT_EQ(reported, Lines{});
}

TEST_F(Tunables, TheLastOfSeveralCounts)
{
	apply("boot.number=2 boot.number=3");
	EXPECT_EQ(number, 3u);
}

TEST_F(Tunables, ValuesLoseTheirQuotesAndBackslashes)
{
	apply("boot.text=\"a\\\"b\"");
	EXPECT_STREQ(text, "a\"b");
}

TEST_F(Tunables, LeaveWhatHasNoDotsToTheOptions)
{
	apply("frobnicate=1 quiet smp.max=2");
	EXPECT_EQ(reported, Lines{});
}

TEST_F(Tunables, NameTheUnknownAndGoOn)
{
	std::string longer = "boot." + std::string(SYSCTL_NAME_MAX, 'x');

	apply("boot.numbers=2 . " + longer + "=1 boot.number=5");
	EXPECT_EQ(number, 5u);
	EXPECT_EQ(reported.size(), 3u);
	EXPECT_EQ(reported[0], "unknown option \"boot.numbers=2\" ignored");
	EXPECT_EQ(reported[1], "unknown option \".\" ignored");
}

TEST_F(Tunables, NameWhatIsNotTakenAndWhy)
{
	static const struct {
		const char *option, *why;
	} table[] = {
	    {"boot.number", "it needs a value"},
	    {"boot.number=", "not a value of its type"},
	    {"boot.number=x", "not a value of its type"},
	    {"boot.number=4294967296", "does not fit"},
	    {"boot.text=eight888", "does not fit"},
	    {"boot.fixed=2", "it is read-only"},
	    {"boot.fussy=2", "the value is refused"},
	};

	for (const auto &row : table) {
		reported.clear();
		apply(row.option);
		EXPECT_EQ(reported,
			  Lines{std::string("option \"") + row.option + "\" ignored: " + row.why});
	}
	EXPECT_EQ(number, 1u);
	EXPECT_STREQ(text, "");
}

TEST_F(Tunables, AValueTooLongDoesNotFit)
{
	apply("boot.text=" + std::string(SYSCTL_TEXT_MAX, 'x'));
	ASSERT_EQ(reported.size(), 1u);
	EXPECT_NE(reported[0].find("does not fit"), std::string::npos);
	EXPECT_STREQ(text, "");
}

TEST_F(Tunables, MalformedOptionsHaveBeenReportedAlready)
{
	apply("=1 boot.text=\"open");
	EXPECT_EQ(reported, Lines{});
}

TEST_F(Tunables, AnyBytesAreHarmless)
{
	std::mt19937 random(5);

	for (int round = 0; round < 3000; round++) {
		std::string line(random() % 200, 'x');

		for (char &c : line)
			c = random() % 3 ? "boot.number=text\" 1"[random() % 19]
					 : (char)(random() % 255 + 1);
		apply(line);
		EXPECT_LT(std::string(text, sizeof(text)).find('\0'), sizeof(text));
	}
}

} // namespace
