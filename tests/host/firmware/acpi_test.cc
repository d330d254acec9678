// SPDX-License-Identifier: BSD-2-Clause
#include "arch/x86_64/firmware/acpi.h"

#include <memory>

#include "tests/host/firmware/firmware_image.h"
#include "gtest/gtest.h"

namespace
{

using firmware::acpi_table;
using firmware::Bytes;
using firmware::fix_checksum;
using firmware::Memory;
using firmware::Report;
using firmware::rsdp;

constexpr uint64_t RSDP = 0xf5a00, RSDT = 0x10000, XSDT = 0x11000, MADT = 0x12000, SRAT = 0x13000;
constexpr uint64_t HIGH = 0x120000000; // above 4 GiB: reachable through an XSDT only

// A machine with both root tables, each listing a MADT and an SRAT.
class Acpi : public testing::Test
{
      protected:
	Acpi() : tables(std::make_unique<acpi_tables>())
	{
		memory.put(RSDP, rsdp(2, RSDT, XSDT));
		memory.put(RSDT, acpi_table("RSDT", Bytes().u32(MADT).u32(SRAT).data));
		memory.put(XSDT, acpi_table("XSDT", Bytes().u64(MADT).u64(SRAT).data));
		memory.put(MADT, acpi_table("APIC", std::vector<uint8_t>(8)));
		memory.put(SRAT, acpi_table("SRAT", std::vector<uint8_t>(12)));
	}

	bool load()
	{
		return acpi_load(memory.mem(), &hint, tables.get(), report);
	}

	const ::acpi_table *find(const char *signature)
	{
		return acpi_find(tables.get(), signature, report);
	}

