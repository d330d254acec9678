// SPDX-License-Identifier: BSD-2-Clause
#include "arch/x86_64/devices/font.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <string>

namespace
{

TEST(Font, EveryCharacterLooksDifferent)
{
	std::set<std::string> seen;

	for (unsigned i = 0; i < FONT_COUNT; i++)
		EXPECT_TRUE(
		    seen.insert(std::string((const char *)font_glyphs[i], FONT_HEIGHT)).second)
		    << (char)(FONT_FIRST + i);
}

TEST(Font, OnlyTheBlankIsBlank)
{
	const uint8_t blank[FONT_HEIGHT] = {};

	for (unsigned i = 0; i < FONT_COUNT; i++)
		EXPECT_EQ(i == 0, memcmp(font_glyphs[i], blank, sizeof(blank)) == 0);
}

TEST(Font, CharactersDoNotTouchTheirRightNeighbours)
{
	for (unsigned i = 0; i < FONT_COUNT; i++)
		for (unsigned row = 0; row < FONT_HEIGHT; row++)
			EXPECT_EQ(0, font_glyphs[i][row] & 1) << (char)(FONT_FIRST + i);
}

/* One known picture, so that rows and bits are the right way round. */
TEST(Font, TheLetterL)
{
	const uint8_t *l = font_glyphs['L' - FONT_FIRST];

	for (unsigned row = 2; row < 11; row++)
		EXPECT_EQ(0x40, l[row]);
	EXPECT_EQ(0x7e, l[11]);
}

} // namespace
