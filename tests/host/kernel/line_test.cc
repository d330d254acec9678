// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/line.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>

namespace
{

// What a terminal shows: characters overwrite, \b goes back, \n and an empty screen begin anew.
std::string shown, listed;
size_t column;

void show(const char *text, size_t length)
{
	if (std::string(text, length) == "\033[2J\033[H") {
		shown.clear();
		column = 0;
		return;
	}
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\b') {
			ASSERT_GT(column, 0u);
			column--;
		} else if (text[i] == '\n') {
			listed = shown;
			shown.clear();
			column = 0;
		} else if (text[i] != '\a') {
			shown.resize(std::max(shown.size(), column + 1), ' ');
			shown[column++] = text[i];
		}
	}
}

class Line : public testing::Test
{
      protected:
	struct line_editor line = {};

	void SetUp() override
	{
		line.show = show;
		line_begin(&line);
		shown.clear();
		column = 0;
	}

	enum line_result type(const std::string &keys)
	{
		enum line_result result = LINE_MORE;

		for (char c : keys)
			result = line_input(&line, c);
		return result;
	}

	void enter(const std::string &text)
	{
		EXPECT_EQ(LINE_DONE, type(text + "\r"));
		line_begin(&line);
	}

	/* The terminal shows exactly the line, and its cursor is ours. */
	void expect(const std::string &text, unsigned cursor)
	{
		std::string visible = shown;

		visible.resize(std::max(visible.size(), text.size()), ' ');
		while (visible.size() > text.size() && visible.back() == ' ')
			visible.pop_back();
		EXPECT_EQ(text, line.text);
		EXPECT_EQ(text, visible);
		EXPECT_EQ(cursor, line.cursor);
		EXPECT_EQ(cursor, column);
	}
};

const char UP[] = "\033[A", DOWN[] = "\033[B", RIGHT[] = "\033[C", LEFT[] = "\033[D";

TEST_F(Line, TakesCharactersUntilReturn)
{
	EXPECT_EQ(LINE_MORE, type("cpus"));
	expect("cpus", 4);
	EXPECT_EQ(LINE_DONE, type("\r"));
	EXPECT_STREQ("cpus", line.text);
}

TEST_F(Line, ANewlineAfterAReturnBelongsToIt)
{
	EXPECT_EQ(LINE_DONE, type("a\r"));
	line_begin(&line);
	EXPECT_EQ(LINE_MORE, type("\n"));
	EXPECT_EQ(LINE_DONE, type("b\n"));
}

TEST_F(Line, DeletesBackwards)
{
	type("abc\b");
	expect("ab", 2);
	type("\x7f\x7f\x7f\x7f");
	expect("", 0);
}

TEST_F(Line, EditsInTheMiddle)
{
	type(std::string("acd") + LEFT + LEFT + "b");
	expect("abcd", 2);
	type("\b");
	expect("acd", 1);
	type(std::string(RIGHT) + RIGHT + RIGHT + RIGHT + "e");
	expect("acde", 4);
	type("\001x\005y");
	expect("xacdey", 6);
	type("\033[H\033OC-");
	expect("x-acdey", 2);
	type("\033[F!");
	expect("x-acdey!", 8);
}

TEST_F(Line, DeletesAllAndWords)
{
	type("one two  \027");
	expect("one ", 4);
	type("three\025");
	expect("", 0);
}

TEST_F(Line, DeletesForwards)
{
	type("abcdef\001\033[C\033[3~");
	expect("acdef", 1);
	type("\033[C\033[C\013");
	expect("acd", 3);
	type("\033[3~\013");
	expect("acd", 3);
}

TEST_F(Line, KnowsHomeAndEndAsNumbers)
{
	type("abc\033[1~x\033[4~y\033[7~");
	expect("xabcy", 0);
	type("\033[8~");
	expect("xabcy", 5);
	type("\033[1;5~\033[99999999999~");
	expect("xabcy", 5);
}

