// SPDX-License-Identifier: BSD-2-Clause
#include "tests/host/lib/string_std_renamed.h"

#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace
{

int sign(int x)
{
	return (x > 0) - (x < 0);
}

std::vector<unsigned char> numbered(size_t n)
{
	std::vector<unsigned char> bytes(n);

	std::iota(bytes.begin(), bytes.end(), 1);
	return bytes;
}

TEST(StringStd, MemcpyCopiesEveryLengthAtEveryAlignment)
{
	for (size_t n = 0; n < 40; n++)
		for (size_t offset = 0; offset < 9; offset++) {
			std::vector<unsigned char> from = numbered(64), to(64, 0xee), want = to;

			memcpy(want.data() + offset, from.data() + 3, n);
			EXPECT_EQ(quire_memcpy(to.data() + offset, from.data() + 3, n),
				  to.data() + offset);
			ASSERT_EQ(to, want) << n << " at " << offset;
		}
}

TEST(StringStd, MemmoveSurvivesEveryOverlap)
{
	for (size_t n = 0; n < 40; n++)
		for (size_t src = 0; src < 24; src++)
			for (size_t dst = 0; dst < 24; dst++) {
				std::vector<unsigned char> got = numbered(64), want = got;

				memmove(want.data() + dst, want.data() + src, n);
				EXPECT_EQ(quire_memmove(got.data() + dst, got.data() + src, n),
					  got.data() + dst);
				ASSERT_EQ(got, want) << n << ": " << src << " to " << dst;
			}
}

TEST(StringStd, MemsetFillsWithTheLowByteOnly)
{
	for (size_t n = 0; n < 40; n++)
		for (int byte : {0, 1, 0x80, 0xff, 0x1234, -1}) {
			std::vector<unsigned char> got = numbered(64), want = got;

			memset(want.data() + 5, byte, n);
			EXPECT_EQ(quire_memset(got.data() + 5, byte, n), got.data() + 5);
			ASSERT_EQ(got, want) << n << " of " << byte;
		}
}

TEST(StringStd, ComparisonsOrderBytesAsUnsigned)
{
	const char *words[] = {"", "a", "ab", "abc", "abd", "b", "\x7f", "\x80", "\xff", "ab\xff"};

	for (const char *a : words)
		for (const char *b : words) {
			EXPECT_EQ(sign(quire_strcmp(a, b)), sign(strcmp(a, b))) << a << ' ' << b;
			for (size_t n = 0; n < 5; n++)
				EXPECT_EQ(sign(quire_strncmp(a, b, n)), sign(strncmp(a, b, n)));
			size_t both = std::min(strlen(a), strlen(b)) + 1;
			EXPECT_EQ(sign(quire_memcmp(a, b, both)), sign(memcmp(a, b, both)));
		}
}

TEST(StringStd, LengthsStopAtTheEndOrTheBound)
{
	for (const char *s : {"", "a", "some words"}) {
		EXPECT_EQ(quire_strlen(s), strlen(s));
		for (size_t n = 0; n < 12; n++)
			EXPECT_EQ(quire_strnlen(s, n), strnlen(s, n));
	}
	const std::vector<char> unterminated(4, 'x');
	EXPECT_EQ(quire_strnlen(unterminated.data(), 4), 4u);
}

TEST(StringStd, SearchesFindWhatTheLibraryFinds)
{
	for (const char *s : {"", "a", "abcabc", "\xff\x80", "aab", "aaab"}) {
		for (int c : {0, int{'a'}, int{'b'}, int{'c'}, 0x80, 0xff, -1}) {
			EXPECT_EQ(quire_strchr(s, c), strchr(s, c));
			EXPECT_EQ(quire_strrchr(s, c), strrchr(s, c));
			EXPECT_EQ(quire_memchr(s, c, strlen(s)), memchr(s, c, strlen(s)));
		}
		for (const char *what : {"", "a", "bc", "ca", "aab", "z", "abcabcd"})
			EXPECT_EQ(quire_strstr(s, what), strstr(s, what)) << s << ' ' << what;
	}
}

} // namespace
