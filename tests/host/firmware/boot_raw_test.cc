// SPDX-License-Identifier: BSD-2-Clause
#include "arch/x86_64/firmware/boot_raw.h"

#include <memory>

#include "tests/host/firmware/firmware_image.h"
#include "gtest/gtest.h"

namespace
{

using firmware::Report;

std::unique_ptr<boot_raw> fresh()
{
	auto raw = std::make_unique<boot_raw>();

	boot_raw_init(raw.get());
	return raw;
}

TEST(RawRange, EndsAreExactUpToTheTop)
{
	vm_paddr_t end;
	raw_range at_4g = {0xf0000000, 0x10000000, RAW_USABLE};
	raw_range top = {UINT64_MAX - 0xfff, 0x1000, RAW_RESERVED};
	raw_range wraps = {UINT64_MAX - 0xfff, 0x1001, RAW_USABLE};
	raw_range empty = {0x1000, 0, RAW_USABLE};

	EXPECT_TRUE(raw_range_end(&at_4g, &end));
	EXPECT_EQ(end, 0x100000000u);
	EXPECT_TRUE(raw_range_end(&top, &end));
	EXPECT_EQ(end, UINT64_MAX);
	EXPECT_FALSE(raw_range_end(&wraps, &end));
	EXPECT_FALSE(raw_range_end(&empty, &end));
}

TEST(RawMap, JoinsNeighboursOfOneType)
{
	auto raw = fresh();

	raw_map_add(&raw->map, 0x1000, 0x1000, RAW_USABLE);
	raw_map_add(&raw->map, 0x2000, 0x1000, RAW_USABLE);
	raw_map_add(&raw->map, 0x3000, 0x1000, RAW_RESERVED);
	ASSERT_EQ(raw->map.count, 2u);
	EXPECT_EQ(raw->map.ranges[0].length, 0x2000u);
}

TEST(RawMap, NeverJoinsAcrossTheTop)
{
	auto raw = fresh();

	raw_map_add(&raw->map, 1, UINT64_MAX, RAW_USABLE); // ends exactly at the top
	raw_map_add(&raw->map, 0, 5, RAW_USABLE);
	raw_map_add(&raw->map, UINT64_MAX, 1, RAW_USABLE);
	EXPECT_EQ(raw->map.count, 3u);
	EXPECT_EQ(raw->map.ranges[0].length, UINT64_MAX);
}

TEST(RawMap, WhenFullAReservedRangeDisplacesTheSmallestUsable)
{
	auto raw = fresh();

	for (unsigned i = 0; i < RAW_RANGES_MAX; i++)
		raw_map_add(&raw->map, i * 0x100000ull, 0x2000 + i, RAW_USABLE);
	ASSERT_EQ(raw->map.count, unsigned{RAW_RANGES_MAX});
	raw_map_add(&raw->map, 0x5000, 0x10, RAW_RESERVED);
	EXPECT_EQ(raw->map.lost_bytes, 0x2000u);
	EXPECT_EQ(raw->map.ranges[0].type, unsigned{RAW_RESERVED});
	EXPECT_EQ(raw->map.ranges[0].length, 0x10u);
}

TEST(RawMap, WhenFullTheLargerUsableRangesStayAndTheLossIsCounted)
{
	auto raw = fresh();

	for (unsigned i = 0; i < RAW_RANGES_MAX; i++)
		raw_map_add(&raw->map, i * 0x100000ull, 0x2000 + i, RAW_USABLE);
	raw_map_add(&raw->map, 1ull << 40, 0x1000, RAW_USABLE);
	EXPECT_EQ(raw->map.lost_bytes, 0x1000u);
	raw_map_add(&raw->map, 1ull << 41, 0x9000, RAW_USABLE);
	EXPECT_EQ(raw->map.lost_bytes, 0x3000u);
	EXPECT_EQ(raw->map.ranges[0].start, 1ull << 41);
}

TEST(RawMap, WhenFullOfReservedRangesUsableOnesAreLost)
{
	auto raw = fresh();

	for (unsigned i = 0; i < RAW_RANGES_MAX; i++)
		raw_map_add(&raw->map, i * 0x100000ull, 0x1000, RAW_RESERVED);
	raw_map_add(&raw->map, 1ull << 40, 0x1000, RAW_USABLE);
	raw_map_add(&raw->map, 1ull << 41, UINT64_MAX - (1ull << 41), RAW_USABLE);
	raw_map_add(&raw->map, 0, UINT64_MAX, RAW_USABLE);
	EXPECT_EQ(raw->map.lost_bytes, UINT64_MAX);
	EXPECT_EQ(raw->map.count, unsigned{RAW_RANGES_MAX});
}

TEST(BootModules, AreListedWithTheirNames)
{
	auto raw = fresh();
	Report report;
	std::string name(100, 'n');

	boot_raw_add_module(raw.get(), 0x1000, 0x2000, "disk", 4, report);
	boot_raw_add_module(raw.get(), 0x3000, 0x3001, name.data(), name.size(), report);
	ASSERT_EQ(raw->module_count, 2u);
	EXPECT_STREQ(raw->modules[0].name, "disk");
	EXPECT_EQ(strlen(raw->modules[1].name), size_t{BOOT_MODULE_NAME_MAX - 1});
	EXPECT_EQ(report.count(), 0u);
}

TEST(BootModules, SenselessOnesAreRefusedAndEmptyOnesIgnored)
{
	auto raw = fresh();
	Report report;

	boot_raw_add_module(raw.get(), 0x2000, 0x1000, "", 0, report);
	boot_raw_add_module(raw.get(), 0x2000, 0x2000, "", 0, report);
	EXPECT_EQ(raw->module_count, 0u);
	EXPECT_EQ(report.count(), 1u);
}

TEST(BootModules, ThoseBeyondTheTableAreStillReserved)
{
	auto raw = fresh();
	Report report;

	for (unsigned i = 0; i <= BOOT_MODULES_MAX; i++)
		boot_raw_add_module(raw.get(), 0x10000 * (i + 1), 0x10000 * (i + 1) + 0x800, "m", 1,
				    report);
	EXPECT_EQ(raw->module_count, unsigned{BOOT_MODULES_MAX});
	ASSERT_EQ(raw->map.count, 1u);
	EXPECT_EQ(raw->map.ranges[0].type, unsigned{RAW_RESERVED});
	EXPECT_EQ(raw->map.ranges[0].length, 0x800u);
	EXPECT_EQ(report.count(), 1u);
}

} // namespace
