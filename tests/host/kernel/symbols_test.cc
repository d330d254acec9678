// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/symbols.h"

#include <gtest/gtest.h>

#include <string>

namespace
{

const uint32_t offsets[] = {0x1000, 0x1040, 0x1040 + 0x10, 0x3000};
const uint32_t names[] = {0, 6, 12, 17};
const char strings[] = "start\0check\0init\0last\0";
const struct symbol_table table = {4, offsets, names, strings};

std::string at(uint64_t offset)
{
	uint64_t distance = 0;
	const char *name = symbol_lookup(&table, offset, &distance);

	return name == nullptr ? "none" : name + ("+" + std::to_string(distance));
}

TEST(Symbols, FindsTheFunctionAtOrBelow)
{
	EXPECT_EQ("start+0", at(0x1000));
	EXPECT_EQ("start+63", at(0x103f));
	EXPECT_EQ("check+0", at(0x1040));
	EXPECT_EQ("init+1", at(0x1051));
	EXPECT_EQ("last+0", at(0x3000));
	EXPECT_EQ("last+5", at(0x3005));
}

TEST(Symbols, FindsNothingBelowTheFirst)
{
	EXPECT_EQ("none", at(0));
	EXPECT_EQ("none", at(0xfff));
}

TEST(Symbols, AnEmptyTableHasNoFunctions)
{
	struct symbol_table empty = {0, nullptr, nullptr, nullptr};
	uint64_t distance;

	EXPECT_EQ(nullptr, symbol_lookup(&empty, 5, &distance));
}

std::string text(uint64_t base, uint64_t pc)
{
	char buf[SYMBOL_TEXT_MAX];

	symbol_format(&table, base, pc, buf, sizeof(buf));
	return buf;
}

TEST(Symbols, FormatsNameAndDistance)
{
	const uint64_t base = 0xffffffff80000000;

	EXPECT_EQ("check+0xf", text(base, base + 0x104f));
	EXPECT_EQ("?", text(base, base + 0x10));
	EXPECT_EQ("?", text(base, 0x1000));
	/* Far behind the last function there is none. */
	EXPECT_EQ("?", text(base, UINT64_MAX));
}

TEST(Symbols, CutsToTheBuffer)
{
	char buf[4];

	symbol_format(&table, 0, 0x1000, buf, sizeof(buf));
	EXPECT_STREQ("sta", buf);
}

} // namespace
