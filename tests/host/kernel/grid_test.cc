// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/grid.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>

#include "arch/x86_64/devices/screen.h"

namespace
{

struct screen terminal;
size_t sent;

void emit(const char *text, size_t length)
{
	ASSERT_LE(length, (size_t)GRID_PIECE_MAX);
	sent += length;
	screen_write(&terminal, text, length);
}

void draw_nothing(void *, unsigned, unsigned, uint16_t)
{
}

class Grid : public testing::Test
{
      protected:
	std::unique_ptr<struct grid> grid = std::make_unique<struct grid>();

	void SetUp() override
	{
		screen_init(&terminal, GRID_COLUMNS, GRID_ROWS, draw_nothing, nullptr);
		grid_clear(grid.get());
	}

	size_t show()
	{
		sent = 0;
		grid_show(grid.get(), emit);
		return sent;
	}

	std::string row(unsigned n)
	{
		std::string text;

		for (unsigned i = 0; i < GRID_COLUMNS; i++)
			text += (char)(terminal.wanted[n][i] & SCREEN_CHARACTER);
		return text.substr(0, text.find_last_not_of(' ') + 1);
	}

	/* The terminal shows the page: characters and styles. */
	void expect_shown()
	{
		for (unsigned y = 0; y < GRID_ROWS; y++)
			for (unsigned x = 0; x < GRID_COLUMNS; x++) {
				const struct grid_cell *cell = &grid->wanted[y][x];
				unsigned style = (cell->style & 7) << SCREEN_COLOUR_SHIFT;

				if (cell->style & GRID_REVERSE)
					style |= SCREEN_REVERSE;
				ASSERT_EQ((unsigned)cell->c | style, terminal.wanted[y][x])
				    << "row " << y << " column " << x;
			}
	}
};

TEST_F(Grid, ShowsTextWhereItWasWritten)
{
	grid_print(grid.get(), 3, 10, GRID_GREEN, "%s %d", "pass", 7);
	grid_print(grid.get(), GRID_ROWS - 1, GRID_COLUMNS - 3, GRID_PLAIN, "corner");
	show();
	EXPECT_EQ("          pass 7", row(3));
	EXPECT_EQ("cor", row(GRID_ROWS - 1).substr(GRID_COLUMNS - 3));
	expect_shown();
}

TEST_F(Grid, DrawsBarsByParts)
{
	grid_bar(grid.get(), 0, 0, 12, GRID_PLAIN, 1, 2);
	grid_bar(grid.get(), 1, 0, 12, GRID_PLAIN, 9, 2);
	grid_bar(grid.get(), 2, 0, 12, GRID_PLAIN, 5, 0);
	grid_bar(grid.get(), 3, 0, 12, GRID_PLAIN, UINT64_MAX / 2, UINT64_MAX);
	grid_bar(grid.get(), 4, 0, 1, GRID_PLAIN, 1, 1);
	show();
	EXPECT_EQ("[#####     ]", row(0));
	EXPECT_EQ("[##########]", row(1));
	EXPECT_EQ("[          ]", row(2));
	EXPECT_EQ("[####", row(3).substr(0, 5));
	EXPECT_EQ("[]", row(4));
}

TEST_F(Grid, SendsOnlyWhatChanged)
{
	grid_print(grid.get(), 3, 10, GRID_PLAIN, "1000");
	show();
	size_t nothing = show();
	grid_print(grid.get(), 3, 10, GRID_PLAIN, "1001");
	size_t little = show();
	EXPECT_LT(nothing, 12u);
	EXPECT_LT(little, nothing + 12);
	expect_shown();
}

TEST_F(Grid, DrawsAllOfAForgottenScreen)
{
	grid_print(grid.get(), 0, 0, GRID_RED, "error");
	show();
	screen_write(&terminal, "\033[2J\033[5;5Hrubbish", 17);
	grid_forget(grid.get());
	show();
	expect_shown();
}

TEST_F(Grid, AnythingAnywhereIsHarmless)
{
	std::mt19937 random(3);

	for (int round = 0; round < 400; round++) {
		std::string text(random() % 100, '\0');

		for (char &c : text)
			c = (char)random();
		if (random() % 4 == 0)
			grid_clear(grid.get());
		grid_print(grid.get(), random() % 30, random() % 90, random() % 16, "%s",
			   text.c_str());
		grid_bar(grid.get(), random() % 30, random() % 90, random() % 90, random() % 16,
			 random(), random());
		grid_style_row(grid.get(), random() % 40, random() % 16);
		if (random() % 16 == 0)
			grid_forget(grid.get());
		show();
		expect_shown();
		ASSERT_EQ((unsigned)GRID_ROWS - 1, terminal.row);
		ASSERT_EQ(0u, terminal.column);
	}
}

} // namespace
