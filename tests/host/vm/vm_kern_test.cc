/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm/vm_kern.h"

#include <deque>
#include <random>

#include "tests/host/vm/vm_fixture.h"
#include "vm/pmap.h"
#include "vm/vm_magazine.h"
#include "vm/vm_map_private.h"
#include "vm/vm_object.h"
#include "vm/vm_page.h"

namespace
{

class VmKernTest : public quire::VmTest
{
      protected:
	static uint64_t pages_in_use()
	{
		struct vm_accounting acc;

		vm_accounting(&acc);
		return acc.allocated;
	}

	/* Writes a pattern that depends on address and salt, and reads it back. */
	static void fill(vm_offset_t addr, vm_size_t size, uint64_t salt)
	{
		for (vm_offset_t va = addr; va < addr + size; va += 512)
			host_store64(va, va ^ salt);
	}

	static bool holds(vm_offset_t addr, vm_size_t size, uint64_t salt)
	{
		for (vm_offset_t va = addr; va < addr + size; va += 512)
			if (host_load64(va) != (va ^ salt))
				return false;
		return true;
	}

	static bool zeroed(vm_offset_t addr, vm_size_t size)
	{
		for (vm_offset_t va = addr; va < addr + size; va += 8)
			if (host_load64(va) != 0)
				return false;
		return true;
	}
};

TEST_F(VmKernTest, BootLeavesAMachineThatAudits)
{
	boot(1);
	EXPECT_TRUE(audit_ok());
	EXPECT_EQ(kernel_map->min_offset, VM_MIN_KERNEL_ADDRESS);
	EXPECT_EQ(kernel_map->system_map, 1);
}

TEST_F(VmKernTest, ImageIsTakenInKernelMap)
{
	vm_map_entry_t entry;

	boot(1);
	vm_map_lock(kernel_map);
	ASSERT_TRUE(vm_map_lookup_entry(kernel_map, KERNBASE, &entry));
	EXPECT_EQ(entry->start, KERNBASE);
	EXPECT_EQ(entry->end, arch_mmu_image_end());
	EXPECT_TRUE(entry->eflags & MAP_ENTRY_NOFAULT);
	vm_map_unlock(kernel_map);
}

TEST_F(VmKernTest, AllocGivesZeroedWiredMemory)
{
	struct host_config config = {};
	vm_offset_t addr;
	vm_map_entry_t entry;

	config.fill_ram = true;
	boot(config);
	addr = kmem_alloc(kernel_map, 3 * PAGE_SIZE - 7);
	ASSERT_NE(addr, 0u);
	EXPECT_TRUE(zeroed(addr, 3 * PAGE_SIZE));
	vm_map_lock(kernel_map);
	ASSERT_TRUE(vm_map_lookup_entry(kernel_map, addr, &entry));
	EXPECT_EQ(entry->wired_count, 1u);
	EXPECT_EQ(entry->object.vm_object, kernel_object);
	EXPECT_EQ(entry->offset, entry->start - VM_MIN_KERNEL_ADDRESS);
	vm_map_unlock(kernel_map);
	EXPECT_TRUE(audit_ok());

	/* What was used is zeroed again for the next. */
	fill(addr, 3 * PAGE_SIZE, 1);
	kmem_free(kernel_map, addr, 3 * PAGE_SIZE);
	ASSERT_EQ(kmem_alloc(kernel_map, 3 * PAGE_SIZE), addr);
	EXPECT_TRUE(zeroed(addr, 3 * PAGE_SIZE));
}

TEST_F(VmKernTest, FreeGivesEverythingBack)
{
	uint64_t before;
	vm_size_t size;

	boot(1);
	kmem_free(kernel_map, kmem_alloc(kernel_map, PAGE_SIZE), PAGE_SIZE);
	before = pages_in_use();
	size = kernel_map->size;
	for (vm_size_t pages = 1; pages < 100; pages++) {
		vm_offset_t addr = kmem_alloc(kernel_map, ptoa(pages));

		ASSERT_NE(addr, 0u);
		kmem_free(kernel_map, addr, ptoa(pages));
	}
	EXPECT_EQ(pages_in_use(), before);
	EXPECT_EQ(kernel_map->size, size);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmKernTest, NeighbouringAllocationsAreOneEntry)
{
	vm_offset_t first, last = 0;
	uint32_t entries;

	boot(1);
	first = kmem_alloc(kernel_map, PAGE_SIZE);
	entries = kernel_map->nentries;
	for (unsigned i = 1; i < 50; i++)
		last = kmem_alloc(kernel_map, PAGE_SIZE);
	EXPECT_EQ(last, first + 49 * PAGE_SIZE);
	EXPECT_EQ(kernel_map->nentries, entries);
	/* One freed in the middle splits it; the lowest hole is used again. */
	kmem_free(kernel_map, first + 10 * PAGE_SIZE, PAGE_SIZE);
	EXPECT_EQ(kernel_map->nentries, entries + 1);
	EXPECT_TRUE(audit_ok());
	EXPECT_EQ(kmem_alloc(kernel_map, PAGE_SIZE), first + 10 * PAGE_SIZE);
	EXPECT_EQ(kernel_map->nentries, entries);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmKernTest, SizesThatCannotBeAreRefused)
{
	vm_size_t size;

	boot(1);
	size = kernel_map->size;
	EXPECT_EQ(kmem_alloc(kernel_map, 0), 0u);
	EXPECT_EQ(kmem_alloc(kernel_map, ~UINT64_C(0)), 0u);
	EXPECT_EQ(kmem_alloc(kernel_map, ~UINT64_C(0) - PAGE_SIZE), 0u);
	EXPECT_EQ(kmem_alloc(kernel_map, UINT64_C(1) << 46), 0u);
	EXPECT_EQ(kmem_alloc_nofault(kernel_map, 0), 0u);
	EXPECT_EQ(kmem_alloc_nofault(kernel_map, ~UINT64_C(0)), 0u);
	kmem_free(kernel_map, VM_MIN_KERNEL_ADDRESS, 0);
	EXPECT_EQ(kernel_map->size, size);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmKernTest, MoreThanRamFailsAndUndoesEverything)
{
	uint64_t before;

	boot(1);
	kmem_free(kernel_map, kmem_alloc(kernel_map, PAGE_SIZE), PAGE_SIZE);
	before = pages_in_use();
	EXPECT_EQ(kmem_alloc(kernel_map, UINT64_C(1) << 30), 0u);
	EXPECT_EQ(pages_in_use(), before);
	EXPECT_TRUE(audit_ok());
	EXPECT_NE(kmem_alloc(kernel_map, PAGE_SIZE), 0u);
}

TEST_F(VmKernTest, EveryAllocationSiteMayFail)
{
	uint64_t used;
	unsigned n = 1, failed = 0;

	boot(1);
	for (bool persistent : {false, true}) {
		for (n = 1;; n++) {
			struct host_fault_plan plan = {};
			vm_offset_t addr;

			used = pages_in_use();
			plan.policy = persistent ? HOST_FAULT_FROM_NTH : HOST_FAULT_NTH;
			plan.nth = n;
			host_fault_arm(&plan);
			addr = kmem_alloc(kernel_map, 5 * PAGE_SIZE);
			bool reached = host_fault_failures() != 0;
			host_fault_disarm();
			if (addr != 0)
				kmem_free(kernel_map, addr, 5 * PAGE_SIZE);
			else
				failed++;
			ASSERT_EQ(pages_in_use(), used) << "failure " << n;
			ASSERT_TRUE(audit_ok()) << "failure " << n;
			if (!reached)
				break;
		}
		EXPECT_GT(n, 5u); /* a page each, at the least */
	}
	EXPECT_GT(failed, 5u);
}

TEST_F(VmKernTest, FreeNeedsNoMemory)
{
	struct host_fault_plan plan = {};
	vm_offset_t addr;

	boot(1);
	addr = kmem_alloc(kernel_map, 100 * PAGE_SIZE);
	ASSERT_NE(addr, 0u);
	plan.policy = HOST_FAULT_FROM_NTH;
	plan.nth = 1;
	plan.site = "vm_page_alloc";
	host_fault_arm(&plan);
	for (unsigned i = 1; i < 100; i += 2)
		kmem_free(kernel_map, addr + ptoa(i), PAGE_SIZE);
	host_fault_disarm();
	EXPECT_TRUE(audit_ok());
	for (unsigned i = 0; i < 100; i += 2)
		kmem_free(kernel_map, addr + ptoa(i), PAGE_SIZE);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmKernTest, NofaultRangeHoldsWhatIsMappedIntoIt)
{
	vm_offset_t addr;
	vm_page_t pages[2];

	boot(1);
	addr = kmem_alloc_nofault(kernel_map, 2 * PAGE_SIZE);
	ASSERT_NE(addr, 0u);
	EXPECT_EQ(pmap_kextract(addr), 0u);
	for (vm_page_t &m : pages)
		ASSERT_NE(m = vm_page_alloc(nullptr, 0, VM_ALLOC_NOOBJ | VM_ALLOC_NORMAL), nullptr);
	pmap_qenter(addr, pages, 2);
	host_store64(addr + PAGE_SIZE, 42);
	EXPECT_EQ(host_load64(addr + PAGE_SIZE), 42u);
	EXPECT_EQ(pmap_kextract(addr + PAGE_SIZE), VM_PAGE_TO_PHYS(pages[1]));
	pmap_qremove(addr, 2);
	for (vm_page_t m : pages)
		vm_page_free(m);
	kmem_free(kernel_map, addr, 2 * PAGE_SIZE);
	EXPECT_TRUE(audit_ok());
}

using VmKernDeathTest = VmKernTest;

TEST_F(VmKernDeathTest, DoubleFreeIsDiagnosed)
{
	boot(1);
	vm_offset_t keep = kmem_alloc(kernel_map, PAGE_SIZE);
	vm_offset_t addr = kmem_alloc(kernel_map, PAGE_SIZE);

	EXPECT_NE(keep, 0u);
	kmem_free(kernel_map, addr, PAGE_SIZE);
	EXPECT_DEATH(kmem_free(kernel_map, addr, PAGE_SIZE),
		     "kmem_free.*not all of it is allocated");
	EXPECT_DEATH(kmem_free(kernel_map, keep, 2 * PAGE_SIZE), "not all of it is allocated");
	EXPECT_DEATH(kmem_free(kernel_map, ~UINT64_C(0) - 5, PAGE_SIZE),
		     "not all of it is allocated");
	EXPECT_DEATH(kmem_free(kernel_map, 0x1000, PAGE_SIZE), "outside kernel_map");
}

TEST_F(VmKernTest, WithoutStrictnessABadFreeIsCountedAndRefused)
{
	boot(1);
	vm_offset_t keep = kmem_alloc(kernel_map, PAGE_SIZE);
	vm_offset_t addr = kmem_alloc(kernel_map, PAGE_SIZE);
	uint64_t before = kmem_free_refused_count();

	kmem_free(kernel_map, addr, PAGE_SIZE);
	kmem_free_set_strict(false);
	kmem_free(kernel_map, addr, PAGE_SIZE);
	kmem_free(kernel_map, keep, 2 * PAGE_SIZE);
	kmem_free(kernel_map, ~UINT64_C(0) - 5, PAGE_SIZE);
	kmem_free(kernel_map, 0x1000, PAGE_SIZE);
	kmem_free_set_strict(true);
	EXPECT_EQ(kmem_free_refused_count(), before + 4);
	EXPECT_NE(std::string(host_log()).find("refused: not all of it is allocated"),
		  std::string::npos);
	host_store64(keep, 1); /* still there */
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmKernDeathTest, AccessAfterFreeIsDiagnosed)
{
	boot(1);
	vm_offset_t addr = kmem_alloc(kernel_map, PAGE_SIZE);

	host_store64(addr, 1);
	kmem_free(kernel_map, addr, PAGE_SIZE);
	EXPECT_DEATH(host_load64(addr), "read of .*nothing is mapped.*kernel_map: free");
}

TEST_F(VmKernDeathTest, FaultInANofaultRangeNamesIt)
{
	boot(1);
	vm_offset_t addr = kmem_alloc_nofault(kernel_map, PAGE_SIZE);

	EXPECT_DEATH(host_store64(addr, 1), "write of .*no-fault range");
}

/* What the shootdown is for. */
TEST_F(VmKernTest, FreedMemoryIsForgottenByEveryCpu)
{
	for (unsigned cpus : {1u, 2u, 3u, 4u, 8u}) {
		vm_offset_t addr;

		boot(cpus);
		addr = kmem_alloc(kernel_map, 4 * PAGE_SIZE);
		host_store64(addr, 7);
		on_all_cpus([addr](unsigned) { EXPECT_EQ(host_load64(addr), 7u); });
		for (unsigned cpu = 0; cpu < cpus; cpu++)
			EXPECT_TRUE(host_tlb_find(cpu, addr, nullptr)) << cpu;
		{
			quire::BusyCpus busy;

			kmem_free(kernel_map, addr, 4 * PAGE_SIZE);
			for (unsigned cpu = 0; cpu < cpus; cpu++)
				EXPECT_FALSE(host_tlb_find(cpu, addr, nullptr)) << cpu;
		}
		host_assert_no_translation(addr, addr + 4 * PAGE_SIZE);
		EXPECT_TRUE(audit_ok());
		shut_down();
	}
}

/* The same on a machine where one CPU answers every shootdown and forgets nothing. */
TEST_F(VmKernDeathTest, OracleCatchesAMissingShootdownWhenThePageIsFreed)
{
	for (unsigned deaf : {0u, 1u, 2u}) {
		shut_down();
		boot(3);
		vm_offset_t addr = kmem_alloc(kernel_map, PAGE_SIZE);

		quire::BusyCpus busy;
		on_all_cpus([addr](unsigned) { host_load64(addr); });
		host_tlb_set_deaf(deaf, true);
		EXPECT_DEATH(kmem_free(kernel_map, addr, PAGE_SIZE),
			     "TLB oracle: page .* released while CPU " + std::to_string(deaf));
		host_tlb_set_deaf(deaf, false);
		kmem_free(kernel_map, addr, PAGE_SIZE);
	}
}

/* All CPUs allocate, hand over to the next one, check there and free, under many schedules. */
class VmKernHandover : public VmKernTest, public ::testing::WithParamInterface<unsigned>
{
      protected:
	struct Mailbox {
		struct spinlock lock;
		std::deque<std::pair<vm_offset_t, vm_size_t>> ranges;
	};

