// SPDX-License-Identifier: BSD-2-Clause
#include "arch/x86_64/firmware/slit.h"

#include <algorithm>
#include <memory>

#include "tests/host/firmware/firmware_image.h"
#include "gtest/gtest.h"

namespace
{

using firmware::acpi_table;
using firmware::Bytes;
using firmware::Report;

class Slit : public testing::Test
{
      protected:
	// Domain n of ours is firmware's proximity number numbers[n]; those beyond share the last.
	void domains(const std::vector<uint32_t> &numbers)
	{
		srat_init(srat_.get());
		for (uint32_t number : numbers) {
			srat_range &range = srat_->ranges[srat_->range_count];

			range.start = uint64_t{srat_->range_count} << 30;
			range.end = range.start + (1 << 30);
			range.proximity = number;
			range.domain = std::min(srat_->range_count, MAXMEMDOM - 1);
			srat_->range_count++;
		}
		srat_->domain_count = std::min(srat_->range_count, MAXMEMDOM);
	}

	bool parse(uint64_t count, const std::vector<uint8_t> &rows)
	{
		std::vector<uint8_t> table = acpi_table("SLIT", Bytes().u64(count).add(rows).data);

		return slit_parse(table.data(), table.size(), srat_.get(), &slit_, report_);
	}

	std::unique_ptr<srat> srat_ = std::make_unique<srat>();
	slit slit_ = {};
	Report report_;
};

TEST_F(Slit, WithoutATableAllOthersAreEquallyFar)
{
	slit_init(&slit_);
	EXPECT_EQ(slit_.distance[0][0], SLIT_LOCAL);
	EXPECT_EQ(slit_.distance[0][1], SLIT_REMOTE);
	EXPECT_EQ(slit_.distance[MAXMEMDOM - 1][MAXMEMDOM - 1], SLIT_LOCAL);
}

TEST_F(Slit, PicksTheRowsOfTheDomainsThatThereAre)
{
	domains({0, 2});
	ASSERT_TRUE(parse(3, {10, 99, 31, 99, 10, 99, 32, 99, 10})) << report_.all();
	EXPECT_EQ(slit_.distance[0][1], 31);
	EXPECT_EQ(slit_.distance[1][0], 32);
	EXPECT_EQ(slit_.distance[1][1], SLIT_LOCAL);
}

TEST_F(Slit, DomainsThatAreTreatedAsOneAreAsFarAsTheNearestOfThem)
{
	const unsigned n = MAXMEMDOM + 1;
	std::vector<uint32_t> numbers;
	std::vector<uint8_t> rows;

	for (unsigned a = 0; a < n; a++) {
		numbers.push_back(a);
		for (unsigned b = 0; b < n; b++)
			rows.push_back(a == b ? 10 : uint8_t(20 + a + b));
	}
	domains(numbers);
	ASSERT_TRUE(parse(n, rows)) << report_.all();
	EXPECT_EQ(slit_.distance[0][MAXMEMDOM - 1], 20 + MAXMEMDOM - 1);
	EXPECT_EQ(slit_.distance[MAXMEMDOM - 1][MAXMEMDOM - 1], SLIT_LOCAL);
}

TEST_F(Slit, ATableThatIsNotBelievedLeavesTheDefaults)
{
	domains({0, 1});
	EXPECT_FALSE(parse(2, {10, 77, 78, 11}));
	EXPECT_EQ(slit_.distance[0][1], SLIT_REMOTE);
	EXPECT_EQ(report_.with("distance 11 from domain 1 to 1"), 1u);
}

TEST_F(Slit, ACountWhoseSquareWrapsIsRefused)
{
	domains({0, 1});
	EXPECT_FALSE(parse(uint64_t{1} << 32, {10, 20, 20, 10}));
	EXPECT_FALSE(parse(~uint64_t{0}, {10, 20, 20, 10}));
	EXPECT_EQ(report_.with("too few for"), 2u);
}

TEST_F(Slit, IsReadWithoutAReport)
{
	domains({0, 5});
	EXPECT_FALSE(slit_parse("", 0, srat_.get(), &slit_, nullptr));
}

} // namespace
