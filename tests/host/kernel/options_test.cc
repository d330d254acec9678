// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/options.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace
{

std::vector<std::string> taken, reported;

const char *take_flag(const char *value)
{
	taken.push_back(std::string("flag:") + value);
	return nullptr;
}

const char *take_run(const char *value)
{
	taken.push_back(std::string("run:") + value);
	return nullptr;
}

const char *take_number(const char *value)
{
	if (std::string(value) != "7")
		return "not seven";
	taken.push_back("number:7");
	return nullptr;
}

const struct option table[] = {
    {"flag", nullptr, "", take_flag},
    {"number", "N", "", take_number},
    {"run", "COMMANDS", "", take_run},
};

void report(const char *text)
{
	reported.push_back(text);
}

using Lines = std::vector<std::string>;

class Options : public testing::Test
{
      protected:
	void SetUp() override
	{
		taken.clear();
		reported.clear();
	}

	void apply(const std::string &line)
	{
		options_apply(table, 3, line.c_str(), report);
	}
};

TEST_F(Options, AppliesInOrder)
{
	apply("number=7 flag run=cpus; audit");
	EXPECT_EQ((Lines{"number:7", "flag:", "run:cpus; audit"}), taken);
	EXPECT_EQ(Lines{}, reported);
}

TEST_F(Options, NamesTheUnknownAndGoesOn)
{
	apply("frobnicate=1 flag");
	EXPECT_EQ(Lines{"unknown option \"frobnicate=1\" ignored"}, reported);
	EXPECT_EQ(Lines{"flag:"}, taken);
}

TEST_F(Options, LeavesUnknownDottedNamesToOthers)
{
	apply("a.b=1 flag c.d .=2 also=unknown");
	EXPECT_EQ(Lines{"unknown option \"also=unknown\" ignored"}, reported);
	EXPECT_EQ(Lines{"flag:"}, taken);
}

TEST_F(Options, NamesAValueThatTheOptionRefuses)
{
	apply("number=8 number=7");
	EXPECT_EQ(Lines{"option \"number=8\" ignored: not seven"}, reported);
	EXPECT_EQ(Lines{"number:7"}, taken);
}

TEST_F(Options, ChecksThatThereIsAValue)
{
	apply("flag=yes number");
	EXPECT_EQ((Lines{"option \"flag=yes\" ignored: it takes no value",
			 "option \"number\" ignored: it needs a value"}),
		  reported);
	EXPECT_EQ(Lines{}, taken);
}

TEST_F(Options, RefusesAValueThatIsTooLong)
{
	apply("run=" + std::string(OPTION_VALUE_MAX, 'x'));
	ASSERT_EQ(1u, reported.size());
	EXPECT_NE(std::string::npos, reported[0].find("its value is too long"));
	EXPECT_EQ(Lines{}, taken);
}

TEST_F(Options, CutsLongOptionsInMessages)
{
	apply(std::string(5000, 'z'));
	ASSERT_EQ(1u, reported.size());
	EXPECT_LT(reported[0].size(), 160u);
}

TEST_F(Options, MalformedOptionsAreNamed)
{
	apply("=1 flag");
	EXPECT_EQ(1u, reported.size());
	EXPECT_EQ(Lines{"flag:"}, taken);
}

TEST_F(Options, AnyBytesAreHarmless)
{
	std::mt19937 random(2);

	for (int round = 0; round < 3000; round++) {
		std::string line(random() % 300, 'x');

		for (char &c : line)
			c = random() % 2 ? (char)(random() % 255 + 1)
					 : "flag=\" run"[random() % 10];
		apply(line);
	}
}

} // namespace
