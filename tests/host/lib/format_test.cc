// SPDX-License-Identifier: BSD-2-Clause
#include "lib/format.h"

#include <climits>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"

// Format strings made at run time and deliberately wrong ones are the point here.
#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
#pragma GCC diagnostic ignored "-Wformat-truncation"

namespace
{

template <typename... Args> std::string ours(const char *fmt, Args... args)
{
	char buf[8192];
	size_t n = format(buf, sizeof(buf), fmt, args...);

	EXPECT_EQ(n, strlen(buf)) << fmt;
	return buf;
}

template <typename... Args> void same_as_libc(const char *fmt, Args... args)
{
	char want[8192];
	int n = snprintf(want, sizeof(want), fmt, args...);

	ASSERT_GE(n, 0) << fmt;
	EXPECT_EQ(ours(fmt, args...), std::string(want)) << fmt;
	// And the same wherever it is cut.
	for (size_t size : {size_t{0}, size_t{1}, size_t{2}, size_t(n), size_t(n) + 1}) {
		std::vector<char> got(size, '#'), cut(size, '#');

		EXPECT_EQ(format(got.data(), size, fmt, args...), size_t(n)) << fmt;
		snprintf(cut.data(), size, fmt, args...);
		EXPECT_EQ(got, cut) << fmt << " in " << size;
	}
}

TEST(Format, PlainText)
{
	same_as_libc("");
	same_as_libc("hello");
	same_as_libc("100%%");
	same_as_libc("%s, %s!", "hello", "world");
}

TEST(Format, Integers)
{
	for (int x : {0, 1, -1, 42, INT_MAX, INT_MIN}) {
		same_as_libc("%d %i", x, x);
		same_as_libc("%u %x %X %o", x, x, x, x);
		same_as_libc("%hhd %hd %hhu %hx", x, x, x, x);
	}
	for (long x : {0L, 1L, -1L, LONG_MAX, LONG_MIN}) {
		same_as_libc("%ld %lu %lx", x, x, x);
		same_as_libc("%lld %llu %llX", (long long)x, (long long)x, (long long)x);
		same_as_libc("%zu %zd %jd %ju %td %zx", size_t(x), ssize_t(x), intmax_t(x),
			     uintmax_t(x), ptrdiff_t(x), size_t(x));
	}
}

TEST(Format, RandomConversionsEqualTheLibrarys)
{
	const char *flags[] = {"", "-", "0", "+", " ", "#", "-0", "0+", "# ", "0#", "-+#", "+ 0-#"};
	const char *widths[] = {"", "1", "5", "20", "70"};
	const char *precisions[] = {"", ".", ".0", ".1", ".4", ".30"};
	const struct {
		const char *length;
		unsigned bits;
	} lengths[] = {{"hh", 32}, {"h", 32}, {"", 32},  {"l", 64},
		       {"ll", 64}, {"z", 64}, {"j", 64}, {"t", 64}};
	std::mt19937_64 random(1);

	for (const char *flag : flags)
		for (const char *width : widths)
			for (const char *precision : precisions)
				for (const auto &length : lengths)
					for (char letter : std::string("diuxXo")) {
						uint64_t x = random() >> (random() % 65 % 64);
						std::string fmt = std::string("<%") + flag + width +
								  precision + length.length +
								  letter + ">";

						if (random() % 8 == 0)
							x = 0;
						if (length.bits == 64)
							same_as_libc(fmt.c_str(), x);
						else
							same_as_libc(fmt.c_str(), unsigned(x));
					}
}

TEST(Format, StringsAndCharacters)
{
	same_as_libc("<%s> <%10s> <%-10s> <%.2s> <%6.2s> <%.0s>", "abc", "abc", "abc", "abc", "abc",
		     "abc");
	same_as_libc("<%c> <%3c> <%-3c>", 'x', 'y', 'z');
	EXPECT_EQ(ours("%s|%10s", (const char *)nullptr, (const char *)nullptr),
		  "(null)|    (null)");
}

TEST(Format, AStringWithAPrecisionNeedsNoEnd)
{
	const std::vector<char> bytes = {'a', 'b', 'c'};

	EXPECT_EQ(ours("%.3s", bytes.data()), "abc");
	EXPECT_EQ(ours("%.*s", 2, bytes.data()), "ab");
}

TEST(Format, WidthAndPrecisionFromArguments)
{
	same_as_libc("<%*d> <%-*d> <%*d>", 6, 42, 6, 42, -6, 42);
	same_as_libc("<%.*d> <%.*d> <%*.*x>", 5, 42, -5, 42, 8, 4, 0xab);
	same_as_libc("<%0*d>", -8, 42);
}

TEST(Format, Pointers)
{
	EXPECT_EQ(ours("%p", (void *)0x1234), "0x1234");
	EXPECT_EQ(ours("%p", (void *)nullptr), "0x0");
	EXPECT_EQ(ours("%20p|", (void *)UINTPTR_MAX), "  0xffffffffffffffff|");
}

TEST(Format, UnknownConversionsStandAsTheyAreAndTakeNoArgument)
{
	EXPECT_EQ(ours("%q"), "%q");
	EXPECT_EQ(ours("%5.3y|%d", 7), "%5.3y|7");
	EXPECT_EQ(ours("%n"), "%n");
	EXPECT_EQ(ours("%f|%d", 7), "%f|7");
	EXPECT_EQ(ours("100%"), "100%");
	EXPECT_EQ(ours("%-08l"), "%-08l");
}

TEST(Format, AbsurdWidthsAreBounded)
{
	EXPECT_EQ(ours("%99999999999d", 1).size(), size_t{FORMAT_WIDTH_MAX});
	EXPECT_EQ(ours("%*d", INT_MAX, 1).size(), size_t{FORMAT_WIDTH_MAX});
	EXPECT_EQ(ours("%*d", INT_MIN, 1).size(), size_t{FORMAT_WIDTH_MAX});
	EXPECT_EQ(ours("%.99999999999d", 1).size(), size_t{FORMAT_WIDTH_MAX});
	EXPECT_EQ(ours("%.*d", INT_MAX, 1).size(), size_t{FORMAT_WIDTH_MAX});
}

TEST(Format, NoBufferIsNeededToMeasure)
{
	EXPECT_EQ(format(nullptr, 0, "%d items", 12), 8u);
}

size_t sink(std::string *out, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	size_t n = format_sink(
	    [](void *ctx, const char *s, size_t len) {
		    EXPECT_NE(len, 0u);
		    static_cast<std::string *>(ctx)->append(s, len);
	    },
	    out, fmt, args);
	va_end(args);
	return n;
}

TEST(FormatSink, GetsThePiecesInOrder)
{
	std::string out;

	EXPECT_EQ(sink(&out, "cpu%u: %-6s|%s", 3, "up", ""), 13u);
	EXPECT_EQ(out, "cpu3: up    |");
}

} // namespace
