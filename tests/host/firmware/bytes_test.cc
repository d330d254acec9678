// SPDX-License-Identifier: BSD-2-Clause
#include "arch/x86_64/firmware/bytes.h"

#include "tests/host/firmware/firmware_image.h"
#include "gtest/gtest.h"

namespace
{

using firmware::Memory;

std::vector<uint8_t> text(const std::string &s)
{
	return {s.begin(), s.end()};
}

TEST(FwBytes, FieldsAreLittleEndianAtAnyAlignment)
{
	const uint8_t bytes[] = {0, 1, 2, 3, 4, 5, 6, 7, 8};

	EXPECT_EQ(fw_u8(bytes, 1), 1);
	EXPECT_EQ(fw_u16(bytes, 1), 0x0201);
	EXPECT_EQ(fw_u32(bytes, 1), 0x04030201u);
	EXPECT_EQ(fw_u64(bytes, 1), 0x0807060504030201u);
}

TEST(FwMap, RefusesAddressZeroNoLengthAndWrapping)
{
	Memory memory;

	memory.put(0, std::vector<uint8_t>(64));
	EXPECT_EQ(fw_map(memory.mem(), 0, 4), nullptr);
	EXPECT_EQ(fw_map(memory.mem(), 16, 0), nullptr);
	EXPECT_EQ(fw_map(memory.mem(), UINT64_MAX, 2), nullptr);
	EXPECT_NE(fw_map(memory.mem(), 16, 48), nullptr);
	EXPECT_EQ(fw_map(memory.mem(), 16, 49), nullptr);
}

TEST(FwMapString, CopiesUpToTheZero)
{
	Memory memory;
	char buf[8];

	memory.put(0x1000, text(std::string("abc\0def", 7)));
	EXPECT_TRUE(fw_map_string(memory.mem(), 0x1000, buf, sizeof(buf)));
	EXPECT_STREQ(buf, "abc");
}

TEST(FwMapString, SaysWhenTheBufferOrTheMemoryEndsFirst)
{
	Memory memory;
	char buf[4];

	memory.put(0x1000, text("abcdef"));
	EXPECT_FALSE(fw_map_string(memory.mem(), 0x1000, buf, sizeof(buf)));
	EXPECT_STREQ(buf, "abc");
	EXPECT_FALSE(fw_map_string(memory.mem(), 0x1004, buf, sizeof(buf)));
	EXPECT_STREQ(buf, "ef");
	EXPECT_FALSE(fw_map_string(memory.mem(), 0x5000, buf, sizeof(buf)));
	EXPECT_STREQ(buf, "");
	EXPECT_FALSE(fw_map_string(memory.mem(), UINT64_MAX, buf, sizeof(buf)));
	EXPECT_STREQ(buf, "");
}

TEST(FwMapString, DoesNotWrapAround)
{
	Memory memory;
	char buf[8];

	memory.put(UINT64_MAX - 2, text("ab"));
	memory.put(0, text("zz"));
	EXPECT_FALSE(fw_map_string(memory.mem(), UINT64_MAX - 2, buf, sizeof(buf)));
	EXPECT_STREQ(buf, "ab");
}

} // namespace
