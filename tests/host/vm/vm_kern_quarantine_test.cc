/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm/vm_kern_quarantine.h"

#include <cstdlib>
#include <random>
#include <vector>

#include "kernel/registry/sysctl.h"
#include "lib/bits.h"
#include "smp/shootdown.h"
#include "smp/tlb.h"
#include "tests/host/vm/vm_fixture.h"
#include "vm/pmap.h"
#include "vm/vm_map_private.h"
#include "vm/vm_page.h"
#include "vm/vm_pageout.h"

namespace
{

class QuarantineTest : public quire::VmTest
{
      protected:
	QuarantineTest()
	{
		immediate_frees_ = false;
	}

	static struct kmem_quarantine_stats stats()
	{
		struct kmem_quarantine_stats stats;

		kmem_quarantine_stats(&stats);
		return stats;
	}

	static uint64_t shootdowns()
	{
		struct shootdown_stats stats;
		uint64_t sum = 0;

		shootdown_stats(&stats);
		for (uint64_t requests : stats.requests)
			sum += requests;
		return sum;
	}

	static uint64_t forced_requests()
	{
		struct shootdown_stats stats;

		shootdown_stats(&stats);
		return stats.requests[SHOOTDOWN_FORCED];
	}

	static uint64_t allocated()
	{
		struct vm_accounting acc;

		vm_accounting(&acc);
		return acc.allocated;
	}

	static vm_offset_t take(uint64_t npages = 1)
	{
		return kmem_malloc(kmem_map, ptoa(npages), M_WAITOK);
	}

