// SPDX-License-Identifier: BSD-2-Clause
// What machine check banks say: Intel SDM vol. 3B tables 15-6, 15-9 and 15-10.
#include "arch/x86_64/mca.h"

#include <gtest/gtest.h>

#include <string>

namespace quire
{
namespace
{

constexpr uint64_t RECOVERS = MCG_CAP_SER | MCG_CAP_CTL | 10, OLD = MCG_CAP_CTL | 5;
constexpr uint64_t SCRUBBED = 0x00c0, MEMORY_READ = 0x0090, DATA_LOAD = 0x0134;

/* MISC: the address is physical, and good from this bit on. */
constexpr uint64_t physical(unsigned lsb)
{
	return 2 << 6 | lsb;
}

enum mca_verdict judge(uint64_t cap, uint64_t status, std::string *why = nullptr)
{
	struct mca_bank bank = {status, 0, 0};
	const char *text = nullptr;
	enum mca_verdict verdict = mca_judge(cap, &bank, &text);

	EXPECT_EQ(text != nullptr, verdict == MCA_FATAL);
	if (why != nullptr && text != nullptr)
		*why = text;
	return verdict;
}

TEST(McaTest, AnEmptyBankIsNothing)
{
	EXPECT_EQ(judge(RECOVERS, 0), MCA_NOTHING);
	EXPECT_EQ(judge(RECOVERS, ~MCI_VAL), MCA_NOTHING);
}

TEST(McaTest, WithoutUcItIsCorrected)
{
	EXPECT_EQ(judge(RECOVERS, MCI_VAL | MCI_EN | MEMORY_READ), MCA_CORRECTED);
	EXPECT_EQ(judge(OLD, MCI_VAL | MCI_OVER | MCI_ADDRV | SCRUBBED), MCA_CORRECTED);
}

TEST(McaTest, ALostContextIsFatalWhateverElseIsSaid)
{
	std::string why;

	EXPECT_EQ(judge(RECOVERS, MCI_VAL | MCI_UC | MCI_EN | MCI_PCC | MCI_S, &why), MCA_FATAL);
	EXPECT_EQ(why, "the state of the processor is lost");
	EXPECT_EQ(judge(OLD, MCI_VAL | MCI_UC | MCI_PCC), MCA_FATAL);
}

TEST(McaTest, WithoutRecoveryEveryUncorrectedErrorIsFatal)
{
	std::string why;

	EXPECT_EQ(judge(OLD, MCI_VAL | MCI_UC | MCI_EN | MCI_S, &why), MCA_FATAL);
	EXPECT_EQ(why, "this processor cannot recover from uncorrected errors");
}

TEST(McaTest, WhatNobodyHasUsedIsSurvived)
{
	EXPECT_EQ(judge(RECOVERS, MCI_VAL | MCI_UC | MCI_EN | MCI_S | SCRUBBED), MCA_DEFERRED);
	EXPECT_EQ(judge(RECOVERS, MCI_VAL | MCI_UC | MCI_EN | MEMORY_READ), MCA_DEFERRED);
	EXPECT_EQ(judge(RECOVERS, MCI_VAL | MCI_UC | MEMORY_READ), MCA_DEFERRED);
	EXPECT_EQ(judge(RECOVERS, MCI_VAL | MCI_UC | MCI_EN | MCI_S | MCI_OVER), MCA_DEFERRED);
}

TEST(McaTest, WhatTheKernelWasUsingIsFatal)
{
	std::string why;

	EXPECT_EQ(judge(RECOVERS, MCI_VAL | MCI_UC | MCI_EN | MCI_S | MCI_AR | DATA_LOAD, &why),
		  MCA_FATAL);
	EXPECT_EQ(why, "the kernel was using the data that is lost");
	EXPECT_EQ(judge(RECOVERS, MCI_VAL | MCI_UC | MCI_EN | MCI_AR, &why), MCA_FATAL);
	EXPECT_EQ(why, "the report contradicts itself");
}

struct memory {
	bool named;
	vm_paddr_t start;
	vm_size_t size;
};

struct memory memory_of(uint64_t cap, uint64_t status, uint64_t address, uint64_t misc)
{
	struct mca_bank bank = {status, address, misc};
	struct memory m = {};

