// SPDX-License-Identifier: BSD-2-Clause
#include "arch/x86_64/firmware/madt.h"

#include <numeric>

#include "tests/host/firmware/firmware_image.h"
#include "gtest/gtest.h"

namespace
{

using firmware::Bytes;
using firmware::Report;

enum : uint32_t { ENABLED = 1, ONLINE_CAPABLE = 2 };

// A MADT that is built entry by entry.
class Table : public Bytes
{
      public:
	explicit Table(uint32_t lapic = 0xfee00000, uint32_t flags = 1)
	{
		text("APIC").zeros(32).u32(lapic).u32(flags);
	}
	Table &lapic(unsigned id, uint32_t flags = ENABLED)
	{
		u8(0).u8(8).u8(id).u8(id).u32(flags);
		return *this;
	}
	Table &x2apic(uint32_t id, uint32_t flags = ENABLED)
	{
		u8(9).u8(16).u16(0).u32(id).u32(flags).u32(id);
		return *this;
	}
};

struct Parsed : madt_cpus {
	explicit Parsed(const Bytes &table)
	{
		// Exactly as long as the table, so that a sanitizer sees every byte read behind it.
		const std::vector<uint8_t> exact(table.data.begin(), table.data.end());

		good = madt_parse(exact.data(), exact.size(), this, report);
	}

	std::vector<uint32_t> ids() const
	{
		return {apic_ids, apic_ids + count};
	}

