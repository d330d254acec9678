// SPDX-License-Identifier: BSD-2-Clause
#include "arch/x86_64/firmware/srat.h"

#include <memory>

#include "tests/host/firmware/firmware_image.h"
#include "gtest/gtest.h"

namespace
{

using firmware::Bytes;
using firmware::Report;

constexpr uint64_t GIB = 1ull << 30;

class Table : public Bytes
{
      public:
	explicit Table(unsigned revision = 3)
	{
		text("SRAT").u32(0).u8(revision).zeros(39);
	}
	Table &cpu(uint32_t proximity, unsigned id, uint32_t flags = 1)
	{
		u8(0).u8(16).u8(proximity & 0xff).u8(id).u32(flags).u8(0x77);
		u8(proximity >> 8 & 0xff).u8(proximity >> 16 & 0xff).u8(proximity >> 24).u32(0);
		return *this;
	}
	Table &x2apic(uint32_t proximity, uint32_t id, uint32_t flags = 1)
	{
		u8(2).u8(24).u16(0).u32(proximity).u32(id).u32(flags).u32(0).u32(0);
		return *this;
	}
	Table &memory(uint32_t proximity, uint64_t start, uint64_t length, uint32_t flags = 1)
	{
		u8(1).u8(40).u32(proximity).u16(0).u64(start).u64(length).u32(0).u32(flags).u64(0);
		return *this;
	}
};

struct Parsed : srat {
	explicit Parsed(const Bytes &table, const raw_map *ram = nullptr)
	{
		const std::vector<uint8_t> exact(table.data.begin(), table.data.end());

		good = srat_parse(exact.data(), exact.size(), ram, this, report);
	}

	uint32_t memory(uint64_t pa) const
	{
		return srat_domain_of_memory(this, pa);
	}
	uint32_t cpu(uint32_t id) const
	{
		return srat_domain_of_cpu(this, id);
	}

