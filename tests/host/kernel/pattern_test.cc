// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/pattern.h"

#include <gtest/gtest.h>

namespace
{

TEST(Pattern, IsFoundWhereItWasPut)
{
	uint64_t words[64];
	vm_offset_t addr = (vm_offset_t)words;

	pattern_fill(addr, sizeof(words), 5);
	EXPECT_EQ(0u, pattern_check(addr, sizeof(words), 5));
}

TEST(Pattern, TellsTheFirstWrongWord)
{
	uint64_t words[64];
	vm_offset_t addr = (vm_offset_t)words;

	pattern_fill(addr, sizeof(words), 5);
	words[40] ^= 1;
	words[17] ^= UINT64_C(1) << 63;
	EXPECT_EQ((vm_offset_t)&words[17], pattern_check(addr, sizeof(words), 5));
}

TEST(Pattern, DependsOnTheSeed)
{
	uint64_t words[64];
	vm_offset_t addr = (vm_offset_t)words;

	pattern_fill(addr, sizeof(words), 5);
	EXPECT_EQ(addr, pattern_check(addr, sizeof(words), 6));
}

} // namespace