	/* Lets the machine's time pass: every CPU ticks some times. */
	static void pass_time()
	{
		uint64_t until = arch_clock_ns() + UINT64_C(50000000);

		while (arch_clock_ns() < until)
			thread_yield();
	}
};

using QuarantineDeathTest = QuarantineTest;

TEST_F(QuarantineDeathTest, ASecondFreeIsSeen)
{
	boot(2);
	vm_offset_t addr = take(2);

	kmem_free(kmem_map, addr, ptoa(2));
	EXPECT_DEATH(kmem_free(kmem_map, addr, ptoa(2)), "freed a moment ago");
	EXPECT_DEATH(kmem_free(kmem_map, addr + PAGE_SIZE, PAGE_SIZE), "freed a moment ago");
	kmem_free_set_strict(false);
	uint64_t refused = kmem_free_refused_count();
	kmem_free(kmem_map, addr, ptoa(2));
	kmem_free_set_strict(true);
	EXPECT_EQ(kmem_free_refused_count(), refused + 1);
	EXPECT_TRUE(audit_ok());
}

TEST_F(QuarantineDeathTest, AUseAfterTheFreeFaults)
{
	boot(2);
	vm_offset_t addr = take();

	host_store64(addr, 1);
	kmem_free(kmem_map, addr, PAGE_SIZE);
	EXPECT_EQ(pmap_kextract(addr), 0u);
	(void)kmem_quarantine_flush();
	EXPECT_DEATH(host_store64(addr, 2), "fault");
}

TEST_F(QuarantineTest, AFreedRangeWaitsAndThenGoesBack)
{
	boot(2);
	uint64_t before = allocated();
	vm_offset_t addr = take(3);
	uint64_t asked = shootdowns();

	EXPECT_EQ(allocated(), before + 3);
	kmem_free(kmem_map, addr, ptoa(3));
	EXPECT_EQ(kmem_quarantine_pages(), 3u);
	EXPECT_EQ(allocated(), before);
	EXPECT_EQ(pmap_kextract(addr), 0u);
	EXPECT_NE(kmem_map->nentries, 0u);
	EXPECT_EQ(shootdowns(), asked);
	{
		/* One that does not idle has to be asked, and that is counted apart from frees. */
		quire::BusyCpus busy;
		uint64_t forced = forced_requests();

		EXPECT_EQ(kmem_quarantine_flush(), 3u);
		EXPECT_EQ(forced_requests(), forced + 1);
	}
	EXPECT_EQ(kmem_quarantine_pages(), 0u);
	EXPECT_EQ(kmem_map->nentries, 0u);
	EXPECT_EQ(kmem_quarantine_flush(), 0u);
	EXPECT_TRUE(audit_ok());
}

TEST_F(QuarantineTest, AddressesAreNotReusedBeforeEveryCpuHasFlushed)
{
	boot(3);
	vm_offset_t first = take();

	kmem_free(kmem_map, first, PAGE_SIZE);
	vm_offset_t second = take();
	EXPECT_NE(first, second);
	(void)kmem_quarantine_flush();
	vm_offset_t third = take();
	EXPECT_EQ(third, first);
	kmem_free(kmem_map, second, PAGE_SIZE);
	kmem_free(kmem_map, third, PAGE_SIZE);
}

/* Each page carries its owner's number; the oracle looks at every page that is given back. */
TEST_F(QuarantineTest, ManyFreesOnAllCpusAreFewGenerations)
{
	boot(4, 5);
	uint64_t before = allocated();

	on_all_cpus([](unsigned cpu) {
		std::mt19937 random(cpu);
		std::vector<std::pair<vm_offset_t, uint64_t>> held;

		for (unsigned i = 0; i < 600; i++) {
			if (held.size() < 8 || random() % 2 == 0) {
				uint64_t npages = 1 + random() % 6;
				vm_offset_t addr = take(npages);

				for (uint64_t p = 0; p < npages; p++)
					host_store64(addr + ptoa(p), addr + p);
				held.emplace_back(addr, npages);
				continue;
			}
			std::swap(held[random() % held.size()], held.back());
			auto [addr, npages] = held.back();
			held.pop_back();
			for (uint64_t p = 0; p < npages; p++)
				ASSERT_EQ(host_load64(addr + ptoa(p)), addr + p);
			kmem_free(kmem_map, addr, ptoa(npages));
		}
		for (auto [addr, npages] : held)
			kmem_free(kmem_map, addr, ptoa(npages));
	});
	struct kmem_quarantine_stats after = stats();
	EXPECT_GT(after.ranges, 1000u);
	EXPECT_GT(after.batches, 0u);
	EXPECT_LT(after.batches * 8, after.ranges);
	EXPECT_LE(after.runs, after.ranges);
	EXPECT_EQ(allocated(), before);
	EXPECT_TRUE(audit_ok());
	EXPECT_EQ(kmem_map->nentries, 0u);
}

TEST_F(QuarantineTest, IdleCpusGiveBackWhatWaits)
{
	boot(3);
	sched_set_idle_work(vm_idle);
	for (unsigned cpu = 1; cpu < 3; cpu++) {
		quire::TestThread thread(cpu, [] { kmem_free(kmem_map, take(), PAGE_SIZE); });
		thread.join();
	}
	pass_time();
	EXPECT_EQ(kmem_quarantine_pages(), 0u);
	sched_set_idle_work(nullptr);
}

TEST_F(QuarantineTest, TheLimitHolds)
{
	boot(2);
	uint64_t limit = stats().pages_limit, sum = 0;
	const uint64_t npages = 16;

	ASSERT_GT(limit, 0u);
	while (sum < 3 * limit) {
		kmem_free(kmem_map, take(npages), ptoa(npages));
		sum += npages;
	}
	EXPECT_LE(stats().pages_max, limit + limit / 4 + npages);
	EXPECT_TRUE(audit_ok());
}

/* Nothing else can be had, so the request must get what waits. */
TEST_F(QuarantineTest, WhoIsShortOfPagesGetsWhatWaits)
{
	boot(2);
	std::vector<vm_page_t> rest;
	std::vector<vm_offset_t> mine;

	for (unsigned i = 0; i < 8; i++)
		mine.push_back(take());
	while (vm_page_t m = vm_page_alloc(nullptr, 0, VM_ALLOC_SYSTEM | VM_ALLOC_NOOBJ))
		rest.push_back(m);
	ASSERT_EQ(kmem_malloc(kmem_map, PAGE_SIZE, M_NOWAIT), 0u);
	for (vm_offset_t addr : mine)
		kmem_free(kmem_map, addr, PAGE_SIZE);
	for (vm_offset_t &addr : mine) {
		addr = kmem_malloc(kmem_map, PAGE_SIZE, M_NOWAIT);
		EXPECT_NE(addr, 0u);
	}
	for (vm_offset_t addr : mine)
		kmem_free(kmem_map, addr, PAGE_SIZE);
	for (vm_page_t m : rest)
		vm_page_free(m);
	EXPECT_TRUE(audit_ok());
}

TEST_F(QuarantineTest, WhoIsShortOfAddressesGetsWhatWaits)
{
	map_sizes_.kmem = 64 * PAGE_SIZE;
	boot(2);
	vm_size_t size = kmem_map->max_offset - kmem_map->min_offset;

	for (unsigned i = 0; i < 40; i++) {
		vm_offset_t addr = kmem_malloc(kmem_map, size / 2, M_NOWAIT);

		ASSERT_NE(addr, 0u) << i;
		kmem_free(kmem_map, addr, size / 2);
	}
	EXPECT_TRUE(audit_ok());
}

TEST_F(QuarantineTest, WhatCannotWaitIsFreedAtOnce)
{
	boot(2);
	vm_offset_t large = kmem_alloc(kernel_map, 2 * SUPERPAGE_SIZE);
	vm_offset_t attr = kmem_alloc_attr(kernel_map, PAGE_SIZE, M_WAITOK, 0, ~(vm_paddr_t)0,
					   VM_MEMATTR_UNCACHEABLE);
	vm_offset_t space = kmem_alloc_nofault(kernel_map, PAGE_SIZE);
	vm_page_t m = vm_page_alloc(nullptr, 0, VM_ALLOC_SYSTEM | VM_ALLOC_NOOBJ);

	ASSERT_TRUE(large != 0 && attr != 0 && space != 0 && m != nullptr);
	pmap_qenter(space, &m, 1);
	kmem_free(kernel_map, space, PAGE_SIZE);
	kmem_free(kernel_map, attr, PAGE_SIZE);
	kmem_free(kernel_map, large, 2 * SUPERPAGE_SIZE);
	EXPECT_EQ(kmem_quarantine_pages(), 0u);
	vm_page_free(m);
	EXPECT_TRUE(audit_ok());
}

TEST_F(QuarantineTest, KernelMapWaitsAsWellAndMisusesAreRefused)
{
	boot(2);
	vm_offset_t addr = kmem_alloc(kernel_map, ptoa(4));
	vm_offset_t in_kmem = take();

	kmem_free_set_strict(false);
	uint64_t refused = kmem_free_refused_count();
	kmem_free(kernel_map, in_kmem, PAGE_SIZE);
	kmem_free(kmem_map, addr, PAGE_SIZE);
	EXPECT_EQ(kmem_free_refused_count(), refused + 2);
	kmem_free_set_strict(true);
	/* A part of an allocation is fine. */
	kmem_free(kernel_map, addr + PAGE_SIZE, ptoa(2));
	EXPECT_EQ(kmem_quarantine_pages(), 2u);
	kmem_free(kernel_map, addr, PAGE_SIZE);
	kmem_free(kernel_map, addr + ptoa(3), PAGE_SIZE);
	kmem_free(kmem_map, in_kmem, PAGE_SIZE);
	EXPECT_EQ(kmem_quarantine_pages(), 5u);
	EXPECT_TRUE(audit_ok());
}

TEST_F(QuarantineTest, WithoutMemoryForABatchTheFreeIsImmediate)
{
	boot(2);
	struct host_fault_plan plan = {HOST_FAULT_FROM_NTH, 1, 0, "kmem_quarantine"};
	vm_offset_t addr = take();

	host_fault_arm(&plan);
	kmem_free(kmem_map, addr, PAGE_SIZE);
	host_fault_disarm();
	EXPECT_EQ(kmem_quarantine_pages(), 0u);
	EXPECT_EQ(kmem_map->nentries, 0u);
	EXPECT_TRUE(audit_ok());
}

TEST_F(QuarantineTest, TheSwitchFlushesAndEverythingGoesOn)
{
	boot(2);
	vm_offset_t addr = take();
	char text[SYSCTL_TEXT_MAX];

	kmem_free(kmem_map, addr, PAGE_SIZE);
	ASSERT_EQ(sysctl_write("vm.tlb.immediate", "1"), SYSCTL_OK);
	EXPECT_EQ(kmem_quarantine_pages(), 0u);
	uint64_t asked = shootdowns();
	kmem_free(kmem_map, take(), PAGE_SIZE);
	EXPECT_EQ(kmem_quarantine_pages(), 0u);
	EXPECT_EQ(shootdowns(), asked + 1);
	ASSERT_EQ(sysctl_write("vm.tlb.immediate", "0"), SYSCTL_OK);
	kmem_free(kmem_map, take(), PAGE_SIZE);
	EXPECT_EQ(shootdowns(), asked + 1);
	ASSERT_EQ(sysctl_read("vm.quarantine.pages", text, sizeof(text)), SYSCTL_OK);
	EXPECT_EQ(atoi(text), 1);
}

/* The same requests, one policy and the other: the same answers and the same memory in use. */
TEST_F(QuarantineTest, ThePolicyChangesNoResult)
{
	std::vector<uint64_t> answers[2];

	for (bool immediate : {false, true}) {
		immediate_frees_ = immediate;
		boot(3, 11);
		std::mt19937 random(7);
		std::vector<std::pair<vm_offset_t, uint64_t>> held;

		for (unsigned i = 0; i < 400; i++) {
			if (random() % 3 != 0) {
				uint64_t npages = 1 + random() % 20;
				vm_offset_t addr =
				    kmem_malloc(kmem_map, ptoa(npages), M_NOWAIT | M_ZERO);

				answers[immediate].push_back(addr != 0);
				if (addr == 0)
					continue;
				answers[immediate].push_back(host_load64(addr));
				host_store64(addr, ~UINT64_C(0));
				held.emplace_back(addr, npages);
			} else if (!held.empty()) {
				auto [addr, npages] = held.back();

				held.pop_back();
				kmem_free(kmem_map, addr, ptoa(npages));
			}
			answers[immediate].push_back(allocated());
		}
		EXPECT_TRUE(audit_ok());
		shut_down();
	}
	EXPECT_EQ(answers[0], answers[1]);
}

} // namespace