	Report report;
	bool good;
};

TEST(Srat, MemoryAndCpusOfBothForms)
{
	Parsed p(
	    Table().cpu(0, 0).cpu(1, 1).x2apic(1, 0x100).memory(0, 0, GIB).memory(1, GIB, GIB));

	EXPECT_TRUE(p.good);
	EXPECT_EQ(p.domain_count, 2u);
	EXPECT_EQ(p.memory(0), 0u);
	EXPECT_EQ(p.memory(GIB - 1), 0u);
	EXPECT_EQ(p.memory(GIB), 1u);
	EXPECT_EQ(p.memory(2 * GIB), 0u); // not mentioned
	EXPECT_EQ(p.cpu(0), 0u);
	EXPECT_EQ(p.cpu(1), 1u);
	EXPECT_EQ(p.cpu(0x100), 1u);
	EXPECT_EQ(p.cpu(99), 0u); // not mentioned
	EXPECT_EQ(p.report.count(), 0u) << p.report.all();
}

TEST(Srat, SparseProximityNumbersAreMappedDenselyInAscendingOrder)
{
	Parsed p(Table()
		     .memory(0xffffffff, 0, GIB)
		     .memory(7, GIB, GIB)
		     .memory(0x12345678, 2 * GIB, GIB)
		     .cpu(0x12345678, 5)
		     .x2apic(0xffffffff, 6));

	EXPECT_EQ(p.domain_count, 3u);
	EXPECT_EQ(p.memory(GIB), 0u);
	EXPECT_EQ(p.memory(2 * GIB), 1u);
	EXPECT_EQ(p.memory(0), 2u);
	EXPECT_EQ(p.cpu(5), 1u);
	EXPECT_EQ(p.cpu(6), 2u);
}

TEST(Srat, RevisionOneHasOnlyEightBits)
{
	Parsed p(Table(1).memory(0xabcdef02, 0, GIB).memory(1, GIB, GIB).cpu(0x33333302, 4));

	EXPECT_EQ(p.domain_count, 2u);
	EXPECT_EQ(p.memory(0), 1u);
	EXPECT_EQ(p.cpu(4), 1u);
}

TEST(Srat, RevisionTwoHasAllOfThem)
{
	Parsed p(Table(2).memory(0x102, 0, GIB).memory(2, GIB, GIB).cpu(0x102, 4));

	EXPECT_EQ(p.domain_count, 2u);
	EXPECT_EQ(p.cpu(4), 1u);
}

TEST(Srat, RangesThatTouchInAnyOrderDoNotOverlap)
{
	Parsed p(Table().memory(1, GIB, GIB).memory(0, 0, GIB).memory(2, 2 * GIB, GIB));

	EXPECT_TRUE(p.good);
	EXPECT_EQ(p.domain_count, 3u);
}

TEST(Srat, DisabledEntriesDoNotCount)
{
	Parsed p(Table()
		     .memory(0, 0, GIB)
		     .memory(1, GIB, GIB, 0)
		     .memory(2, 2 * GIB, GIB, 2)
		     .cpu(0, 1, 0));

	EXPECT_EQ(p.domain_count, 1u);
	EXPECT_EQ(p.range_count, 1u);
	EXPECT_EQ(p.cpu_count, 0u);
}

TEST(Srat, RangesOfTwoDomainsThatOverlapMakeOneDomain)
{
	Parsed p(Table().memory(0, 0, 2 * GIB).memory(1, GIB, GIB).cpu(1, 1));

	EXPECT_FALSE(p.good);
	EXPECT_EQ(p.domain_count, 1u);
	EXPECT_EQ(p.memory(GIB), 0u);
	EXPECT_EQ(p.cpu(1), 0u);
	EXPECT_EQ(p.report.with("in two domains"), 1u);
}

TEST(Srat, RangesOfOneDomainMayOverlap)
{
	Parsed p(Table().memory(3, 0, 2 * GIB).memory(3, GIB, 2 * GIB).memory(4, 3 * GIB, GIB));

	EXPECT_TRUE(p.good);
	EXPECT_EQ(p.domain_count, 2u);
	EXPECT_EQ(p.report.count(), 0u);
}

TEST(Srat, MoreDomainsThanSupportedAreFoldedIntoTheLast)
{
	Table table;

	for (uint32_t i = 0; i < MAXMEMDOM + 3; i++)
		table.memory(i * 10, i * GIB, GIB).x2apic(i * 10, i);
	Parsed p(table);
	EXPECT_EQ(p.domain_count, MAXMEMDOM);
	for (uint32_t i = 0; i < MAXMEMDOM + 3; i++) {
		EXPECT_EQ(p.memory(i * GIB), std::min(i, MAXMEMDOM - 1));
		EXPECT_EQ(p.cpu(i), std::min(i, MAXMEMDOM - 1));
	}
	EXPECT_EQ(p.report.with("11 domains, those from 7 on"), 1u) << p.report.all();
}

TEST(Srat, ACpuWithoutMemoryNearItIsInDomainZero)
{
	Parsed p(Table().memory(1, 0, GIB).memory(2, GIB, GIB).cpu(0, 9).cpu(77, 8));

	EXPECT_EQ(p.domain_count, 2u);
	EXPECT_EQ(p.cpu(9), 0u);
	EXPECT_EQ(p.cpu(8), 0u);
}

TEST(Srat, EmptyRangesAreSkippedAndWrappingOnesReported)
{
	Parsed p(Table().memory(0, 0, GIB).memory(1, GIB, 0).memory(2, UINT64_MAX - 1, GIB));

	EXPECT_EQ(p.range_count, 1u);
	EXPECT_EQ(p.domain_count, 1u);
	EXPECT_EQ(p.report.with("1 memory ranges wrap around"), 1u);
}

TEST(Srat, MoreEntriesThanSupportedAreCounted)
{
	Table table;

	for (uint64_t i = 0; i < SRAT_RANGES_MAX + 2; i++)
		table.memory(0, i * GIB, GIB);
	for (uint32_t i = 0; i < SRAT_CPUS_MAX + 3; i++)
		table.x2apic(0, i);
	Parsed p(table);
	EXPECT_EQ(p.range_count, unsigned{SRAT_RANGES_MAX});
	EXPECT_EQ(p.cpu_count, unsigned{SRAT_CPUS_MAX});
	EXPECT_EQ(p.report.with("5 entries too many"), 1u) << p.report.all();
}

TEST(Srat, ABadEntryStopsAndKeepsWhatWasRead)
{
	for (unsigned length : {0u, 1u, 41u}) {
		Table table;

		table.memory(0, 0, GIB).memory(1, GIB, GIB).u8(1).u8(length).zeros(30);
		Parsed p(table);
		EXPECT_TRUE(p.good);
		EXPECT_EQ(p.domain_count, 2u);
		EXPECT_EQ(p.report.with("the rest is ignored"), 1u);
	}
}

TEST(Srat, EntriesShorterThanTheirTypeNeedsAreSkipped)
{
	for (unsigned type : {0u, 1u, 2u}) {
		Table table;

		table.u8(type).u8(15).zeros(13);
		table.memory(0, 0, GIB);
		Parsed p(table);
		EXPECT_TRUE(p.good);
		EXPECT_EQ(p.report.with("1 entries shorter"), 1u);
	}
}

TEST(Srat, ATableThatSaysNothingIsOneDomain)
{
	for (size_t len : {size_t{0}, size_t{36}, size_t{47}, size_t{48}}) {
		Table table;

		table.data.resize(len);
		Parsed p(table);
		EXPECT_FALSE(p.good);
		EXPECT_EQ(p.domain_count, 1u);
		EXPECT_EQ(p.memory(0), 0u);
	}
	EXPECT_FALSE(Parsed(Table().cpu(1, 1).cpu(2, 2)).good);
}

TEST(Srat, SlotsWithoutMemoryAreNoDomains)
{
	auto ram = std::make_unique<raw_map>();

	*ram = {};
	raw_map_add(ram.get(), 0, GIB, RAW_USABLE);
	raw_map_add(ram.get(), 2 * GIB, GIB, RAW_USABLE);
	raw_map_add(ram.get(), 3 * GIB, GIB, RAW_RESERVED);

	Parsed p(Table()
		     .memory(0, 0, GIB)
		     .memory(1, GIB, GIB) // nothing is there
		     .memory(2, 2 * GIB, GIB)
		     .memory(3, 3 * GIB, GIB) // nothing that is usable
		     .memory(4, 4 * GIB, GIB) // may be plugged in later
		     .cpu(2, 5)
		     .cpu(4, 6),
		 ram.get());

	EXPECT_EQ(p.domain_count, 2u);
	EXPECT_EQ(p.memory(2 * GIB), 1u);
	EXPECT_EQ(p.cpu(5), 1u);
	EXPECT_EQ(p.cpu(6), 0u);
	EXPECT_EQ(p.report.count(), 0u) << p.report.all();
}

TEST(Srat, OverlapsWhereNoMemoryIsAreNoContradiction)
{
	auto ram = std::make_unique<raw_map>();

	*ram = {};
	raw_map_add(ram.get(), 0, GIB, RAW_USABLE);

	Parsed p(Table().memory(0, 0, GIB).memory(0, 8 * GIB, GIB).memory(1, 8 * GIB, GIB),
		 ram.get());

	EXPECT_TRUE(p.good);
	EXPECT_EQ(p.domain_count, 1u);
}

} // namespace