	acpi_hint hint = {0, nullptr, 0};
	Memory memory;
	Report report;
	std::unique_ptr<acpi_tables> tables;
};

TEST(AcpiRsdp, BothRevisionsAreRead)
{
	acpi_rsdp out;

	ASSERT_TRUE(acpi_rsdp_parse(rsdp(0, 0x1234).data(), 20, &out));
	EXPECT_EQ(out.revision, 0);
	EXPECT_EQ(out.rsdt, 0x1234u);
	EXPECT_EQ(out.xsdt, 0u);
	ASSERT_TRUE(acpi_rsdp_parse(rsdp(2, 0x1234, HIGH).data(), 36, &out));
	EXPECT_EQ(out.xsdt, HIGH);
}

TEST(AcpiRsdp, EveryDamagedByteIsNoticed)
{
	acpi_rsdp out;

	for (size_t i = 0; i < 36; i++) {
		std::vector<uint8_t> bytes = rsdp(2, 0x1234, HIGH);

		bytes[i] ^= 0x10;
		EXPECT_FALSE(acpi_rsdp_parse(bytes.data(), bytes.size(), &out)) << i;
	}
}

TEST(AcpiRsdp, LengthsThatCannotBeRightAreRefused)
{
	acpi_rsdp out;
	const std::vector<uint8_t> good = rsdp(2, 0x1234, HIGH);

	for (size_t len = 0; len < 36; len++) {
		std::vector<uint8_t> cut(good.begin(), good.begin() + len);

		EXPECT_FALSE(acpi_rsdp_parse(cut.data(), len, &out)) << len;
	}
	for (uint32_t length : {0u, 20u, 35u, 37u, 0xffffffffu}) {
		std::vector<uint8_t> bytes = good;

		memcpy(&bytes[20], &length, 4);
		fix_checksum(bytes, 32, 36);
		EXPECT_FALSE(acpi_rsdp_parse(bytes.data(), bytes.size(), &out)) << length;
	}
}

TEST_F(Acpi, FindsTheRootPointerInTheBiosArea)
{
	ASSERT_TRUE(load());
	EXPECT_EQ(tables->rsdp.pa, RSDP);
	EXPECT_TRUE(tables->from_xsdt);
	EXPECT_EQ(tables->count, 2u);
	ASSERT_NE(find("APIC"), nullptr);
	EXPECT_EQ(find("APIC")->pa, MADT);
	EXPECT_EQ(find("APIC")->length, 44u);
	EXPECT_EQ(find("APIC")->revision, 3);
	EXPECT_EQ(find("HPET"), nullptr);
	EXPECT_EQ(report.count(), 0u) << report.all();
}

TEST_F(Acpi, FindsTheRootPointerAtTheLastPlaceOfTheBiosArea)
{
	memory.pieces.erase(RSDP);
	memory.put(0xfffe0, rsdp(0, RSDT));
	EXPECT_TRUE(load());
	EXPECT_EQ(tables->rsdp.pa, 0xfffe0u);
}

TEST_F(Acpi, FindsTheRootPointerInTheEbda)
{
	memory.pieces.erase(RSDP);
	memory.put(0x40e, Bytes().u16(0x9fc0).data);
	memory.put(0x9fc00 + 0x3e0, rsdp(2, RSDT, XSDT));
	EXPECT_TRUE(load());
	EXPECT_EQ(tables->rsdp.pa, 0x9ffe0u);
}

TEST_F(Acpi, UsesTheCopyThenTheAddressOfTheLoader)
{
	const std::vector<uint8_t> copy = rsdp(2, RSDT, XSDT);

	memory.pieces.erase(RSDP);
	hint.copy = copy.data();
	hint.copy_len = copy.size();
	EXPECT_TRUE(load());
	EXPECT_EQ(tables->rsdp.pa, 0u);

	memory.put(HIGH, copy);
	hint = {HIGH, nullptr, 0};
	EXPECT_TRUE(load());
	EXPECT_EQ(tables->rsdp.pa, HIGH);
}

TEST_F(Acpi, ALongerRootPointerIsCheckedToItsEnd)
{
	std::vector<uint8_t> longer = rsdp(2, RSDT, XSDT);

	longer.resize(44, 7);
	longer[20] = 44;
	fix_checksum(longer, 32, 44);
	memory.put(RSDP, longer);
	EXPECT_TRUE(load());
	EXPECT_TRUE(tables->from_xsdt);
	memory.pieces[RSDP][40]++;
	EXPECT_FALSE(load());
	memory.pieces[RSDP].resize(40);
	EXPECT_FALSE(load());
}

TEST_F(Acpi, AWrongRsdpChecksumMeansTheNextCandidate)
{
	std::vector<uint8_t> damaged = rsdp(2, RSDT, XSDT);

	damaged[8]++;
	hint.copy = damaged.data();
	hint.copy_len = damaged.size();
	hint.rsdp = 0xe0000;
	memory.put(0xe0000, damaged);
	memory.put(0xe0100, damaged);
	EXPECT_TRUE(load());
	EXPECT_EQ(tables->rsdp.pa, RSDP);
	EXPECT_EQ(report.with("damaged"), 3u) << report.all();
}

TEST_F(Acpi, NoGoodCandidateMeansNoTablesAndAWarning)
{
	memory.pieces[RSDP][8]++;
	EXPECT_FALSE(load());
	EXPECT_EQ(tables->count, 0u);
	EXPECT_EQ(find("APIC"), nullptr);
	EXPECT_EQ(report.with("no usable tables (1 root pointers tried)"), 1u) << report.all();
}

TEST_F(Acpi, ARootPointerIntoNowhereMeansTheNextCandidate)
{
	hint.rsdp = 0xdead00000;
	memory.put(0xe0000, rsdp(2, 0xdead0000, 0xdead0000));
	EXPECT_TRUE(load());
	EXPECT_EQ(tables->rsdp.pa, RSDP);
	EXPECT_EQ(report.with("no memory there"), 3u) << report.all();
}

TEST_F(Acpi, AnEmptyMachineHasNoTables)
{
	memory.pieces.clear();
	EXPECT_FALSE(load());
	EXPECT_EQ(report.count(), 1u);
	hint.rsdp = HIGH;
	EXPECT_FALSE(load());
	EXPECT_EQ(report.with("(1 root pointers tried)"), 1u) << report.all();
}

TEST_F(Acpi, RevisionTwoWithNoXsdtMeansTheRsdt)
{
	memory.put(RSDP, rsdp(2, RSDT, 0));
	EXPECT_TRUE(load());
	EXPECT_FALSE(tables->from_xsdt);
	EXPECT_NE(find("APIC"), nullptr);
	EXPECT_EQ(report.with("trying the RSDT"), 1u);
}

TEST_F(Acpi, ABadXsdtMeansTheRsdt)
{
	const std::vector<std::vector<uint8_t>> bad = {
	    {},
	    acpi_table("YSDT", Bytes().u64(MADT).data),
	    acpi_table("XSDT", {}),
	    acpi_table("XSDT", Bytes().u64(0xdead0000).data),
	};

	for (const auto &xsdt : bad) {
		memory.put(XSDT, xsdt);
		EXPECT_TRUE(load());
		EXPECT_FALSE(tables->from_xsdt);
		EXPECT_NE(find("APIC"), nullptr);
	}
	memory.put(XSDT, acpi_table("XSDT", Bytes().u64(MADT).data));
	memory.pieces[XSDT][40]++;
	EXPECT_TRUE(load());
	EXPECT_FALSE(tables->from_xsdt);
}

TEST_F(Acpi, RevisionZeroIgnoresWhatWouldBeTheXsdt)
{
	std::vector<uint8_t> bytes = rsdp(0, RSDT);

	bytes.resize(36, 0xff);
	memory.put(RSDP, bytes);
	EXPECT_TRUE(load());
	EXPECT_FALSE(tables->from_xsdt);
	EXPECT_EQ(report.count(), 0u) << report.all();
}

TEST_F(Acpi, ATableWithAWrongChecksumIsSkipped)
{
	memory.pieces[MADT][40]++;
	EXPECT_TRUE(load());
	EXPECT_EQ(find("APIC"), nullptr);
	EXPECT_NE(find("SRAT"), nullptr);
	EXPECT_EQ(tables->skipped, 1u);
	EXPECT_EQ(report.with("APIC at 0x12000 skipped: wrong checksum"), 1u) << report.all();
}

TEST_F(Acpi, ATableShorterThanItsHeaderIsSkipped)
{
	for (uint32_t length : {0u, 1u, 35u}) {
		memcpy(&memory.pieces[MADT][4], &length, 4);
		fix_checksum(memory.pieces[MADT], 9, length);
		EXPECT_TRUE(load());
		EXPECT_EQ(find("APIC"), nullptr);
		EXPECT_NE(find("SRAT"), nullptr);
	}
	EXPECT_EQ(report.with("shorter than its header"), 3u);
}

TEST_F(Acpi, ATablePastTheEndOfMemoryIsSkipped)
{
	for (uint32_t length : {45u, 0x100000u, 0x7fffffffu, 0xffffffffu}) {
		memcpy(&memory.pieces[MADT][4], &length, 4);
		EXPECT_TRUE(load());
		EXPECT_EQ(find("APIC"), nullptr);
	}
	EXPECT_EQ(report.with("its end is not in memory"), 2u) << report.all();
	EXPECT_EQ(report.with("absurdly long"), 2u);
}

TEST_F(Acpi, APointerIntoNowhereIsSkipped)
{
	memory.put(XSDT, acpi_table("XSDT", Bytes()
						.u64(0)
						.u64(0xdead0000)
						.u64(UINT64_MAX)
						.u64(UINT64_MAX - 35)
						.u64(MADT)
						.data));
	EXPECT_TRUE(load());
	EXPECT_NE(find("APIC"), nullptr);
	EXPECT_EQ(tables->skipped, 4u);
	EXPECT_EQ(report.with("no memory there"), 4u);
}

TEST_F(Acpi, ATableAbove4GiBIsFoundThroughTheXsdt)
{
	memory.put(HIGH, acpi_table("HPET", {}));
	memory.put(XSDT, acpi_table("XSDT", Bytes().u64(HIGH).data));
	EXPECT_TRUE(load());
	ASSERT_NE(find("HPET"), nullptr);
	EXPECT_EQ(find("HPET")->pa, HIGH);
}

TEST_F(Acpi, OfTwoMadtsTheFirstWinsWithAWarning)
{
	memory.put(0x14000, acpi_table("APIC", std::vector<uint8_t>(16)));
	memory.put(XSDT, acpi_table("XSDT", Bytes().u64(MADT).u64(SRAT).u64(0x14000).data));
	EXPECT_TRUE(load());
	EXPECT_EQ(find("APIC")->pa, MADT);
	EXPECT_EQ(report.with("another APIC at 0x14000: the one at 0x12000 is used"), 1u);
}

TEST_F(Acpi, MoreTablesThanSupportedAreCounted)
{
	Bytes list;

	for (int i = 0; i < 300; i++)
		list.u64(i < 150 ? MADT : 0);
	memory.put(XSDT, acpi_table("XSDT", list.data));
	EXPECT_TRUE(load());
	EXPECT_EQ(tables->count, unsigned{ACPI_TABLES_MAX});
	EXPECT_EQ(tables->skipped, 300u - ACPI_TABLES_MAX);
	EXPECT_EQ(report.with("300 tables listed, the last 172 ignored"), 1u) << report.all();
}

TEST_F(Acpi, ALongListOfBadPointersIsNotReadForEver)
{
	memory.put(XSDT, acpi_table("XSDT", std::vector<uint8_t>(8 * 100000)));
	EXPECT_TRUE(load());
	EXPECT_FALSE(tables->from_xsdt);
	EXPECT_NE(find("APIC"), nullptr);
}

TEST_F(Acpi, ARootTableThatEndsInsideAnEntryKeepsTheWholeOnes)
{
	memory.put(XSDT, acpi_table("XSDT", Bytes().u64(MADT).u32(SRAT).data));
	EXPECT_TRUE(load());
	EXPECT_EQ(tables->count, 1u);
}

TEST_F(Acpi, UnprintableSignaturesDoNotReachTheConsole)
{
	std::vector<uint8_t> table = acpi_table("\x1b[2J", {});

	table[10]++;
	memory.put(MADT, table);
	EXPECT_TRUE(load());
	EXPECT_EQ(report.with("table ?[2J"), 1u) << report.all();
}

} // namespace
