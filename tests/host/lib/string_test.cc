// SPDX-License-Identifier: BSD-2-Clause
#include "lib/string.h"

#include "gtest/gtest.h"

namespace
{

TEST(StrCopy, CopiesWhatFitsAndAlwaysTerminates)
{
	char buf[4] = {'#', '#', '#', '#'};

	EXPECT_EQ(str_copy(buf, sizeof(buf), "abc"), 3u);
	EXPECT_STREQ(buf, "abc");
	EXPECT_EQ(str_copy(buf, sizeof(buf), "abcdef"), 6u);
	EXPECT_STREQ(buf, "abc");
	EXPECT_EQ(str_copy(buf, 1, "abc"), 3u);
	EXPECT_STREQ(buf, "");
}

TEST(StrCopy, TouchesNothingWithoutRoom)
{
	char c = '#';

	EXPECT_EQ(str_copy(&c, 0, "abc"), 3u);
	EXPECT_EQ(c, '#');
}

TEST(StrCopyN, ReadsNoFurtherThanToldOrToTheFirstZero)
{
	const char bytes[] = {'a', 'b', 'c'};
	char buf[8];

	EXPECT_EQ(str_copy_n(buf, sizeof(buf), bytes, 3), 3u);
	EXPECT_STREQ(buf, "abc");
	EXPECT_EQ(str_copy_n(buf, sizeof(buf), "ab\0cd", 5), 2u);
	EXPECT_STREQ(buf, "ab");
	EXPECT_EQ(str_copy_n(buf, sizeof(buf), bytes, 0), 0u);
	EXPECT_STREQ(buf, "");
}

TEST(StrIs, ComparesSliceWithWord)
{
	EXPECT_TRUE(str_is("abcdef", 3, "abc"));
	EXPECT_FALSE(str_is("abcdef", 3, "abcd"));
	EXPECT_FALSE(str_is("abcdef", 3, "ab"));
	EXPECT_FALSE(str_is("abcdef", 3, "abd"));
	EXPECT_TRUE(str_is("", 0, ""));
}

TEST(StrBegins, ComparesPrefix)
{
	EXPECT_TRUE(str_begins("abc", "ab"));
	EXPECT_TRUE(str_begins("abc", ""));
	EXPECT_FALSE(str_begins("ab", "abc"));
	EXPECT_FALSE(str_begins("xbc", "ab"));
}

} // namespace
