// SPDX-License-Identifier: BSD-2-Clause
#include "arch/x86_64/firmware/memmap.h"

#include <algorithm>
#include <memory>
#include <random>

#include "tests/host/firmware/firmware_image.h"
#include "gtest/gtest.h"

namespace
{

using firmware::Report;

constexpr uint64_t KIB = 1024, MIB = 1024 * KIB, GIB = 1024 * MIB;

struct Usable {
	uint64_t start, end;
	uint32_t domain;

	bool operator==(const Usable &o) const
	{
		return start == o.start && end == o.end && domain == o.domain;
	}
};

std::ostream &operator<<(std::ostream &out, const Usable &u)
{
	return out << std::hex << u.start << "-" << u.end << std::dec << "@" << u.domain;
}

using Ranges = std::vector<Usable>;

class Memmap : public testing::Test
{
      protected:
	Memmap() : raw(std::make_unique<raw_map>()), info(std::make_unique<boot_info>())
	{
		*raw = raw_map();
	}

	// As firmware wrote it: nothing is joined.
	void add(uint64_t start, uint64_t length, uint32_t type = RAW_USABLE)
	{
		raw->ranges[raw->count++] = {start, length, type};
	}

	memmap_input input()
	{
		return {raw.get(), keep.data(), unsigned(keep.size()), domains.get(), limit};
	}

	// Runs it and checks what always holds.
	Ranges normalise()
	{
		memmap_input in = input();
		Ranges ranges;
		uint64_t total = 0;

		good = memmap_normalise(&in, info.get(), report);
		for (unsigned i = 0; i < info->range_count; i++) {
			const boot_range &r = info->ranges[i];

			EXPECT_LT(r.start, r.end);
			EXPECT_EQ(r.start & PAGE_MASK, 0u);
			EXPECT_EQ(r.end & PAGE_MASK, 0u);
			EXPECT_LT(r.domain, info->domain_count);
			if (i != 0) {
				EXPECT_LE(info->ranges[i - 1].end, r.start);
			}
			ranges.push_back({r.start, r.end, r.domain});
			total += r.end - r.start;
		}
		EXPECT_EQ(info->ram_bytes, total + info->kept_bytes + info->lost_bytes);
		EXPECT_EQ(good, !ranges.empty());
		return ranges;
	}

	void add_domain(uint32_t domain, uint64_t start, uint64_t end)
	{
		if (domains == nullptr) {
			domains = std::make_unique<srat>();
			srat_init(domains.get());
		}
		domains->ranges[domains->range_count++] = {start, end, domain, domain};
		domains->domain_count = std::max(domains->domain_count, domain + 1);
	}

