// SPDX-License-Identifier: BSD-2-Clause
#include "arch/x86_64/devices/keyboard_decode.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace
{

class Keyboard : public testing::Test
{
      protected:
	struct keyboard_state state = {};

	std::string press(const std::vector<int> &codes)
	{
		std::string text;
		char out[KEYBOARD_CHARS_MAX];

		for (int code : codes)
			text.append(out, keyboard_decode(&state, (uint8_t)code, out));
		return text;
	}
};

TEST_F(Keyboard, LettersAndDigits)
{
	EXPECT_EQ("quire", press({0x10, 0x90, 0x16, 0x96, 0x17, 0x97, 0x13, 0x93, 0x12, 0x92}));
	EXPECT_EQ("1=/` \n\t\b", press({0x02, 0x0d, 0x35, 0x29, 0x39, 0x1c, 0x0f, 0x0e}));
}

TEST_F(Keyboard, EitherShiftHolds)
{
	EXPECT_EQ("A:", press({0x2a, 0x1e, 0x27, 0xaa}));
	EXPECT_EQ("!", press({0x36, 0x02, 0xb6}));
	EXPECT_EQ("a", press({0x1e}));
}

TEST_F(Keyboard, CapsLockConcernsLetters)
{
	EXPECT_EQ("A1", press({0x3a, 0xba, 0x1e, 0x02}));
	EXPECT_EQ("a", press({0x2a, 0x1e, 0xaa}));
	EXPECT_EQ("a", press({0x3a, 0xba, 0x1e}));
}

TEST_F(Keyboard, EitherControlHolds)
{
	EXPECT_EQ("\x03", press({0x1d, 0x2e, 0x9d}));
	EXPECT_EQ("\x15", press({0xe0, 0x1d, 0x16, 0xe0, 0x9d}));
	EXPECT_EQ("c", press({0x2e}));
}

TEST_F(Keyboard, CursorKeysAreEscapeSequences)
{
	EXPECT_EQ("\033[A", press({0xe0, 0x48, 0xe0, 0xc8}));
	EXPECT_EQ("\033[B\033[C\033[D", press({0xe0, 0x50, 0xe0, 0x4d, 0xe0, 0x4b}));
	EXPECT_EQ("\033[H\033[F", press({0xe0, 0x47, 0xe0, 0x4f}));
	EXPECT_EQ("\033[3~\033[5~\033[6~", press({0xe0, 0x53, 0xe0, 0x49, 0xe0, 0x51}));
}

TEST_F(Keyboard, NumberPadEnterAndSlash)
{
	EXPECT_EQ("\n/", press({0xe0, 0x1c, 0xe0, 0x35}));
}

TEST_F(Keyboard, GreyKeysSendShiftsOfTheirOwn)
{
	EXPECT_EQ("\033[A"
		  "a",
		  press({0xe0, 0x2a, 0xe0, 0x48, 0xe0, 0xc8, 0xe0, 0xaa, 0x1e}));
}

TEST_F(Keyboard, PauseIsNothing)
{
	EXPECT_EQ("a", press({0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5, 0x1e}));
}

TEST_F(Keyboard, AnyBytesAreHarmless)
{
	std::mt19937 random(5);
	char out[KEYBOARD_CHARS_MAX];

	for (int i = 0; i < 100000; i++)
		ASSERT_LE(keyboard_decode(&state, (uint8_t)random(), out),
			  (size_t)KEYBOARD_CHARS_MAX);
}

} // namespace
