// SPDX-License-Identifier: BSD-2-Clause
#include "lib/bits.h"

#include "gtest/gtest.h"

namespace
{

constexpr uint64_t TOP = uint64_t{1} << 63;

TEST(Bits, PowersOfTwoAreRecognised)
{
	EXPECT_FALSE(is_pow2(0));
	for (unsigned n = 0; n < 64; n++)
		EXPECT_TRUE(is_pow2(uint64_t{1} << n));
	EXPECT_FALSE(is_pow2(3));
	EXPECT_FALSE(is_pow2(UINT64_MAX));
}

TEST(Bits, LogarithmsRoundDownAndUp)
{
	for (unsigned n = 0; n < 64; n++) {
		EXPECT_EQ(ilog2(uint64_t{1} << n), n);
		EXPECT_EQ(ilog2_up(uint64_t{1} << n), n);
	}
	for (unsigned n = 1; n < 64; n++) {
		EXPECT_EQ(ilog2((uint64_t{1} << n) + 1), n);
		EXPECT_EQ(ilog2_up((uint64_t{1} << n) + 1), n + 1);
	}
	EXPECT_EQ(ilog2(UINT64_MAX), 63u);
}

TEST(Bits, RoundingUpToAPowerSaysWhenItDoesNotFit)
{
	EXPECT_EQ(roundup_pow2(0), 1u);
	EXPECT_EQ(roundup_pow2(1), 1u);
	EXPECT_EQ(roundup_pow2(5), 8u);
	EXPECT_EQ(roundup_pow2(TOP), TOP);
	EXPECT_EQ(roundup_pow2(TOP + 1), 0u);
}

TEST(Bits, AlignmentRoundsBothWays)
{
	EXPECT_EQ(align_down(4097, 4096), 4096u);
	EXPECT_EQ(align_up(4097, 4096), 8192u);
	EXPECT_EQ(align_up(4096, 4096), 4096u);
	EXPECT_EQ(align_up(7, 1), 7u);
	EXPECT_EQ(align_up(UINT64_MAX, 4096), 0u);
	EXPECT_TRUE(is_aligned(8192, 4096));
	EXPECT_FALSE(is_aligned(8191, 4096));
}

TEST(Bits, CheckedRoundingRefusesToWrapAndLeavesTheResultAlone)
{
	vm_size_t out = 7;

	EXPECT_TRUE(round_page_checked(1, &out));
	EXPECT_EQ(out, PAGE_SIZE);
	EXPECT_TRUE(round_page_checked(0, &out));
	EXPECT_EQ(out, 0u);
	EXPECT_TRUE(round_page_checked(UINT64_MAX - PAGE_MASK, &out));
	EXPECT_EQ(out, UINT64_MAX - PAGE_MASK);
	out = 7;
	EXPECT_FALSE(round_page_checked(UINT64_MAX - PAGE_MASK + 1, &out));
	EXPECT_FALSE(round_page_checked(UINT64_MAX, &out));
	EXPECT_EQ(out, 7u);
}

} // namespace