	std::unique_ptr<raw_map> raw;
	std::unique_ptr<boot_info> info;
	std::unique_ptr<srat> domains;
	std::vector<keep_range> keep;
	uint64_t limit = 0;
	Report report;
	bool good = false;
};

TEST_F(Memmap, AnOrdinaryPc)
{
	add(0, 0x9fc00);
	add(0x9fc00, 0x400, RAW_RESERVED);
	add(0xf0000, 0x10000, RAW_RESERVED);
	add(MIB, 127 * MIB);
	keep = {{0, MIB}, {2 * MIB, 3 * MIB + 5}};
	EXPECT_EQ(normalise(), Ranges({{MIB, 2 * MIB, 0}, {3 * MIB + PAGE_SIZE, 128 * MIB, 0}}));
	EXPECT_EQ(info->ram_bytes, 0x9fc00 + 127 * MIB);
	EXPECT_EQ(info->kept_bytes, 0x9fc00 + MIB + PAGE_SIZE);
	EXPECT_EQ(info->domain_count, 1u);
	EXPECT_EQ(report.count(), 0u) << report.all();
}

TEST_F(Memmap, AnEmptyMapIsReported)
{
	EXPECT_EQ(normalise(), Ranges());
	EXPECT_EQ(report.with("not one usable page"), 1u);
}

TEST_F(Memmap, ZeroLengthRangesAreSkipped)
{
	add(2 * MIB, 0);
	add(MIB, 2 * MIB);
	add(2 * MIB, 0, RAW_RESERVED);
	EXPECT_EQ(normalise(), Ranges({{MIB, 3 * MIB, 0}}));
	EXPECT_EQ(report.with("2 empty ranges"), 1u);
}

TEST_F(Memmap, WrappingRangesAreSkipped)
{
	add(UINT64_MAX - PAGE_MASK, 2 * PAGE_SIZE);
	add(MIB, UINT64_MAX);
	add(MIB, UINT64_MAX, RAW_RESERVED);
	add(MIB, MIB);
	EXPECT_EQ(normalise(), Ranges({{MIB, 2 * MIB, 0}}));
	EXPECT_EQ(report.with("3 ranges wrap around"), 1u);
}

TEST_F(Memmap, ReservedWinsOverUsableInEitherOrder)
{
	add(2 * MIB, MIB, RAW_RESERVED);
	add(MIB, 5 * MIB);
	add(4 * MIB, MIB, RAW_ACPI);
	EXPECT_EQ(normalise(),
		  Ranges({{MIB, 2 * MIB, 0}, {3 * MIB, 4 * MIB, 0}, {5 * MIB, 6 * MIB, 0}}));
	EXPECT_EQ(info->ram_bytes, 3 * MIB);
	EXPECT_EQ(report.with("2097152 bytes both usable and reserved"), 1u) << report.all();
}

TEST_F(Memmap, EveryTypeButUsableIsReserved)
{
	add(0, 16 * MIB);
	for (uint32_t type : {0u, 2u, 3u, 4u, 5u, 7u, 0xffffffffu})
		add(MIB * (2 * std::min(type, 7u) + 1), MIB, type);
	for (const Usable &u : normalise())
		EXPECT_EQ(u.start / MIB % 2, 0u) << u;
}

TEST_F(Memmap, UnsortedRangesAreSorted)
{
	add(8 * MIB, MIB);
	add(4 * MIB, MIB);
	add(6 * MIB, MIB);
	EXPECT_EQ(normalise(),
		  Ranges({{4 * MIB, 5 * MIB, 0}, {6 * MIB, 7 * MIB, 0}, {8 * MIB, 9 * MIB, 0}}));
}

TEST_F(Memmap, OverlappingAndTouchingUsableRangesAreJoined)
{
	add(4 * MIB, 3 * MIB);
	add(6 * MIB, 3 * MIB);
	add(9 * MIB, MIB);
	add(5 * MIB, MIB);
	EXPECT_EQ(normalise(), Ranges({{4 * MIB, 10 * MIB, 0}}));
	EXPECT_EQ(info->ram_bytes, 6 * MIB);
}

TEST_F(Memmap, UsableIsRoundedInward)
{
	add(MIB + 1, PAGE_SIZE * 3);
	EXPECT_EQ(normalise(), Ranges({{MIB + PAGE_SIZE, MIB + 3 * PAGE_SIZE, 0}}));
	EXPECT_EQ(info->kept_bytes, PAGE_SIZE);
}

TEST_F(Memmap, SubPageRangesVanish)
{
	add(MIB + 1, PAGE_SIZE - 2);
	add(2 * MIB, PAGE_SIZE - 1);
	add(3 * MIB + 1, 2 * PAGE_SIZE - 2);
	add(4 * MIB, PAGE_SIZE);
	EXPECT_EQ(normalise(), Ranges({{4 * MIB, 4 * MIB + PAGE_SIZE, 0}}));
}

TEST_F(Memmap, APageSharedByTwoUsableRangesIsNotLost)
{
	add(MIB, 0x1800);
	add(MIB + 0x1800, 0x1800);
	EXPECT_EQ(normalise(), Ranges({{MIB, MIB + 0x3000, 0}}));
}

TEST_F(Memmap, APageWithOneReservedByteIsReserved)
{
	add(MIB, 3 * PAGE_SIZE);
	add(MIB + PAGE_SIZE + 17, 1, RAW_RESERVED);
	EXPECT_EQ(normalise(), Ranges({{MIB, MIB + PAGE_SIZE, 0},
				       {MIB + 2 * PAGE_SIZE, MIB + 3 * PAGE_SIZE, 0}}));
}

TEST_F(Memmap, ARangeThatEndsAt4GiBIsNotTruncated)
{
	add(4 * GIB - MIB, MIB);
	add(5 * GIB, GIB);
	EXPECT_EQ(normalise(), Ranges({{4 * GIB - MIB, 4 * GIB, 0}, {5 * GIB, 6 * GIB, 0}}));
	*raw = raw_map();
	add(3 * GIB, 3 * GIB);
	EXPECT_EQ(normalise(), Ranges({{3 * GIB, 6 * GIB, 0}}));
}

TEST_F(Memmap, TheTopOfTheAddressSpaceIsNoSpecialCase)
{
	add(MIB, MIB);
	add(UINT64_MAX - GIB + 1, GIB, RAW_RESERVED);
	EXPECT_EQ(normalise(), Ranges({{MIB, 2 * MIB, 0}}));
	EXPECT_EQ(report.count(), 0u) << report.all();
	add(UINT64_MAX - 2 * GIB + 1, 2 * GIB);
	EXPECT_EQ(normalise().back(), (Usable{UINT64_MAX - 2 * GIB + 1, UINT64_MAX - GIB + 1, 0}));
	*raw = raw_map();
	add(UINT64_MAX - 10, 11);
	EXPECT_EQ(normalise(), Ranges());
}

TEST_F(Memmap, RamThatCannotBeMappedIsLostAndReported)
{
	add(MIB, 7 * MIB);
	add(16 * MIB, MIB);
	limit = 4 * MIB + 1;
	EXPECT_EQ(normalise(), Ranges({{MIB, 4 * MIB, 0}}));
	EXPECT_EQ(info->lost_bytes, 5 * MIB - 1);
	EXPECT_EQ(report.with("cannot be mapped"), 1u);
}

TEST_F(Memmap, ImageAndModulesInsideUsableAreKept)
{
	add(0, 16 * MIB);
	keep = {{MIB, 2 * MIB},     {MIB + 5, MIB + 6}, {4 * MIB + 1, 4 * MIB + 2},
		{8 * MIB, 8 * MIB}, {9 * MIB, 8 * MIB}, {15 * MIB, UINT64_MAX}};
	EXPECT_EQ(normalise(),
		  Ranges({{0, MIB, 0}, {2 * MIB, 4 * MIB, 0}, {4 * MIB + PAGE_SIZE, 15 * MIB, 0}}));
	EXPECT_EQ(info->kept_bytes, 2 * MIB + PAGE_SIZE);
}

TEST_F(Memmap, WithMoreRangesThanSupportedTheLargestStay)
{
	for (unsigned i = 0; i < BOOT_RANGES_MAX + 20; i++)
		add(i * MIB, PAGE_SIZE * (i % 2 == 0 && i < 40 ? 1 : 2 + i % 3));
	Ranges ranges = normalise();
	EXPECT_EQ(ranges.size(), size_t{BOOT_RANGES_MAX});
	for (const Usable &u : ranges)
		EXPECT_GT(u.end - u.start, PAGE_SIZE);
	EXPECT_EQ(info->lost_bytes, 20 * PAGE_SIZE);
	EXPECT_EQ(report.with("more than 256 usable ranges, 80 KiB lost"), 1u) << report.all();
}

TEST_F(Memmap, WhatTheRawMapLostIsCounted)
{
	add(MIB, MIB);
	raw->lost_bytes = 3 * MIB;
	normalise();
	EXPECT_EQ(info->lost_bytes, 3 * MIB);
	EXPECT_EQ(info->ram_bytes, 4 * MIB);
	EXPECT_EQ(report.with("3072 KiB lost"), 1u);
}

TEST_F(Memmap, RangesAreSplitAtDomainBorders)
{
	add(MIB, 15 * MIB);
	add_domain(0, 0, 8 * MIB);
	add_domain(1, 8 * MIB, 12 * MIB);
	add_domain(1, 12 * MIB, 64 * MIB);
	EXPECT_EQ(normalise(), Ranges({{MIB, 8 * MIB, 0}, {8 * MIB, 16 * MIB, 1}}));
	EXPECT_EQ(info->domain_count, 2u);
}

TEST_F(Memmap, DomainsOutsideRamAreClippedAndRamOutsideDomainsIsInZero)
{
	add(MIB, 3 * MIB);
	add(8 * MIB, MIB);
	add_domain(1, 0, 2 * MIB);
	add_domain(2, 3 * MIB, GIB);
	add_domain(3, 2 * GIB, 3 * GIB);
	EXPECT_EQ(normalise(), Ranges({{MIB, 2 * MIB, 1},
				       {2 * MIB, 3 * MIB, 0},
				       {3 * MIB, 4 * MIB, 2},
				       {8 * MIB, 9 * MIB, 2}}));
	EXPECT_EQ(info->domain_count, 4u);
}

TEST_F(Memmap, APageAcrossADomainBorderBelongsToNobody)
{
	add(MIB, 3 * PAGE_SIZE);
	add_domain(0, 0, MIB + PAGE_SIZE + 5);
	add_domain(1, MIB + PAGE_SIZE + 5, GIB);
	EXPECT_EQ(normalise(), Ranges({{MIB, MIB + PAGE_SIZE, 0},
				       {MIB + 2 * PAGE_SIZE, MIB + 3 * PAGE_SIZE, 1}}));
}

// The slow and obvious way: one flag set per 512 bytes.
TEST_F(Memmap, AgreesWithASlowReferenceOnRandomMaps)
{
	constexpr unsigned UNIT = 512, UNITS = 8 * 40;
	std::mt19937 random(11);

	for (int round = 0; round < 3000; round++) {
		struct Unit {
			bool usable, reserved, kept;
			uint32_t domain;
		};
		std::vector<Unit> model(UNITS, Unit{false, false, false, 0});
		unsigned border = random() % UNITS;
		const auto random_range = [&](unsigned *start, unsigned *end) {
			*start = random() % UNITS;
			*end = *start + random() % (std::min(UNITS - *start, 60u));
		};

		*raw = raw_map();
		keep.clear();
		domains.reset();
		add_domain(0, 0, uint64_t{border} * UNIT);
		add_domain(1, uint64_t{border} * UNIT, GIB);
		for (unsigned i = 0; i < UNITS; i++)
			model[i].domain = i >= border;
		for (unsigned n = random() % 12; n != 0; n--) {
			unsigned start, end;
			bool usable = random() % 3 != 0;

			random_range(&start, &end);
			add(uint64_t{start} * UNIT, uint64_t{end - start} * UNIT,
			    usable ? RAW_USABLE : RAW_NVS);
			for (unsigned i = start; i < end; i++)
				(usable ? model[i].usable : model[i].reserved) = true;
		}
		for (unsigned n = random() % 4; n != 0; n--) {
			unsigned start, end;

			random_range(&start, &end);
			keep.push_back({uint64_t{start} * UNIT, uint64_t{end} * UNIT});
			for (unsigned i = start; i < end; i++)
				model[i].kept = true;
		}

		std::vector<int> want(UNITS / 8, -1), got(UNITS / 8, -1);
		for (unsigned page = 0; page < want.size(); page++) {
			const Unit *unit = &model[page * 8];

			want[page] = int(unit->domain);
			for (unsigned i = 0; i < 8; i++)
				if (!unit[i].usable || unit[i].reserved || unit[i].kept ||
				    unit[i].domain != unit->domain)
					want[page] = -1;
		}
		for (const Usable &u : normalise())
			for (uint64_t page = u.start / PAGE_SIZE; page < u.end / PAGE_SIZE; page++)
				got[page] = int(u.domain);
		ASSERT_EQ(got, want) << "round " << round;
	}
}

TEST_F(Memmap, TheTrampolineGetsTheHighestUsableLowPages)
{
	add(0, 0x9fc00);
	add(MIB, GIB);
	memmap_input in = input();
	EXPECT_EQ(memmap_find_low(&in, 1), 0x9e000u);
	EXPECT_EQ(memmap_find_low(&in, 4), 0x9b000u);
	keep = {{0x9d123, 0x9d124}};
	in = input();
	EXPECT_EQ(memmap_find_low(&in, 1), 0x9e000u);
	EXPECT_EQ(memmap_find_low(&in, 2), 0x9b000u);
}

TEST_F(Memmap, TheTrampolineAvoidsPageZeroAndReservedVectors)
{
	add(0, MIB);
	memmap_input in = input();
	EXPECT_EQ(memmap_find_low(&in, 1), 0x9f000u);
	EXPECT_EQ(memmap_find_low(&in, 0x9f), 0x1000u);
	EXPECT_EQ(memmap_find_low(&in, 0xa0), 0u);
	EXPECT_EQ(memmap_find_low(&in, 0), 0u);
	EXPECT_EQ(memmap_find_low(&in, UINT32_MAX), 0u);
}

TEST_F(Memmap, WithoutRamBelow1MiBThereIsNoPlaceForATrampoline)
{
	add(MIB, GIB);
	memmap_input in = input();
	EXPECT_EQ(memmap_find_low(&in, 1), 0u);
	add(0, 0x1000);
	add(0x8800, 0xfff);
	add(0xa0000, 0x60000);
	EXPECT_EQ(memmap_find_low(&in, 1), 0u);
	add(0, MIB, RAW_RESERVED);
	EXPECT_EQ(memmap_find_low(&in, 1), 0u);
}

} // namespace
