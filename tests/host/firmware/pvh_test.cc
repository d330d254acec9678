// SPDX-License-Identifier: BSD-2-Clause
#include "arch/x86_64/firmware/pvh.h"

#include <memory>

#include "tests/host/firmware/firmware_image.h"
#include "gtest/gtest.h"

namespace
{

using firmware::Bytes;
using firmware::Memory;
using firmware::Report;

constexpr uint64_t INFO = 0x7000, MODULES = 0x8000, CMDLINE = 0x9000, MEMMAP = 0xa000;

struct Start {
	uint32_t magic = PVH_MAGIC;
	uint32_t version = 1;
	uint32_t module_count = 0;
	uint64_t modules = MODULES;
	uint64_t cmdline = CMDLINE;
	uint64_t rsdp = 0xf5a00;
	uint64_t memmap = MEMMAP;
	uint32_t memmap_count = 2;

	std::vector<uint8_t> bytes() const
	{
		Bytes b;

		b.u32(magic).u32(version).u32(0).u32(module_count);
		b.u64(modules).u64(cmdline).u64(rsdp);
		if (version >= 1)
			b.u64(memmap).u32(memmap_count).u32(0);
		return b.data;
	}
};

class Pvh : public testing::Test
{
      protected:
	Pvh() : raw(std::make_unique<boot_raw>())
	{
		Bytes map;

		map.u64(0).u64(0x9fc00).u32(RAW_USABLE).u32(0);
		map.u64(0x100000).u64(0x100000000).u32(RAW_USABLE).u32(0);
		memory.put(MEMMAP, map.data);
		memory.put(CMDLINE, Bytes().text("smp=2").u8(0).data);
	}

	bool parse()
	{
		memory.put(INFO, start.bytes());
		return pvh_parse(memory.mem(), INFO, raw.get(), report);
	}

	Start start;
	Memory memory;
	Report report;
	std::unique_ptr<boot_raw> raw;
};

TEST_F(Pvh, ReadsVersionOne)
{
	EXPECT_TRUE(parse());
	EXPECT_STREQ(raw->cmdline, "smp=2");
	EXPECT_STREQ(raw->loader, "PVH");
	EXPECT_EQ(raw->rsdp, 0xf5a00u);
	ASSERT_EQ(raw->map.count, 2u);
	EXPECT_EQ(raw->map.ranges[1].length, 0x100000000u);
	EXPECT_EQ(report.count(), 0u) << report.all();
}

TEST_F(Pvh, VersionZeroHasNoMemoryMap)
{
	start.version = 0;
	EXPECT_TRUE(parse());
	EXPECT_EQ(raw->map.count, 0u);
	EXPECT_STREQ(raw->cmdline, "smp=2");
	EXPECT_EQ(report.with("no memory map (version 0)"), 1u);
}

TEST_F(Pvh, WrongMagicIsRefused)
{
	start.magic = 0x12345678;
	EXPECT_FALSE(parse());
	EXPECT_EQ(report.with("magic"), 1u);
}

TEST_F(Pvh, NoStartInformationIsRefused)
{
	EXPECT_FALSE(pvh_parse(memory.mem(), 0x5000000, raw.get(), report));
	EXPECT_FALSE(pvh_parse(memory.mem(), 0, raw.get(), report));
	EXPECT_FALSE(pvh_parse(memory.mem(), UINT64_MAX - 3, raw.get(), report));
	EXPECT_EQ(report.count(), 3u);
}

TEST_F(Pvh, AVersionOneThatIsCutShortIsReadAsVersionZero)
{
	std::vector<uint8_t> bytes = start.bytes();

	bytes.resize(PVH_INFO_V0);
	memory.put(INFO, bytes);
	EXPECT_TRUE(pvh_parse(memory.mem(), INFO, raw.get(), report));
	EXPECT_EQ(raw->map.count, 0u);
}

TEST_F(Pvh, Modules)
{
	Bytes list;

	list.u64(0x200000).u64(0x1234).u64(CMDLINE).u64(0);
	list.u64(UINT64_MAX - 1).u64(16).u64(0).u64(0);
	list.u64(0x300000).u64(1).u64(0xdead0000).u64(0);
	memory.put(MODULES, list.data);
	start.module_count = 3;
	EXPECT_TRUE(parse());
	ASSERT_EQ(raw->module_count, 2u);
	EXPECT_EQ(raw->modules[0].end, 0x201234u);
	EXPECT_STREQ(raw->modules[0].name, "smp=2");
	EXPECT_STREQ(raw->modules[1].name, "");
	EXPECT_EQ(report.with("wraps around"), 1u);
}

TEST_F(Pvh, ATableIntoNowhereEndsWhereMemoryEnds)
{
	start.memmap_count = 0xffffffff;
	start.module_count = 0xffffffff;
	EXPECT_TRUE(parse());
	EXPECT_EQ(raw->map.count, 2u);
	EXPECT_EQ(raw->module_count, 0u);
	EXPECT_EQ(report.with("memory map cannot be read from entry 2"), 1u) << report.all();
	EXPECT_EQ(report.with("module list cannot be read from entry 0"), 1u);
}

TEST_F(Pvh, ATableAtTheTopDoesNotWrap)
{
	start.memmap = UINT64_MAX - 10;
	EXPECT_TRUE(parse());
	EXPECT_EQ(raw->map.count, 0u);
	start.memmap = 0;
	EXPECT_TRUE(parse());
	EXPECT_EQ(raw->map.count, 0u);
}

TEST_F(Pvh, ACommandLineThatCannotBeReadIsReported)
{
	start.cmdline = 0xdead0000;
	EXPECT_TRUE(parse());
	EXPECT_STREQ(raw->cmdline, "");
	EXPECT_EQ(report.with("command line"), 1u);
}

TEST_F(Pvh, NoCommandLineIsNoProblem)
{
	start.cmdline = 0;
	EXPECT_TRUE(parse());
	EXPECT_EQ(report.count(), 0u);
}

} // namespace