	Report report;
	bool good;
};

using Ids = std::vector<uint32_t>;

TEST(Madt, ListsEnabledCpusOfBothForms)
{
	Parsed p(Table().lapic(0).lapic(1).x2apic(0x100).x2apic(0x101));

	EXPECT_TRUE(p.good);
	EXPECT_EQ(p.ids(), Ids({0, 1, 0x100, 0x101}));
	EXPECT_EQ(p.lapic_base, MADT_LAPIC_BASE);
	EXPECT_TRUE(p.has_8259);
	EXPECT_EQ(p.report.count(), 0u) << p.report.all();
}

TEST(Madt, DisabledAndOnlineCapableCpusAreNotStarted)
{
	Parsed p(Table()
		     .lapic(0)
		     .lapic(1, 0)
		     .lapic(2, ONLINE_CAPABLE)
		     .x2apic(300, 0)
		     .lapic(3, ENABLED | ONLINE_CAPABLE));

	EXPECT_EQ(p.ids(), Ids({0, 3}));
	EXPECT_EQ(p.disabled, 3u);
	EXPECT_EQ(p.report.count(), 0u);
}

TEST(Madt, TheSameCpuInBothFormsIsOneCpu)
{
	Parsed p(Table().lapic(0).lapic(1).x2apic(1).x2apic(0));

	EXPECT_EQ(p.ids(), Ids({0, 1}));
	EXPECT_EQ(p.dropped, 0u);
	EXPECT_EQ(p.report.count(), 0u) << p.report.all();
}

TEST(Madt, ADuplicateIdIsDroppedWithAWarning)
{
	Parsed p(Table().lapic(0).lapic(1).lapic(1).x2apic(7).lapic(1).x2apic(7));

	EXPECT_EQ(p.ids(), Ids({0, 1, 7}));
	EXPECT_EQ(p.dropped, 3u);
	EXPECT_EQ(p.report.with("3 entries repeat an id (first 1)"), 1u) << p.report.all();
}

TEST(Madt, Id255IsAPlaceholderWhereX2apicEntriesStand)
{
	Parsed p(
	    Table().lapic(0xff).lapic(0xff, 0).lapic(0xff).x2apic(0).x2apic(0xff).x2apic(0x1000));

	EXPECT_EQ(p.ids(), Ids({0, 0xff, 0x1000}));
	EXPECT_EQ(p.disabled, 0u);
	EXPECT_EQ(p.report.count(), 0u) << p.report.all();
}

TEST(Madt, TheBroadcastIdOfX2apicIsNoCpu)
{
	EXPECT_EQ(Parsed(Table().lapic(0).x2apic(0xffffffff)).ids(), Ids({0}));
}

TEST(Madt, AnEntryOfLengthZeroOrOneStopsAndKeepsWhatWasRead)
{
	for (unsigned length : {0u, 1u}) {
		Table table;

		table.lapic(0).lapic(1).u8(0).u8(length);
		table.lapic(2);
		Parsed p(table);
		EXPECT_TRUE(p.good);
		EXPECT_EQ(p.ids(), Ids({0, 1}));
		EXPECT_EQ(p.report.with("the rest is ignored"), 1u);
	}
}

TEST(Madt, AnEntryPastTheEndStopsAndKeepsWhatWasRead)
{
	for (size_t cut = 1; cut < 8; cut++) {
		Table table;

		table.lapic(0).lapic(1);
		table.data.resize(table.data.size() - cut);
		Parsed p(table);
		EXPECT_EQ(p.ids(), Ids({0}));
		EXPECT_EQ(p.report.with("the rest is ignored"), 1u) << cut;
	}
}

TEST(Madt, EntriesShorterThanTheirTypeNeedsAreSkipped)
{
	for (unsigned type : {0u, 1u, 2u, 5u, 9u})
		for (unsigned length = 2; length < 8; length++) {
			Table table;

			table.lapic(0).u8(type).u8(length).zeros(length - 2);
			table.lapic(1);
			Parsed p(table);
			EXPECT_EQ(p.ids(), Ids({0, 1}));
			EXPECT_EQ(p.report.with("1 entries shorter"), 1u);
		}
}

TEST(Madt, UnknownAndLongerEntriesAreSkippedByTheirLength)
{
	Table table;

	table.u8(0x7f).u8(9).zeros(7);
	table.u8(0).u8(12).u8(0).u8(5).u32(ENABLED).u32(0);
	table.u8(4).u8(6).zeros(4);
	table.lapic(6);
	Parsed p(table);
	EXPECT_EQ(p.ids(), Ids({5, 6}));
	EXPECT_EQ(p.report.count(), 0u) << p.report.all();
}

TEST(Madt, TheLocalApicAddressOverrideCounts)
{
	Table table;

	table.lapic(0).u8(5).u8(12).u16(0).u64(0x1fee00000);
	EXPECT_EQ(Parsed(table).lapic_base, 0x1fee00000u);
	EXPECT_EQ(Parsed(Table(0xfec80000)).lapic_base, 0xfec80000u);
}

TEST(Madt, ASenselessLocalApicAddressIsNotUsed)
{
	Table table(0);

	table.lapic(0).u8(5).u8(12).u16(0).u64(0xfee00001);
	Parsed p(table);
	EXPECT_EQ(p.lapic_base, MADT_LAPIC_BASE);
	EXPECT_EQ(p.report.with("local APIC at"), 2u);
}

TEST(Madt, InterruptControllersAndOverrides)
{
	Table table;

	table.lapic(0);
	table.u8(1).u8(12).u8(3).u8(0).u32(0xfec00000).u32(24);
	table.u8(2).u8(10).u8(0).u8(9).u32(20).u16(0xd);
	Parsed p(table);
	ASSERT_EQ(p.ioapic_count, 1u);
	EXPECT_EQ(p.ioapics[0].id, 3);
	EXPECT_EQ(p.ioapics[0].base, 0xfec00000u);
	EXPECT_EQ(p.ioapics[0].gsi_base, 24u);
	ASSERT_EQ(p.override_count, 1u);
	EXPECT_EQ(p.overrides[0].irq, 9);
	EXPECT_EQ(p.overrides[0].gsi, 20u);
	EXPECT_EQ(p.overrides[0].flags, 0xd);
}

TEST(Madt, TooManyInterruptControllersAreCounted)
{
	Table table;

	table.lapic(0);
	for (unsigned i = 0; i < 100; i++) {
		table.u8(1).u8(12).u8(i).u8(0).u32(0xfec00000).u32(0);
		table.u8(2).u8(10).u8(0).u8(i).u32(i).u16(0);
	}
	Parsed p(table);
	EXPECT_EQ(p.ioapic_count, unsigned{MADT_IOAPICS_MAX});
	EXPECT_EQ(p.override_count, unsigned{MADT_OVERRIDES_MAX});
	EXPECT_EQ(p.report.with("152 I/O APICs or overrides"), 1u) << p.report.all();
}

TEST(Madt, MoreCpusThanSupportedAreCappedAndCounted)
{
	Table table;

	for (uint32_t id = 0; id < MAXCPU + 10; id++)
		table.x2apic(id);
	Parsed p(table);
	EXPECT_EQ(p.count, MAXCPU);
	EXPECT_EQ(p.capped, 10u);
	EXPECT_EQ(p.apic_ids[MAXCPU - 1], MAXCPU - 1);
	EXPECT_EQ(p.report.with("10 CPUs beyond the supported"), 1u);
}

TEST(Madt, ATableTooShortSaysNothing)
{
	for (size_t len = 0; len < 44; len++) {
		Table table;

		table.data.resize(len);
		Parsed p(table);
		EXPECT_FALSE(p.good);
		EXPECT_EQ(p.count, 0u);
		EXPECT_EQ(p.lapic_base, MADT_LAPIC_BASE);
	}
}

TEST(Madt, NoCpusAtAllIsReported)
{
	Parsed p(Table().lapic(0xff).lapic(0, 0));

	EXPECT_EQ(p.count, 0u);
	EXPECT_EQ(p.report.with("not one CPU that can be started (1 with no id)"), 1u);
}

TEST(MadtBootCpu, MovesToTheFrontAndTheOthersKeepTheirOrder)
{
	Parsed p(Table().lapic(4).lapic(2).lapic(0).lapic(6));

	EXPECT_TRUE(madt_place_boot_cpu(&p, 0));
	EXPECT_EQ(p.ids(), Ids({0, 4, 2, 6}));
	EXPECT_TRUE(madt_place_boot_cpu(&p, 0));
	EXPECT_EQ(p.ids(), Ids({0, 4, 2, 6}));
	EXPECT_TRUE(madt_place_boot_cpu(&p, 6));
	EXPECT_EQ(p.ids(), Ids({6, 0, 4, 2}));
}

TEST(MadtBootCpu, MissingFromTheTableIsInserted)
{
	Parsed p(Table().lapic(4).lapic(2));

	EXPECT_FALSE(madt_place_boot_cpu(&p, 9));
	EXPECT_EQ(p.ids(), Ids({9, 4, 2}));
}

TEST(MadtBootCpu, AloneWithoutATable)
{
	madt_cpus cpus;

	madt_init(&cpus);
	EXPECT_FALSE(madt_place_boot_cpu(&cpus, 3));
	EXPECT_EQ(cpus.count, 1u);
	EXPECT_EQ(cpus.apic_ids[0], 3u);
	EXPECT_EQ(cpus.lapic_base, MADT_LAPIC_BASE);
}

TEST(MadtBootCpu, InAFullTableTheLastCpuGivesWay)
{
	Table table;

	for (uint32_t id = 0; id < MAXCPU; id++)
		table.x2apic(id);
	Parsed p(table);
	EXPECT_FALSE(madt_place_boot_cpu(&p, 10000));
	EXPECT_EQ(p.count, MAXCPU);
	EXPECT_EQ(p.capped, 1u);
	EXPECT_EQ(p.apic_ids[0], 10000u);
	EXPECT_EQ(p.apic_ids[1], 0u);
	EXPECT_EQ(p.apic_ids[MAXCPU - 1], MAXCPU - 2);
}

TEST(MadtLimit, CpusThatCannotBeAddressedAreDropped)
{
	Parsed p(Table().x2apic(255).lapic(1).x2apic(300).x2apic(254));

	madt_place_boot_cpu(&p, 1);
	EXPECT_EQ(madt_limit_ids(&p, 254), 2u);
	EXPECT_EQ(p.ids(), Ids({1, 254}));
	EXPECT_EQ(madt_limit_ids(&p, 254), 0u);
}

TEST(Madt, TheCpuThatRunsStaysWhateverItsId)
{
	Parsed p(Table().lapic(0).x2apic(300).x2apic(400));

	madt_place_boot_cpu(&p, 300);
	EXPECT_EQ(madt_limit_ids(&p, 254), 1u);
	EXPECT_EQ(p.ids(), Ids({300, 0}));
}

} // namespace
