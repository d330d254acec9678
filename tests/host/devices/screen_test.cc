// SPDX-License-Identifier: BSD-2-Clause
#include "arch/x86_64/devices/screen.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

namespace
{

class Screen : public testing::Test
{
      protected:
	std::unique_ptr<struct screen> screen = std::make_unique<struct screen>();
	std::vector<std::string> display;
	std::vector<std::vector<unsigned>> styles;
	unsigned draws = 0;
	unsigned columns, rows;

	static void draw(void *ctx, unsigned column, unsigned row, uint16_t cell)
	{
		Screen *self = static_cast<Screen *>(ctx);

		ASSERT_LT(row, self->rows);
		ASSERT_LT(column, self->columns);
		self->draws++;
		self->display[row][column] = (char)(cell & SCREEN_CHARACTER);
		self->styles[row][column] = cell & (SCREEN_COLOUR | SCREEN_REVERSE);
	}

	void open(unsigned wide, unsigned high)
	{
		columns = wide;
		rows = high;
		display.assign(high, std::string(wide, '?'));
		styles.assign(high, std::vector<unsigned>(wide));
		screen_init(screen.get(), wide, high, draw, this);
	}

	void write(const std::string &text)
	{
		screen_write(screen.get(), text.data(), text.size());
	}

	std::string row(unsigned n)
	{
		std::string text = display.at(n);

		while (!text.empty() && text.back() == ' ')
			text.pop_back();
		return text;
	}
};

TEST_F(Screen, BeginsEmpty)
{
	open(10, 4);
	for (unsigned i = 0; i < 4; i++)
		EXPECT_EQ("", row(i));
}

TEST_F(Screen, ShowsLines)
{
	open(10, 4);
	write("one\ntwo");
	EXPECT_EQ("one", row(0));
	EXPECT_EQ("two", row(1));
}

TEST_F(Screen, BreaksLongLines)
{
	open(4, 4);
	write("abcdef");
	EXPECT_EQ("abcd", row(0));
	EXPECT_EQ("ef", row(1));
}

TEST_F(Screen, AFullLineAndANewlineAreOneLine)
{
	open(4, 4);
	write("abcd\nef");
	EXPECT_EQ("abcd", row(0));
	EXPECT_EQ("ef", row(1));
}

TEST_F(Screen, JumpsUpWhenItIsFull)
{
	open(10, 8);
	for (int i = 0; i < 9; i++)
		write("line " + std::to_string(i) + "\n");
	EXPECT_EQ("line 4", row(0));
	EXPECT_EQ("line 8", row(4));
	EXPECT_EQ("", row(5));
}

TEST_F(Screen, BackspaceReturnAndTab)
{
	open(20, 4);
	write("abc\b\bX\n12345\rab\n\b\ta");
	EXPECT_EQ("aXc", row(0));
	EXPECT_EQ("ab345", row(1));
	EXPECT_EQ("        a", row(2));
}

TEST_F(Screen, SkipsEscapeSequences)
{
	open(20, 4);
	write("\033[?25l\033[5Cred\033[0m \033(plain");
	EXPECT_EQ("red plain", row(0));
}

TEST_F(Screen, PlacesTheCursor)
{
	open(20, 4);
	write("\033[3;5Hthere\033[Hhome\033[2;1fsecond");
	EXPECT_EQ("home", row(0));
	EXPECT_EQ("second", row(1));
	EXPECT_EQ("    there", row(2));
	write("\033[99;99Hx\033[4294967297;1Hy");
	EXPECT_EQ('x', display[3][19]);
	EXPECT_EQ('y', display[3][0]);
}

TEST_F(Screen, Erases)
{
	open(6, 4);
	write("111111222222333333444444");
	write("\033[2;3H\033[K");
	EXPECT_EQ("22", row(1));
	write("\033[3;3H\033[1K");
	EXPECT_EQ("   333", row(2));
	write("\033[3;5H\033[J");
	EXPECT_EQ("111111", row(0));
	EXPECT_EQ("   3", row(2));
	EXPECT_EQ("", row(3));
	write("\033[2J");
	for (unsigned i = 0; i < 4; i++)
		EXPECT_EQ("", row(i));
}

TEST_F(Screen, ChoosesColours)
{
	const unsigned red = 1 << SCREEN_COLOUR_SHIFT, cyan = 6 << SCREEN_COLOUR_SHIFT;

	open(20, 4);
	write("a\033[31mb\033[7;36mc\033[27md\033[39me\033[7mf\033[0mg\033[mh");
	EXPECT_EQ("abcdefgh", row(0));
	EXPECT_EQ(
	    (std::vector<unsigned>{0, red, cyan | SCREEN_REVERSE, cyan, 0, SCREEN_REVERSE, 0, 0}),
	    std::vector<unsigned>(styles[0].begin(), styles[0].begin() + 8));
}

TEST_F(Screen, ReplacesWhatIsNotAscii)
{
	open(20, 4);
	write("a\x80\xff\x01z");
	EXPECT_EQ("a??z", row(0));
}

TEST_F(Screen, DrawsOnlyWhatChanged)
{
	open(80, 25);
	draws = 0;
	write("a");
	EXPECT_EQ(2u, draws); /* the character and the cursor behind it */
	draws = 0;
	write("\ra");
	EXPECT_EQ(0u, draws);
}

TEST_F(Screen, UsesAPartOfADisplayThatIsTooLarge)
{
	open(SCREEN_COLUMNS_MAX + 50, SCREEN_ROWS_MAX + 50);
	write(std::string(SCREEN_COLUMNS_MAX, 'x') + "y");
	EXPECT_EQ("y", row(1).substr(0, 1));
}

TEST_F(Screen, AnySizeAndAnyBytesAreHarmless)
{
	std::mt19937 random(6);

	for (int round = 0; round < 60; round++) {
		open(random() % 40, random() % 12);
		for (int i = 0; i < 40; i++) {
			std::string text(random() % 60, '\0');

			for (char &c : text)
				c = random() % 2 ? (char)random()
						 : "\n\b\t\r\033[mHJK;19"[random() % 14];
			write(text);
		}
	}
}

} // namespace
