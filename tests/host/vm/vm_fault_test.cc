/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm/vm_fault.h"

#include <string>

#include "smp/call.h"
#include "smp/preempt.h"
#include "tests/host/vm/pageable_fixture.h"

namespace
{

class VmFaultTest : public quire::PageableTest
{
      protected:
	static int protect(vm_offset_t addr, vm_size_t pages, vm_prot_t prot)
	{
		return vm_map_protect(pipe_map, addr, addr + ptoa(pages), prot, false);
	}

	/* RAM full of junk, as after power-on. */
	void boot_dirty(unsigned cpus)
	{
		struct host_config config = {};

		config.cpus = cpus;
		config.fill_ram = true;
		boot(config);
	}
};

using VmFaultDeathTest = VmFaultTest;

/* --- Zero-fill on demand --- */

TEST_F(VmFaultTest, UntouchedMemoryHasNoPages)
{
	boot(1);
	uint64_t before = pages_in_use();
	vm_offset_t addr = alloc(64);

	ASSERT_NE(addr, 0u);
	EXPECT_EQ(pages_in_use(), before);
	EXPECT_EQ(mapped(addr, 64), 0u);
	free(addr, 64);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmFaultTest, TheFirstTouchBringsOnePageOfZeroes)
{
	boot_dirty(1);
	uint64_t before = pages_in_use();
	vm_offset_t addr = alloc(8);

	for (unsigned word = 0; word < PAGE_SIZE / 8; word++)
		ASSERT_EQ(host_load64(addr + ptoa(3) + word * 8), 0u);
	EXPECT_EQ(pages_in_use(), before + 1);
	EXPECT_EQ(mapped(addr, 8), 1u);
	host_store64(addr + ptoa(5), 55);
	EXPECT_EQ(host_load64(addr + ptoa(5)), 55u);
	EXPECT_EQ(host_load64(addr + ptoa(5) + 8), 0u);
	EXPECT_EQ(pages_in_use(), before + 2);
	EXPECT_TRUE(audit_ok());
	free(addr, 8);
	EXPECT_EQ(pages_in_use(), before);
}

TEST_F(VmFaultTest, HardwareMarksThePageWhenItIsWritten)
{
	boot(1);
	vm_offset_t addr = alloc(1);

	EXPECT_EQ(host_load64(addr), 0u);
	EXPECT_EQ(leaf(addr) & (PTE_DIRTY | PTE_WIRED | PTE_WRITE | PTE_NX), PTE_WRITE | PTE_NX);
	host_store64(addr, 1);
	EXPECT_NE(leaf(addr) & PTE_DIRTY, 0u);
	free(addr, 1);
}

TEST_F(VmFaultTest, APageFaultsOnceForAllCpus)
{
	boot(4);
	vm_offset_t addr = alloc(1);

	count_faults();
	EXPECT_EQ(host_load64(addr), 0u);
	EXPECT_EQ(faults_, 1u);
	host_store64(addr, 1);
	on_all_cpus([addr](unsigned) { EXPECT_EQ(host_load64(addr), 1u); });
	EXPECT_EQ(faults_, 1u);
	free(addr, 1);
}

TEST_F(VmFaultTest, FaultOfAPresentPageIsResolvedWithoutChange)
{
	boot(1);
	vm_offset_t addr = alloc(1);

	host_store64(addr, 7);
	pte_t before = leaf(addr);
	EXPECT_EQ(vm_fault(kernel_map, addr + 100, VM_PROT_RW), KERN_SUCCESS);
	EXPECT_EQ(leaf(addr), before);
	EXPECT_EQ(host_load64(addr), 7u);
	free(addr, 1);
}

TEST_F(VmFaultTest, FreedMemoryIsZeroWhenItsAddressesAreUsedAgain)
{
	boot(2);
	vm_offset_t addr = alloc(4), again;

	on_all_cpus([addr](unsigned cpu) { host_store64(addr + ptoa(cpu), ~UINT64_C(0)); });
	free(addr, 4);
	again = alloc(4);
	EXPECT_EQ(again, addr);
	read_pages(again, 4);
	free(again, 4);
	EXPECT_TRUE(audit_ok());
}

/* --- Maps --- */

TEST_F(VmFaultTest, FaultsOfNestedSubmapsAreResolvedThere)
{
	boot(1);
	vm_offset_t outer_min, outer_max, inner_min, inner_max, addr;
	vm_map_t outer = kmem_suballoc(kernel_map, &outer_min, &outer_max, ptoa(64), false);
	vm_map_t inner = kmem_suballoc(outer, &inner_min, &inner_max, ptoa(16), false);

	addr = kmem_alloc_wait(inner, ptoa(4));
	ASSERT_GE(addr, inner_min);
	host_store64(addr + PAGE_SIZE, 3);
	EXPECT_EQ(host_load64(addr + PAGE_SIZE), 3u);
	EXPECT_EQ(vm_fault(kernel_map, addr, VM_PROT_READ), KERN_SUCCESS);
	EXPECT_EQ(vm_fault(outer, addr + ptoa(2), VM_PROT_READ), KERN_SUCCESS);
	EXPECT_EQ(vm_fault(inner, addr + ptoa(3), VM_PROT_READ), KERN_SUCCESS);
	EXPECT_EQ(mapped(addr, 4), 4u);
	EXPECT_TRUE(audit_ok());
	kmem_free_wakeup(inner, addr, ptoa(4));
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmFaultTest, ASystemMapMayHavePageableMemory)
{
	boot(2);
	vm_offset_t addr = kernel_map->min_offset;

	ASSERT_EQ(vm_map_find(kernel_map, nullptr, 0, &addr, ptoa(4), VMFS_ANY_SPACE, VM_PROT_RW,
			      VM_PROT_ALL, 0),
		  KERN_SUCCESS);
	on_all_cpus([addr](unsigned cpu) { host_store64(addr + ptoa(cpu), cpu); });
	EXPECT_TRUE(audit_ok());
	kmem_free(kernel_map, addr, ptoa(4));
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmFaultTest, WhatIsNotPageableIsAnInvalidAddress)
{
	boot(1);
	vm_offset_t addr = alloc(2), wired = kmem_alloc(kernel_map, PAGE_SIZE);
	vm_offset_t nofault = kmem_alloc_nofault(kernel_map, PAGE_SIZE);

	EXPECT_EQ(vm_fault(kernel_map, addr + ptoa(2), VM_PROT_READ), KERN_INVALID_ADDRESS);
	EXPECT_EQ(vm_fault(kernel_map, wired, VM_PROT_READ), KERN_INVALID_ADDRESS);
	EXPECT_EQ(vm_fault(kernel_map, nofault, VM_PROT_READ), KERN_INVALID_ADDRESS);
	EXPECT_EQ(vm_fault(kernel_map, 0, VM_PROT_READ), KERN_INVALID_ADDRESS);
	free(addr, 2);
	EXPECT_EQ(vm_fault(kernel_map, addr, VM_PROT_READ), KERN_INVALID_ADDRESS);
}

/* --- Protection --- */

TEST_F(VmFaultTest, ProtectionIsThatOfTheRange)
{
	boot(1);
	vm_offset_t addr = alloc(2);

	host_store64(addr, 5);
	ASSERT_EQ(protect(addr, 2, VM_PROT_READ), KERN_SUCCESS);
	for (unsigned page = 0; page < 2; page++) {
		uint64_t word = 9;

		EXPECT_EQ(vm_fault(kernel_map, addr + ptoa(page), VM_PROT_WRITE),
			  KERN_PROTECTION_FAILURE);
		EXPECT_EQ(vm_fault(kernel_map, addr + ptoa(page), VM_PROT_EXECUTE),
			  KERN_PROTECTION_FAILURE);
		EXPECT_FALSE(host_store_nofault(addr + ptoa(page), &word, 8));
		EXPECT_EQ(host_load64(addr + ptoa(page)), page == 0 ? 5u : 0u);
	}
	ASSERT_EQ(protect(addr, 2, VM_PROT_RW), KERN_SUCCESS);
	host_store64(addr + ptoa(1), 6);
	EXPECT_TRUE(audit_ok());
	free(addr, 2);
}

TEST_F(VmFaultTest, ContentsOutliveAProtectionThatForbidsAll)
{
	boot(2);
	vm_offset_t addr = alloc(3);
	uint64_t word;

	host_store64(addr, 5);
	EXPECT_EQ(host_load64(addr + ptoa(1)), 0u);
	ASSERT_EQ(protect(addr, 3, VM_PROT_NONE), KERN_SUCCESS);
	EXPECT_EQ(vm_fault(kernel_map, addr, VM_PROT_READ), KERN_PROTECTION_FAILURE);
	EXPECT_EQ(vm_fault(kernel_map, addr + ptoa(2), VM_PROT_NONE), KERN_PROTECTION_FAILURE);
	EXPECT_FALSE(host_load_nofault(addr, &word, 8));
	EXPECT_EQ(vm_pageable_scan(UINT64_MAX), 0u);
	EXPECT_TRUE(audit_ok());
	ASSERT_EQ(protect(addr, 3, VM_PROT_READ), KERN_SUCCESS);
	EXPECT_EQ(host_load64(addr), 5u);
	/* What was written before is not forgotten, however read-only it has become. */
	arch_tlb_flush();
	(void)vm_pageable_scan(UINT64_MAX);
	EXPECT_EQ(host_load64(addr), 5u);
	EXPECT_TRUE(audit_ok());
	free(addr, 3);
}

TEST_F(VmFaultTest, RememberedRightsThatAreTooFewAreNoError)
{
	boot(2);
	vm_offset_t addr = alloc(1), wired = kmem_alloc(kernel_map, PAGE_SIZE);

	for (vm_offset_t va : {addr, wired}) {
		vm_map_t map = va == addr ? pipe_map : kernel_map;

		ASSERT_EQ(vm_map_protect(map, va, va + PAGE_SIZE, VM_PROT_READ, false),
			  KERN_SUCCESS);
		on_all_cpus([va](unsigned) { EXPECT_EQ(host_load64(va), 0u); });
		ASSERT_EQ(vm_map_protect(map, va, va + PAGE_SIZE, VM_PROT_RW, false), KERN_SUCCESS);
		on_all_cpus([va](unsigned cpu) { host_store64(va, cpu); });
	}
	free(addr, 1);
	kmem_free(kernel_map, wired, PAGE_SIZE);
}

/* --- Wiring --- */

TEST_F(VmFaultTest, WiringKeepsWhatIsThereAndBringsTheRest)
{
	boot_dirty(1);
	uint64_t before = pages_in_use();
	vm_offset_t addr = alloc(6);

	host_store64(addr + ptoa(1), 11);
	EXPECT_EQ(host_load64(addr + ptoa(4)), 0u);
	ASSERT_EQ(vm_map_wire(pipe_map, addr, addr + ptoa(6), 0), KERN_SUCCESS);
	EXPECT_EQ(pages_in_use(), before + 6);
	EXPECT_EQ(mapped(addr, 6), 6u);
	EXPECT_TRUE(audit_ok());
	count_faults();
	EXPECT_EQ(host_load64(addr + ptoa(1)), 11u);
	for (unsigned page : {0, 2, 3, 4, 5})
		EXPECT_EQ(host_load64(addr + ptoa(page)), 0u);
	EXPECT_EQ(faults_, 0u);
	EXPECT_EQ(vm_pageable_scan(UINT64_MAX), 0u);

	ASSERT_EQ(vm_map_unwire(pipe_map, addr, addr + ptoa(6), 0), KERN_SUCCESS);
	EXPECT_TRUE(audit_ok());
	EXPECT_EQ(host_load64(addr + ptoa(1)), 11u);
	free(addr, 6);
	EXPECT_EQ(pages_in_use(), before);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmFaultTest, PartOfARangeCanBeWired)
{
	boot(1);
	vm_offset_t addr = alloc(6);

	host_store64(addr + ptoa(3), 3);
	ASSERT_EQ(vm_map_wire(pipe_map, addr + ptoa(2), addr + ptoa(4), 0), KERN_SUCCESS);
	EXPECT_EQ(mapped(addr, 6), 2u);
	host_store64(addr, 1);
	host_store64(addr + ptoa(5), 5);
	EXPECT_TRUE(audit_ok());
	ASSERT_EQ(vm_map_unwire(pipe_map, addr + ptoa(2), addr + ptoa(4), 0), KERN_SUCCESS);
	EXPECT_EQ(host_load64(addr), 1u);
	EXPECT_EQ(host_load64(addr + ptoa(3)), 3u);
	EXPECT_EQ(host_load64(addr + ptoa(5)), 5u);
	EXPECT_TRUE(audit_ok());
	free(addr, 6);
}

TEST_F(VmFaultTest, DeletingFreesPagesAndReturnsTheCharge)
{
	boot(1);
	uint64_t before = pages_in_use();
	vm_offset_t addr = alloc(32);

	for (unsigned i = 0; i < 32; i += 2)
		host_store64(addr + ptoa(i), i);
	EXPECT_EQ(swap_reserved(), ptoa(32));
	EXPECT_EQ(pages_in_use(), before + 16);
	free(addr, 32);
	EXPECT_EQ(swap_reserved(), 0u);
	EXPECT_EQ(pages_in_use(), before);
	EXPECT_TRUE(audit_ok());
}

/* --- Shortage --- */

TEST_F(VmFaultTest, AShortageIsWaitedFor)
{
	boot(1);
	vm_offset_t addr = alloc(1);
	bool done = false;

	std::vector<vm_page_t> pages = take_all_pages();
	quire::TestThread toucher(0, [&] {
		host_store64(addr, 1);
		done = true;
	});
	thread_sleep_ns(200 * 1000 * 1000);
	EXPECT_FALSE(done);
	EXPECT_TRUE(audit_ok());
	give_back(&pages);
	toucher.join();
	EXPECT_TRUE(done);
	EXPECT_EQ(host_load64(addr), 1u);
	free(addr, 1);
	EXPECT_TRUE(audit_ok());
}

/* While one waits for a page, the map is free for others, and even the range itself may go. */
TEST_F(VmFaultTest, ARangeMayBeDeletedWhileAFaultInItWaits)
{
	boot(1);
	vm_offset_t addr = alloc(1);
	bool stored = true;

	std::vector<vm_page_t> pages = take_all_pages();
	quire::TestThread toucher(0, [&] {
		uint64_t word = 1;
		stored = host_store_nofault(addr, &word, 8);
	});
	thread_sleep_ns(200 * 1000 * 1000);
	free(addr, 1);
	give_back(&pages);
	toucher.join();
	EXPECT_FALSE(stored);
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmFaultTest, EveryAllocationThatFailsOnceIsTriedAgain)
{
	boot(1);
	for (uint64_t nth = 1;; nth++) {
		uint64_t before = pages_in_use();
		vm_offset_t addr = alloc(4);
		uint64_t failures;

		fail(nth);
		host_store64(addr + ptoa(1), nth);
		failures = host_fault_failures();
		host_fault_disarm();
		EXPECT_EQ(host_load64(addr + ptoa(1)), nth);
		EXPECT_TRUE(audit_ok()) << nth;
		free(addr, 4);
		EXPECT_EQ(pages_in_use(), before);
		if (failures == 0) {
			EXPECT_GT(nth, 2u); /* at least the object and the page */
			break;
		}
	}
}

TEST_F(VmFaultTest, EveryAllocationMayFailForLong)
{
	boot(1);
	for (const char *site : {"vm_object_allocate", "vm_page_alloc"}) {
		vm_offset_t addr = alloc(1);
		bool done = false;

		fail(1, HOST_FAULT_FROM_NTH, site);
		quire::TestThread toucher(0, [&] {
			host_store64(addr, 1);
			done = true;
		});
		thread_sleep_ns(100 * 1000 * 1000);
		EXPECT_FALSE(done) << site;
		EXPECT_GT(host_fault_failures(), 1u) << site;
		host_fault_disarm();
		toucher.join();
		EXPECT_TRUE(done) << site;
		free(addr, 1);
		EXPECT_TRUE(audit_ok());
	}
}

TEST_F(VmFaultTest, WiringThatFailsKeepsContents)
{
	boot(1);
	for (uint64_t nth = 1;; nth++) {
		vm_offset_t addr = alloc(4);
		uint64_t failures;
		int rv;

		host_store64(addr + ptoa(2), 22);
		fail(nth, HOST_FAULT_FROM_NTH);
		rv = vm_map_wire(pipe_map, addr, addr + ptoa(4), 0);
		failures = host_fault_failures();
		host_fault_disarm();
		EXPECT_EQ(rv == KERN_SUCCESS, failures == 0);
		EXPECT_EQ(host_load64(addr + ptoa(2)), 22u);
		EXPECT_EQ(host_load64(addr), 0u);
		EXPECT_TRUE(audit_ok()) << nth;
		if (rv == KERN_SUCCESS) {
			EXPECT_EQ(vm_map_unwire(pipe_map, addr, addr + ptoa(4), 0), KERN_SUCCESS);
		}
		free(addr, 4);
		EXPECT_TRUE(audit_ok()) << nth;
		if (failures == 0)
			break;
	}
}

TEST_F(VmFaultTest, WiringThatFailsInTheSecondRangeUndoesTheFirst)
{
	boot(1);
	vm_offset_t addr = alloc(4);

	ASSERT_EQ(protect(addr + ptoa(2), 2, VM_PROT_READ), KERN_SUCCESS);
	host_store64(addr + ptoa(1), 11);
	for (uint64_t nth = 1;; nth++) {
		vm_map_entry_t first = nullptr, second = nullptr;
		uint64_t failures;
		int rv;

		fail(nth, HOST_FAULT_FROM_NTH);
		rv = vm_map_wire(pipe_map, addr, addr + ptoa(4), 0);
		failures = host_fault_failures();
		host_fault_disarm();
		EXPECT_EQ(rv == KERN_SUCCESS, failures == 0);
		ASSERT_TRUE(vm_map_lookup_entry(pipe_map, addr, &first));
		ASSERT_TRUE(vm_map_lookup_entry(pipe_map, addr + ptoa(2), &second));
		EXPECT_EQ(first->wired_count, rv == KERN_SUCCESS ? 1u : 0u) << nth;
		EXPECT_EQ(second->wired_count, rv == KERN_SUCCESS ? 1u : 0u) << nth;
		EXPECT_EQ(host_load64(addr + ptoa(1)), 11u);
		EXPECT_TRUE(audit_ok()) << nth;
		if (rv == KERN_SUCCESS)
			break;
	}
	EXPECT_EQ(vm_map_unwire(pipe_map, addr, addr + ptoa(4), 0), KERN_SUCCESS);
	free(addr, 4);
	EXPECT_TRUE(audit_ok());
}

/* --- Where a thread may not sleep --- */

TEST_F(VmFaultTest, NothingIsBroughtInWhereSleepingIsNotAllowed)
{
	boot(1);
	vm_offset_t addr = alloc(1);
	uint64_t word;

	preempt_disable();
	EXPECT_EQ(vm_fault(kernel_map, addr, VM_PROT_READ), KERN_RESOURCE_SHORTAGE);
	EXPECT_FALSE(host_load_nofault(addr, &word, 8));
	preempt_enable();
	EXPECT_EQ(mapped(addr, 1), 0u);
	EXPECT_EQ(vm_fault(kernel_map, addr, VM_PROT_READ), KERN_SUCCESS);
	preempt_disable();
	EXPECT_TRUE(host_load_nofault(addr, &word, 8));
	preempt_enable();
	free(addr, 1);
}

TEST_F(VmFaultDeathTest, PageableMemoryWhereSleepingIsNotAllowed)
{
	boot(2);
	struct spinlock lock = SPINLOCK_INIT("a lock", LOCK_RANK_KERNEL);
	vm_offset_t addr = alloc(1);
	auto in_interrupt = [](void *va) { (void)host_load64(*static_cast<vm_offset_t *>(va)); };

	EXPECT_DEATH(
	    {
		    spin_lock(&lock);
		    host_load64(addr);
	    },
	    "pageable memory, touched with a spinlock held.*pipe_map");
	EXPECT_DEATH(
	    {
		    arch_irq_disable();
		    host_load64(addr);
	    },
	    "pageable memory, touched with interrupts disabled.*pipe_map");
	EXPECT_DEATH(
	    {
		    preempt_disable();
		    host_load64(addr);
	    },
	    "pageable memory, touched where threads may not sleep.*pipe_map");
	EXPECT_DEATH(smp_call_one(1, in_interrupt, &addr),
		     "pageable memory, touched by an interrupt handler.*pipe_map");
	EXPECT_DEATH(
	    {
		    vm_map_lock(pipe_map);
		    host_load64(addr);
	    },
	    "pageable memory, touched with a lock of the memory system held.*pipe_map");
	free(addr, 1);
}

/* --- Diagnoses --- */

TEST_F(VmFaultDeathTest, DiagnosesNameRangeOwnerAndWhatIsWrong)
{
	boot(1);
	vm_offset_t addr = alloc(3), wired = kmem_alloc(kernel_map, PAGE_SIZE);
	vm_offset_t nofault = kmem_alloc_nofault(kernel_map, PAGE_SIZE);

	EXPECT_EQ(host_load64(addr), 0u);
	ASSERT_EQ(protect(addr, 2, VM_PROT_READ), KERN_SUCCESS);
	EXPECT_DEATH(host_store64(addr, 1),
		     "write of .*not permitted: pageable memory.*pipe_map.*anonymous memory");
	EXPECT_DEATH(host_store64(addr + ptoa(1), 1),
		     "write of .*not permitted: pageable memory.*pipe_map");
	EXPECT_DEATH(host_execute(addr), "execute of .*not permitted: pageable memory.*pipe_map");
	EXPECT_DEATH(host_load64(addr + ptoa(3)), "read of .*nothing is mapped.*pipe_map: free");
	EXPECT_DEATH(host_store64(nofault, 1), "nothing is mapped in a no-fault range.*kernel_map");
	EXPECT_DEATH(host_execute(wired),
		     "execute of .*not permitted: kernel memory.*kernel_object, wired");
	EXPECT_DEATH(host_load64(0x1000), "nothing is mapped.*outside kernel_map");
	ASSERT_EQ(vm_map_protect(kernel_map, wired, wired + PAGE_SIZE, VM_PROT_NONE, false),
		  KERN_SUCCESS);
	EXPECT_DEATH(host_load64(wired),
		     "nothing is mapped: kernel memory, wired, without access.*kernel_object");
}

TEST_F(VmFaultDeathTest, AWriteToTheZeroRegionIsCalledThat)
{
	boot(1);
	vm_offset_t start = reinterpret_cast<vm_offset_t>(zero_region);

	EXPECT_EQ(host_load64(start + ZERO_REGION_SIZE - 8), 0u);
	EXPECT_DEATH(host_store64(start + ZERO_REGION_SIZE - 8, 1),
		     "the zero region is read-only for ever");
	EXPECT_DEATH(host_execute(start), "not permitted in a no-fault range");
}

TEST_F(VmFaultTest, BeforeTheMapsADiagnosisSaysSo)
{
	struct arch_fault fault = {};
	vm_map_t map;
	char why[160];

	boot(1);
	map = kernel_map;
	kernel_map = nullptr;
	EXPECT_FALSE(vm_fault_kernel(&fault, why, sizeof(why)));
	kernel_map = map;
	EXPECT_STREQ(why, "there are no maps yet");
	fault.reserved = true;
	fault.va = kernel_map->min_offset;
	EXPECT_FALSE(vm_fault_kernel(&fault, why, sizeof(why)));
	EXPECT_NE(std::string(why).find("reserved bit"), std::string::npos) << why;
}

TEST_F(VmFaultTest, AuditSeesAPageThatIsNotWhereItsObjectSays)
{
	boot(1);
	vm_offset_t addr = alloc(2);
	vm_map_entry_t entry;
	vm_page_t m;

	EXPECT_EQ(host_load64(addr), 0u);
	ASSERT_TRUE(vm_map_lookup_entry(pipe_map, addr, &entry));
	m = PHYS_TO_VM_PAGE(pmap_kextract(addr));
	m->wire_count++;
	EXPECT_FALSE(audit_ok());
	m->wire_count--;
	entry->protection = VM_PROT_READ;
	EXPECT_FALSE(audit_ok());
	entry->protection = VM_PROT_RW;
	entry->offset += PAGE_SIZE;
	EXPECT_FALSE(audit_ok());
	entry->offset -= PAGE_SIZE;
	EXPECT_TRUE(audit_ok());
	free(addr, 2);
}

} // namespace