	void run(unsigned cpus, uint64_t seed, enum host_mode mode, unsigned rounds)
	{
		std::vector<Mailbox> boxes(cpus);
		struct host_config config = {};

		config.cpus = cpus;
		config.seed = seed;
		config.mode = mode;
		config.switch_ppm = 20000;
		config.speculate_ppm = 2000;
		/* Little RAM: it is filled with junk each time. */
		config.ranges[0] = {0, 8 << 20, 0};
		config.range_count = 1;
		config.fill_ram = true;
		boot(config);
		for (Mailbox &box : boxes)
			spin_init(&box.lock, "mailbox", LOCK_RANK_KERNEL, 0);
		on_all_cpus([&](unsigned cpu) {
			std::mt19937_64 random(seed * 64 + cpu);

			for (unsigned i = 0; i < rounds; i++) {
				send(boxes[(cpu + 1) % cpus], random);
				receive(boxes[cpu]);
			}
		});
		for (Mailbox &box : boxes)
			while (!box.ranges.empty())
				receive(box);
		EXPECT_TRUE(audit_ok()) << "cpus " << cpus << " seed " << seed;
		shut_down();
	}

      private:
	static void send(Mailbox &box, std::mt19937_64 &random)
	{
		vm_size_t size = ptoa(1 + random() % 9);
		vm_offset_t addr = kmem_alloc(kernel_map, size);

		ASSERT_NE(addr, 0u);
		ASSERT_EQ(host_load64(addr + size - 8), 0u);
		fill(addr, size, size);
		spin_lock(&box.lock);
		box.ranges.emplace_back(addr, size);
		spin_unlock(&box.lock);
	}

	static void receive(Mailbox &box)
	{
		std::pair<vm_offset_t, vm_size_t> range = {0, 0};

		spin_lock(&box.lock);
		if (!box.ranges.empty()) {
			range = box.ranges.front();
			box.ranges.pop_front();
		}
		spin_unlock(&box.lock);
		if (range.first == 0)
			return;
		EXPECT_TRUE(holds(range.first, range.second, range.second));
		kmem_free(kernel_map, range.first, range.second);
	}
};

TEST_P(VmKernHandover, ManySchedules)
{
	for (uint64_t seed = 1; seed <= 60; seed++)
		run(GetParam(), seed, HOST_COROUTINES, 12);
}

INSTANTIATE_TEST_SUITE_P(Cpus, VmKernHandover, ::testing::Values(1, 2, 3, 4, 8));

} // namespace
