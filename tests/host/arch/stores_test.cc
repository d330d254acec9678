/* SPDX-License-Identifier: BSD-2-Clause */
/* Store buffers: what a CPU's own loads find, what others find, and what empties the buffer. */
#include "arch/atomic.h"
#include "arch/cpu.h"
#include "arch/host/director.h"
#include "arch/ipi.h"
#include "tests/host/arch/page_tables.h"

namespace
{

class StoresTest : public PageTableTest
{
      protected:
	StoresTest()
	{
		config.cpus = 2;
	}

	void SetUp() override
	{
		static const struct host_director director = {
		    [](unsigned, enum arch_hook_kind, const volatile void *) {},
		    [](unsigned) { return false; }, nullptr, nullptr, nullptr};

		PageTableTest::SetUp();
		host_direct(&director);
		host_set_store_buffers(true);
		host_direct_activate(true);
	}

	/* What every other CPU would find. */
	static uint32_t memory()
	{
		return __atomic_load_n(&word.value, __ATOMIC_RELAXED);
	}

	static void store(uint32_t value, int mo = MO_RELEASE)
	{
		atomic32_store(&word, value, mo);
	}

	/* A store waits; does this make it visible? */
	template <typename F> static bool empties(F what)
	{
		host_set_store_buffers(false);
		store(0);
		host_set_store_buffers(true);
		store(1);
		EXPECT_EQ(memory(), 0u);
		what();
		return memory() == 1 && host_stores_waiting(0) == 0;
	}

	static struct atomic32 word, other;
};

struct atomic32 StoresTest::word, StoresTest::other;

TEST_F(StoresTest, OwnLoadsFindTheYoungestStore)
{
	EXPECT_FALSE(empties([] {
		store(2);
		EXPECT_EQ(atomic32_load(&word, MO_ACQUIRE), 2u);
	}));
	EXPECT_EQ(host_stores_waiting(0), 2u);
}

TEST_F(StoresTest, StoresBecomeVisibleInTheirOrder)
{
	struct atomic32 words[3] = {};

	for (unsigned i = 0; i < 3; i++)
		atomic32_store(&words[i], i + 1, MO_RELAXED);
	for (unsigned i = 0; i < 3; i++) {
		const volatile void *where = nullptr;
		uint64_t value = 0;

		ASSERT_TRUE(host_stores_oldest(0, &where, &value));
		EXPECT_EQ(where, &words[i].value);
		EXPECT_EQ(value, i + 1);
		EXPECT_EQ(__atomic_load_n(&words[i].value, __ATOMIC_RELAXED), 0u);
		EXPECT_TRUE(host_stores_drain(0));
		EXPECT_EQ(__atomic_load_n(&words[i].value, __ATOMIC_RELAXED), i + 1);
	}
	EXPECT_FALSE(host_stores_drain(0));
}

TEST_F(StoresTest, FullBufferLosesItsOldest)
{
	for (uint32_t i = 1; i <= HOST_STORES_MAX + 1; i++)
		store(i);
	EXPECT_EQ(host_stores_waiting(0), (unsigned)HOST_STORES_MAX);
	EXPECT_EQ(memory(), 1u);
}

TEST_F(StoresTest, LockedOperationsEmptyTheBuffer)
{
	EXPECT_TRUE(empties([] { atomic32_exchange(&other, 1, MO_RELAXED); }));
	EXPECT_TRUE(empties([] { atomic32_add(&other, 1, MO_RELAXED); }));
	EXPECT_TRUE(empties([] { atomic32_or(&other, 1, MO_RELAXED); }));
	EXPECT_TRUE(empties([] {
		uint32_t expected = 77; /* a compare-and-swap that fails is locked all the same */

		EXPECT_FALSE(atomic32_cas(&other, &expected, 1, MO_RELAXED));
	}));
}

TEST_F(StoresTest, SequentiallyConsistentStoreEmptiesTheBuffer)
{
	EXPECT_TRUE(empties([] { atomic32_store(&other, 1, MO_SEQ_CST); }));
}

TEST_F(StoresTest, InvalidationsAndInterruptCommandsEmptyTheBuffer)
{
	EXPECT_TRUE(empties([] { arch_tlb_invalidate_page(VA); }));
	EXPECT_TRUE(empties([] { arch_tlb_flush(); }));
	EXPECT_TRUE(empties([] { arch_ipi_send(1, ARCH_IPI_RESCHED); }));
}

TEST_F(StoresTest, ReturnFromAnInterruptEmptiesTheBuffer)
{
	arch_ipi_set_handler(ARCH_IPI_RESCHED, [] { EXPECT_EQ(host_stores_waiting(0), 1u); });
	EXPECT_TRUE(empties([] {
		host_ipi_spurious(0, ARCH_IPI_RESCHED);
		arch_irq_enable();
		arch_irq_disable();
	}));
}

TEST_F(StoresTest, LoadsStoresAndInterruptFlagsLeaveIt)
{
	EXPECT_FALSE(empties([] {
		atomic32_load(&other, MO_SEQ_CST);
		atomic32_store(&other, 1, MO_RELEASE);
		arch_irq_enable();
		arch_irq_disable();
	}));
}

TEST_F(StoresTest, LoadThatOverlapsAWaitingStoreWaitsForIt)
{
	struct atomic64 wide = {UINT64_C(0x1111111122222222)};
	auto *half = reinterpret_cast<struct atomic32 *>(&wide);

	atomic32_store(half, 0x33333333, MO_RELAXED);
	EXPECT_EQ(atomic64_load(&wide, MO_RELAXED), UINT64_C(0x1111111133333333));
	EXPECT_EQ(host_stores_waiting(0), 0u);
}

TEST_F(StoresTest, OwnWalkFindsABufferedEntryAndAnotherCpusDoesNot)
{
	vm_paddr_t page = frame();
	pte_t *leaf;

	host_set_store_buffers(false);
	leaf = entry(VA);
	host_set_store_buffers(true);
	arch_pte_write(leaf, page | DATA | PTE_ACCESSED);
	EXPECT_FALSE(host_tlb_find(1, VA, nullptr));
	host_speculate(1, VA);
	EXPECT_FALSE(host_tlb_find(1, VA, nullptr));
	EXPECT_TRUE(host_translate(VA, HOST_READ, nullptr, nullptr));
	EXPECT_EQ(host_stores_waiting(0), 1u);
	host_speculate(1, VA);
	EXPECT_FALSE(host_tlb_find(1, VA, nullptr));
	EXPECT_TRUE(host_stores_drain(0));
	host_speculate(1, VA);
	EXPECT_TRUE(host_tlb_find(1, VA, nullptr));
}

TEST_F(StoresTest, SwitchingThemOffEmptiesAll)
{
	store(5);
	host_set_store_buffers(false);
	EXPECT_EQ(memory(), 5u);
	store(6);
	EXPECT_EQ(memory(), 6u);
}

} // namespace
