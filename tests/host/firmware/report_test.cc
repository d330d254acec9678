// SPDX-License-Identifier: BSD-2-Clause
#include "arch/x86_64/firmware/report.h"

#include "tests/host/firmware/firmware_image.h"
#include "gtest/gtest.h"

namespace
{

using firmware::Report;

TEST(FwReport, FormatsOneLine)
{
	Report report;

	fw_report_add(report, "table %s at %#x", "APIC", 0x1000u);
	EXPECT_EQ(report.lines, std::vector<std::string>({"table APIC at 0x1000"}));
}

TEST(FwReport, CountsWhatItDoesNotShow)
{
	Report report;

	for (int i = 0; i < FW_REPORT_LINES + 5; i++)
		fw_report_add(report, "line %d", i);
	EXPECT_EQ(report.lines.size(), size_t{FW_REPORT_LINES});
	EXPECT_EQ(report.count(), unsigned{FW_REPORT_LINES + 5});
	EXPECT_EQ(fw_report_hidden(report), 5u);
}

TEST(FwReport, ShowsTheConsequencesHoweverManyProblems)
{
	Report report;

	for (int i = 0; i < FW_REPORT_LINES + 5; i++)
		fw_report_add(report, "line %d", i);
	fw_report_always(report, "using %s", "one CPU");
	EXPECT_EQ(report.with("using one CPU"), 1u);
	EXPECT_EQ(report.count(), unsigned{FW_REPORT_LINES + 6});
	EXPECT_EQ(fw_report_hidden(report), 5u);
}

TEST(FwReport, ConsequencesTakeNoLineFromProblems)
{
	Report report;

	for (int i = 0; i < 3; i++)
		fw_report_always(report, "using one CPU");
	for (int i = 0; i < FW_REPORT_LINES; i++)
		fw_report_add(report, "line %d", i);
	EXPECT_EQ(report.with("line"), unsigned{FW_REPORT_LINES});
	EXPECT_EQ(fw_report_hidden(report), 0u);
}

TEST(FwReport, CutsLongLines)
{
	Report report;

	fw_report_add(report, "%500d", 1);
	EXPECT_EQ(report.lines[0].size(), size_t{FW_REPORT_LINE_MAX - 1});
}

TEST(FwReport, NeedsNobodyToListen)
{
	fw_report silent = {nullptr, nullptr, 0, 0, 0};

	fw_report_add(&silent, "counted");
	EXPECT_EQ(silent.count, 1u);
	fw_report_always(&silent, "counted");
	EXPECT_EQ(silent.count, 2u);
	EXPECT_EQ(fw_report_hidden(&silent), 0u);
	fw_report_add(nullptr, "nothing happens");
	fw_report_always(nullptr, "nothing happens");
}

} // namespace
