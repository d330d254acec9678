/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/registry/sysctl_value.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>

namespace
{

struct Good {
	enum sysctl_type type;
	const char *text;
	uint64_t number;
	const char *printed;
	const char *hex;
};

const Good good[] = {
    {SYSCTL_TYPE_INT, "0", 0, "0", "0"},
    {SYSCTL_TYPE_INT, "-0", 0, "0", "0"},
    {SYSCTL_TYPE_INT, "17", 17, "17", "0x11"},
    {SYSCTL_TYPE_INT, "-17", (uint64_t)-17, "-17", "-0x11"},
    {SYSCTL_TYPE_INT, "-0x10", (uint64_t)-16, "-16", "-0x10"},
    {SYSCTL_TYPE_INT, "2147483647", 2147483647, "2147483647", "0x7fffffff"},
    {SYSCTL_TYPE_INT, "-2147483648", (uint64_t)INT64_C(-2147483648), "-2147483648", "-0x80000000"},
    {SYSCTL_TYPE_INT, "-2G", (uint64_t)INT64_C(-2147483648), "-2147483648", "-0x80000000"},
    {SYSCTL_TYPE_INT, "0x7fffffff", 2147483647, "2147483647", "0x7fffffff"},
    {SYSCTL_TYPE_UINT, "0", 0, "0", "0"},
    {SYSCTL_TYPE_UINT, "007", 7, "7", "0x7"},
    {SYSCTL_TYPE_UINT, "4k", 4096, "4096", "0x1000"},
    {SYSCTL_TYPE_UINT, "4294967295", 4294967295, "4294967295", "0xffffffff"},
    {SYSCTL_TYPE_U64, "18446744073709551615", UINT64_MAX, "18446744073709551615",
     "0xffffffffffffffff"},
    {SYSCTL_TYPE_U64, "0xFFFFFFFFFFFFFFFF", UINT64_MAX, "18446744073709551615",
     "0xffffffffffffffff"},
    {SYSCTL_TYPE_U64, "64M", 64 << 20, "67108864", "0x4000000"},
    {SYSCTL_TYPE_U64, "1T", UINT64_C(1) << 40, "1099511627776", "0x10000000000"},
    {SYSCTL_TYPE_BOOL, "0", 0, "0", "0"},
    {SYSCTL_TYPE_BOOL, "1", 1, "1", "0x1"},
    {SYSCTL_TYPE_BOOL, "false", 0, "0", "0"},
    {SYSCTL_TYPE_BOOL, "true", 1, "1", "0x1"},
    {SYSCTL_TYPE_BOOL, "off", 0, "0", "0"},
    {SYSCTL_TYPE_BOOL, "on", 1, "1", "0x1"},
    {SYSCTL_TYPE_BOOL, "no", 0, "0", "0"},
    {SYSCTL_TYPE_BOOL, "yes", 1, "1", "0x1"},
};

struct Bad {
	enum sysctl_type type;
	const char *text;
	enum sysctl_status status;
};

const Bad bad[] = {
    {SYSCTL_TYPE_INT, "", SYSCTL_MALFORMED},
    {SYSCTL_TYPE_INT, "-", SYSCTL_MALFORMED},
    {SYSCTL_TYPE_INT, "--1", SYSCTL_MALFORMED},
    {SYSCTL_TYPE_INT, "+1", SYSCTL_MALFORMED},
    {SYSCTL_TYPE_INT, "- 1", SYSCTL_MALFORMED},
    {SYSCTL_TYPE_INT, "1 ", SYSCTL_MALFORMED},
    {SYSCTL_TYPE_INT, " 1", SYSCTL_MALFORMED},
    {SYSCTL_TYPE_INT, "1.5", SYSCTL_MALFORMED},
    {SYSCTL_TYPE_INT, "0x", SYSCTL_MALFORMED},
    {SYSCTL_TYPE_INT, "2147483648", SYSCTL_OUT_OF_RANGE},
    {SYSCTL_TYPE_INT, "-2147483649", SYSCTL_OUT_OF_RANGE},
    {SYSCTL_TYPE_INT, "0xffffffff", SYSCTL_OUT_OF_RANGE},
    {SYSCTL_TYPE_INT, "2G", SYSCTL_OUT_OF_RANGE},
    {SYSCTL_TYPE_INT, "-18446744073709551615", SYSCTL_OUT_OF_RANGE},
    {SYSCTL_TYPE_INT, "-99999999999999999999", SYSCTL_OUT_OF_RANGE},
    {SYSCTL_TYPE_INT, "99999999999999999999z", SYSCTL_MALFORMED},
    {SYSCTL_TYPE_UINT, "", SYSCTL_MALFORMED},
    {SYSCTL_TYPE_UINT, "-1", SYSCTL_MALFORMED},
    {SYSCTL_TYPE_UINT, "ten", SYSCTL_MALFORMED},
    {SYSCTL_TYPE_UINT, "K", SYSCTL_MALFORMED},
    {SYSCTL_TYPE_UINT, "4294967296", SYSCTL_OUT_OF_RANGE},
    {SYSCTL_TYPE_UINT, "4G", SYSCTL_OUT_OF_RANGE},
    {SYSCTL_TYPE_U64, "-1", SYSCTL_MALFORMED},
    {SYSCTL_TYPE_U64, "1KK", SYSCTL_MALFORMED},
    {SYSCTL_TYPE_U64, "18446744073709551616", SYSCTL_OUT_OF_RANGE},
    {SYSCTL_TYPE_U64, "16777216T", SYSCTL_OUT_OF_RANGE},
    {SYSCTL_TYPE_BOOL, "", SYSCTL_MALFORMED},
    {SYSCTL_TYPE_BOOL, "2", SYSCTL_MALFORMED},
    {SYSCTL_TYPE_BOOL, "01", SYSCTL_MALFORMED},
    {SYSCTL_TYPE_BOOL, "On", SYSCTL_MALFORMED},
    {SYSCTL_TYPE_BOOL, "tru", SYSCTL_MALFORMED},
    {SYSCTL_TYPE_BOOL, "-1", SYSCTL_MALFORMED},
};

TEST(SysctlValue, TakesAndPrintsGoodValues)
{
	for (const Good &row : good) {
		SCOPED_TRACE(row.text);
		struct sysctl_value value = {};
		char text[SYSCTL_TEXT_MAX];

		ASSERT_EQ(sysctl_value_parse(row.type, 0, row.text, &value), SYSCTL_OK);
		EXPECT_EQ(value.number, row.number);
		sysctl_value_print(row.type, false, &value, text, sizeof(text));
		EXPECT_STREQ(text, row.printed);
		sysctl_value_print(row.type, true, &value, text, sizeof(text));
		EXPECT_STREQ(text, row.hex);
	}
}

TEST(SysctlValue, RefusesBadValuesAndChangesNothing)
{
	for (const Bad &row : bad) {
		SCOPED_TRACE(row.text);
		struct sysctl_value value = {};

		value.number = 12345;
		EXPECT_EQ(sysctl_value_parse(row.type, 0, row.text, &value), row.status);
		EXPECT_EQ(value.number, 12345u);
	}
}

TEST(SysctlValue, StringsNeedRoomForTheirEnd)
{
	for (size_t room : {(size_t)0, (size_t)1, (size_t)2, (size_t)8, (size_t)SYSCTL_TEXT_MAX}) {
		for (size_t length = 0; length <= SYSCTL_TEXT_MAX + 3; length++) {
			struct sysctl_value value = {};
			std::string text(length, 'x');
			enum sysctl_status status =
			    sysctl_value_parse(SYSCTL_TYPE_STRING, room, text.c_str(), &value);

			ASSERT_EQ(status, length < room ? SYSCTL_OK : SYSCTL_OUT_OF_RANGE);
			ASSERT_EQ(std::string(value.text), length < room ? text : "");
		}
	}
}

TEST(SysctlValue, PrintingIsCutToTheRoom)
{
	struct sysctl_value value = {};
	char text[8];

	value.number = 123456789;
	sysctl_value_print(SYSCTL_TYPE_U64, false, &value, text, 4);
	EXPECT_STREQ(text, "123");
	std::strcpy(value.text, "hello");
	sysctl_value_print(SYSCTL_TYPE_STRING, false, &value, text, 3);
	EXPECT_STREQ(text, "he");
	sysctl_value_print(SYSCTL_TYPE_STRING, false, &value, text, 0);
	EXPECT_STREQ(text, "he");
}

TEST(SysctlValue, WhatIsPrintedIsTakenAsTheSame)
{
	std::mt19937_64 random(3);

	for (unsigned round = 0; round < 20000; round++) {
		uint64_t bits = random() >> (random() % 64);
		struct {
			enum sysctl_type type;
			uint64_t number;
		} cases[] = {
		    {SYSCTL_TYPE_INT, (uint64_t)(int64_t)(int32_t)bits},
		    {SYSCTL_TYPE_UINT, (uint32_t)bits},
		    {SYSCTL_TYPE_U64, bits},
		    {SYSCTL_TYPE_BOOL, bits & 1},
		};

		for (auto &row : cases) {
			struct sysctl_value value = {}, back = {};
			char text[SYSCTL_TEXT_MAX];
			bool hex = row.type != SYSCTL_TYPE_BOOL && random() % 2;

			value.number = row.number;
			sysctl_value_print(row.type, hex, &value, text, sizeof(text));
			ASSERT_EQ(sysctl_value_parse(row.type, 0, text, &back), SYSCTL_OK) << text;
			ASSERT_EQ(back.number, row.number) << text;
		}
	}
}

TEST(SysctlValue, AnyBytesAreHarmless)
{
	static const char alphabet[] = "0123456789abcdefxXKMGT-+ .onf\xff";
	std::mt19937 random(4);

	for (unsigned round = 0; round < 20000; round++) {
		std::string text(random() % 24, '\0');
		struct sysctl_value value = {};

		for (char &c : text)
			c = alphabet[random() % (sizeof(alphabet) - 1)];
		for (int type = SYSCTL_TYPE_INT; type <= SYSCTL_TYPE_STRING; type++)
			(void)sysctl_value_parse((enum sysctl_type)type, 16, text.c_str(), &value);
		EXPECT_LT(std::strlen(value.text), 16u);
	}
}

} // namespace
