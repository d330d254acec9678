// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/shell_parse.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace
{

struct Command {
	std::vector<std::string> words;
	std::string problem;

	bool operator==(const Command &other) const
	{
		return words == other.words && problem == other.problem;
	}
};

void PrintTo(const Command &command, std::ostream *os)
{
	for (const std::string &word : command.words)
		*os << '[' << word << ']';
	*os << ' ' << command.problem;
}

std::vector<Command> split(const std::string &text)
{
	std::vector<Command> commands;
	struct parse_cursor cursor;
	struct shell_command out;

	parse_begin(&cursor, text.data(), text.size());
	while (shell_next_command(&cursor, &out)) {
		Command command;

		for (int i = 0; i < out.argc; i++)
			command.words.push_back(out.argv[i]);
		EXPECT_EQ(nullptr, out.argv[out.argc]);
		command.problem = out.problem == nullptr ? "" : out.problem;
		commands.push_back(command);
	}
	return commands;
}

using Commands = std::vector<Command>;

TEST(ShellParse, SplitsWordsAtBlanks)
{
	EXPECT_EQ((Commands{{{"alloc", "64K"}, ""}}), split("  alloc \t 64K\r"));
}

TEST(ShellParse, SplitsCommandsAtSemicolons)
{
	EXPECT_EQ((Commands{{{"cpus"}, ""}, {{"selftest", "tlb"}, ""}, {{"audit"}, ""}}),
		  split("cpus; selftest tlb;audit"));
}

TEST(ShellParse, EmptyCommandsHaveNoWords)
{
	EXPECT_EQ((Commands{}), split(""));
	EXPECT_EQ((Commands{{{}, ""}, {{}, ""}, {{"a"}, ""}}), split(" ; ;a;"));
}

TEST(ShellParse, QuotesHoldBlanksAndSemicolons)
{
	EXPECT_EQ((Commands{{{"say", "a; b", "cd"}, ""}}), split("say \"a; b\" c\"d\""));
	EXPECT_EQ((Commands{{{"say", ""}, ""}}), split("say \"\""));
}

TEST(ShellParse, BackslashKeepsTheNextCharacter)
{
	EXPECT_EQ((Commands{{{"a b", "\"", ";", "\\"}, ""}}), split("a\\ b \\\" \\; \\\\"));
	EXPECT_EQ((Commands{{{"a\\"}, ""}}), split("a\\"));
}

TEST(ShellParse, NamesAQuoteThatIsNotClosed)
{
	EXPECT_EQ("a quote is not closed", split("say \"a; b").at(0).problem);
}

TEST(ShellParse, RefusesTooManyWords)
{
	std::string text;

	for (int i = 0; i < SHELL_WORDS_MAX; i++)
		text += "w ";
	EXPECT_EQ("", split(text).at(0).problem);
	EXPECT_EQ("too many words", split(text + "w").at(0).problem);
	/* The next command is not affected. */
	EXPECT_EQ((Command{{"cpus"}, ""}), split(text + "w; cpus").at(1));
}

TEST(ShellParse, RefusesWhatIsTooLong)
{
	std::string fits(SHELL_BYTES_MAX - 1, 'x');

	EXPECT_EQ("", split(fits).at(0).problem);
	EXPECT_EQ(fits, split(fits).at(0).words.at(0));
	EXPECT_EQ("too long", split(fits + "x").at(0).problem);
	EXPECT_EQ("too long", split(std::string(100000, 'x')).at(0).problem);
}

TEST(ShellParse, AnyBytesAreHarmless)
{
	std::mt19937 random(1);

	for (int round = 0; round < 5000; round++) {
		std::string text(random() % 600, '\0');

		for (char &c : text)
			c = random() % 3 ? (char)random() : "\"\\; a"[random() % 5];
		for (const Command &command : split(text))
			EXPECT_LE(command.words.size(), (size_t)SHELL_WORDS_MAX);
	}
}

} // namespace