TEST_F(Line, AnEmptyScreenKeepsTheLine)
{
	type("abc\033[D\014");
	expect("abc", 2);
}

const char *word(const char *before, size_t length, size_t index)
{
	static const char *const commands[] = {"stress", "sysctl", "sysinfo", "audit"};
	static const char *const options[] = {"kmem.cache", "kmem.debug"};

	if (length == 0)
		return index < 4 ? commands[index] : nullptr;
	EXPECT_EQ("sysctl ", std::string(before, length));
	return index < 2 ? options[index] : nullptr;
}

TEST_F(Line, TabCompletesAWord)
{
	line.word = word;
	type("au\t");
	expect("audit ", 6);
	type("\025sys\t");
	expect("sys", 3); /* two candidates: a list, and the line again */
	EXPECT_EQ("sysctl   sysinfo  ", listed);
	type("c\t");
	expect("sysctl ", 7);
	type("k\t");
	expect("sysctl kmem.", 12);
	type("d\t");
	expect("sysctl kmem.debug ", 18);
}

TEST_F(Line, TabDoesNothingWhereNothingFits)
{
	line.word = word;
	type("xyz\t");
	expect("xyz", 3);
	line.word = nullptr;
	type("\025au\t");
	expect("au", 2);
}

TEST_F(Line, TabStopsWhereTheLineIsFull)
{
	line.word = [](const char *, size_t, size_t index) -> const char * {
		return index == 0 ? "a_word_that_does_not_fit" : nullptr;
	};
	type(std::string(LINE_MAX - 5, ' ') + "a_\t");
	EXPECT_EQ((unsigned)LINE_MAX - 1, line.length);
}

TEST_F(Line, GivesUp)
{
	EXPECT_EQ(LINE_GIVEN_UP, type("abc\003"));
	EXPECT_STREQ("", line.text);
}

TEST_F(Line, RecallsEarlierLines)
{
	enter("first");
	enter("second");
	enter("second"); /* remembered once */
	enter("");       /* not remembered */
	type(std::string("new") + UP);
	expect("second", 6);
	type(UP);
	expect("first", 5);
	type(UP);
	expect("first", 5);
	type(std::string(DOWN) + "!");
	expect("second!", 7);
	type(std::string(DOWN));
	expect("", 0);
}

TEST_F(Line, RemembersTheLatestLines)
{
	for (int i = 0; i < LINE_HISTORY + 5; i++)
		enter("line " + std::to_string(i));
	for (int i = 0; i < LINE_HISTORY + 5; i++)
		type(UP);
	EXPECT_STREQ("line 5", line.text);
}

TEST_F(Line, IgnoresWhatIsNotText)
{
	type("a\001\002\004\033[5~\033[1;5Q\xff\x80\x01"
	     "b\033zc");
	EXPECT_STREQ("bca", line.text);
}

TEST_F(Line, ALineThatIsFullTakesNoMore)
{
	type(std::string(5000, 'x'));
	EXPECT_EQ(std::string(LINE_MAX - 1, 'x'), line.text);
	type("\b");
	EXPECT_EQ((unsigned)LINE_MAX - 2, line.length);
}

TEST_F(Line, AnyBytesLeaveTerminalAndLineInAgreement)
{
	std::mt19937 random(4);

	line.word = [](const char *, size_t, size_t index) -> const char * {
		return index < 3 ? (const char *[]){"ab", "abba", "b"}[index] : nullptr;
	};
	for (int round = 0; round < 200000; round++) {
		const char keys[] = "ab \b\033[ABCDHF\001\005\025\027\t\013\0143~";
		char c = random() % 16 ? keys[random() % (sizeof(keys) - 1)] : (char)random();

		if (line_input(&line, c) != LINE_MORE)
			line_begin(&line);
		ASSERT_EQ(line.length, strlen(line.text));
		ASSERT_LE(line.cursor, line.length);
		ASSERT_EQ(column, line.cursor);
		if (round % 64 == 0)
			expect(line.text, line.cursor);
	}
}

} // namespace