	m.named = mca_memory(cap, &bank, &m.start, &m.size);
	return m;
}

constexpr uint64_t NAMED = MCI_VAL | MCI_ADDRV | MCI_MISCV;

TEST(McaTest, AMemoryErrorNamesItsPage)
{
	struct memory m = memory_of(RECOVERS, NAMED | MEMORY_READ, 0x1234567, physical(6));

	EXPECT_TRUE(m.named);
	EXPECT_EQ(m.start, 0x1234000u);
	EXPECT_EQ(m.size, 0x1000u);
}

TEST(McaTest, ALargerPieceIsNamedAsAWhole)
{
	struct memory m = memory_of(RECOVERS, NAMED | SCRUBBED, 0x1234567, physical(16));

	EXPECT_TRUE(m.named);
	EXPECT_EQ(m.start, 0x1230000u);
	EXPECT_EQ(m.size, 0x10000u);
}

TEST(McaTest, WithoutAPhysicalAddressNoMemoryIsNamed)
{
	EXPECT_FALSE(memory_of(RECOVERS, NAMED | SCRUBBED, 0x1000, 0 << 6 | 12).named);
	EXPECT_FALSE(memory_of(RECOVERS, NAMED | SCRUBBED, 0x1000, 1 << 6 | 12).named);
	EXPECT_FALSE(memory_of(RECOVERS, NAMED | SCRUBBED, 0x1000, 7 << 6 | 12).named);
	EXPECT_FALSE(memory_of(OLD, NAMED | SCRUBBED, 0x1000, physical(12)).named);
	EXPECT_FALSE(memory_of(RECOVERS, NAMED | SCRUBBED, 0x1000, physical(40)).named);
	for (uint64_t bit : {MCI_VAL, MCI_ADDRV, MCI_MISCV})
		EXPECT_FALSE(
		    memory_of(RECOVERS, (NAMED & ~bit) | SCRUBBED, 0x1000, physical(12)).named);
}

/* A cache that corrects an error has a weak cell of its own; memory is not to blame. */
TEST(McaTest, ACacheNamesMemoryOnlyWhenDataIsLost)
{
	EXPECT_FALSE(memory_of(RECOVERS, NAMED | DATA_LOAD, 0x1000, physical(6)).named);
	EXPECT_TRUE(memory_of(RECOVERS, NAMED | MCI_UC | DATA_LOAD, 0x1000, physical(6)).named);
	EXPECT_FALSE(memory_of(RECOVERS, NAMED | MCI_UC | 0x0010, 0x1000, physical(6)).named);
	EXPECT_FALSE(memory_of(RECOVERS, NAMED | MCI_UC | 0x0e0f, 0x1000, physical(6)).named);
}

TEST(McaTest, ErrorCodesInWords)
{
	const struct {
		uint64_t code;
		const char *text;
	} cases[] = {
	    {0x0000, "no error code"},
	    {0x0001, "unclassified"},
	    {0x0002, "parity of the microcode ROM"},
	    {0x0005, "internal parity"},
	    {0x0006, "bad system management code"},
	    {0x0007, "unclassified"},
	    {0x000c, "cache"},
	    {0x000f, "cache"},
	    {0x0014, "TLB"},
	    {0x0080, "memory controller"},
	    {0x009f, "memory controller, read"},
	    {0x00a0, "memory controller, write"},
	    {0x00b1, "memory controller, address or command"},
	    {0x00c0, "memory controller, found by scrubbing"},
	    {0x00f0, "memory controller"},
	    {0x0134, "cache, data read"},
	    {0x0150, "cache, instruction fetch"},
	    {0x017a, "cache, eviction"},
	    {0x0400, "internal timer"},
	    {0x0402, "internal, unclassified"},
	    {0x0e0b, "bus or interconnect"},
	    {0x10c0, "memory controller, found by scrubbing"}, /* filtered */
	};

	for (const auto &c : cases)
		EXPECT_STREQ(mca_error_text(MCI_VAL | 0xabcd0000 | c.code), c.text) << c.code;
}

/* Whatever hardware reports, some text comes and nothing is read beyond the tables. */
TEST(McaTest, EveryCodeHasAText)
{
	for (uint64_t code = 0; code <= 0xffff; code++)
		EXPECT_NE(std::string(mca_error_text(code)), "");
}

} // namespace
} // namespace quire
