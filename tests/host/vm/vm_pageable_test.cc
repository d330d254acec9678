/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm/vm_pageable.h"

#include <algorithm>

#include "arch/physmap.h"
#include "tests/host/vm/pageable_fixture.h"
#include "vm/vm_pageout.h"

namespace
{

class VmPageableTest : public quire::PageableTest
{
      protected:
	static struct vm_pageable_stats stats()
	{
		struct vm_pageable_stats stats;

		vm_pageable_stats(&stats);
		return stats;
	}

	/* The entry of va in its leaf table. */
	static const volatile void *small_entry(vm_offset_t va)
	{
		vm_paddr_t table = kernel_pmap->root;

		for (unsigned level = MMU_LEVELS;; level--) {
			auto *entry =
			    static_cast<pte_t *>(arch_physmap(table)) + MMU_INDEX(va, level);
			if (level == 1)
				return entry;
			table = *entry & PTE_ADDRESS;
		}
	}

	/* Which of the pages are mapped, as a string of 0 and 1. */
	static std::string mapped_pages(vm_offset_t addr, vm_size_t pages)
	{
		std::string text;

		for (vm_size_t i = 0; i < pages; i++)
			text += mapped(addr + ptoa(i), 1) != 0 ? '1' : '0';
		return text;
	}
};

using VmPageableDeathTest = VmPageableTest;

TEST_F(VmPageableTest, PagesThatWereOnlyReadAreTaken)
{
	boot(1);
	uint64_t before = pages_in_use();
	vm_offset_t addr = alloc(40);

	read_pages(addr, 40);
	EXPECT_EQ(pages_in_use(), before + 40);
	EXPECT_EQ(vm_pageable_scan(UINT64_MAX), 40u);
	EXPECT_EQ(pages_in_use(), before);
	EXPECT_EQ(mapped(addr, 40), 0u);
	EXPECT_TRUE(audit_ok());
	read_pages(addr, 40);
	host_store64(addr, 1);
	EXPECT_EQ(host_load64(addr), 1u);
	EXPECT_TRUE(audit_ok());
	free(addr, 40);
	EXPECT_EQ(vm_pageable_scan(UINT64_MAX), 0u);
}

TEST_F(VmPageableTest, PagesThatWereWrittenStay)
{
	boot(1);
	vm_offset_t addr = alloc(16);

	read_pages(addr, 16);
	for (unsigned i = 0; i < 16; i += 2)
		host_store64(addr + ptoa(i), i + 100);
	EXPECT_EQ(vm_pageable_scan(UINT64_MAX), 8u);
	EXPECT_EQ(mapped_pages(addr, 16), "1010101010101010");
	for (unsigned i = 0; i < 16; i++)
		EXPECT_EQ(host_load64(addr + ptoa(i)), i % 2 == 0 ? i + 100u : 0u);
	EXPECT_TRUE(audit_ok());
	free(addr, 16);
}

/* A page may be written with the zeroes that it has; it counts as written nevertheless. */
TEST_F(VmPageableTest, WritingZeroesIsWriting)
{
	boot(1);
	vm_offset_t addr = alloc(1);

	host_store64(addr, 0);
	EXPECT_EQ(vm_pageable_scan(UINT64_MAX), 0u);
	free(addr, 1);
}

TEST_F(VmPageableTest, NoMoreThanWantedIsTakenAndTheHandGoesOn)
{
	boot(1);
	vm_offset_t addr = alloc(8);

	read_pages(addr, 8);
	EXPECT_EQ(vm_pageable_scan(0), 0u);
	EXPECT_EQ(vm_pageable_scan(3), 3u);
	EXPECT_EQ(mapped(addr, 8), 5u);
	EXPECT_EQ(vm_pageable_scan(3), 3u);
	EXPECT_EQ(vm_pageable_scan(3), 2u);
	EXPECT_EQ(vm_pageable_scan(3), 0u);
	EXPECT_TRUE(audit_ok());
	free(addr, 8);
}

TEST_F(VmPageableTest, WhatIsTouchedGetsASecondChance)
{
	boot(1);
	vm_offset_t addr = alloc(8);

	/* All are touched: the first round takes nothing, the second begins where the hand is. */
	read_pages(addr, 8);
	EXPECT_EQ(vm_pageable_scan(4), 4u);
	std::string left = mapped_pages(addr, 8);
	size_t first = left.find('1');
	ASSERT_EQ(std::count(left.begin(), left.end(), '1'), 4);

	/* Two of those that are left are touched, by a CPU that remembers nothing of them. */
	arch_tlb_flush();
	EXPECT_EQ(host_load64(addr + ptoa(first)), 0u);
	EXPECT_EQ(host_load64(addr + ptoa(first + 1)), 0u);
	EXPECT_EQ(vm_pageable_scan(2), 2u);
	EXPECT_EQ(mapped(addr + ptoa(first), 2), 2u);
	EXPECT_TRUE(audit_ok());
	free(addr, 8);
}

/* No CPU was told that the accessed flag was cleared, so the page looks idle, and is refetched. */
TEST_F(VmPageableTest, AStaleAccessedFlagCostsNoMoreThanAFault)
{
	boot(2);
	vm_offset_t addr = alloc(1);

	on_all_cpus([addr](unsigned) { EXPECT_EQ(host_load64(addr), 0u); });
	EXPECT_TRUE(host_tlb_find(1, addr, nullptr));
	{
		quire::BusyCpus busy;

		EXPECT_EQ(vm_pageable_scan(1), 1u);
		EXPECT_FALSE(host_tlb_find(1, addr, nullptr));
	}
	on_all_cpus([addr](unsigned) { EXPECT_EQ(host_load64(addr), 0u); });
	host_assert_no_translation(addr + PAGE_SIZE, addr + 2 * PAGE_SIZE);
	EXPECT_TRUE(audit_ok());
	free(addr, 1);
}

TEST_F(VmPageableTest, WiredPagesStayAndCountAsWrittenAfterwards)
{
	boot(1);
	vm_offset_t addr = alloc(4);

	read_pages(addr, 4);
	ASSERT_EQ(vm_map_wire(pipe_map, addr + ptoa(1), addr + ptoa(3), 0), KERN_SUCCESS);
	EXPECT_EQ(vm_pageable_scan(UINT64_MAX), 2u);
	EXPECT_EQ(mapped_pages(addr, 4), "0110");
	ASSERT_EQ(vm_map_unwire(pipe_map, addr + ptoa(1), addr + ptoa(3), 0), KERN_SUCCESS);
	EXPECT_EQ(vm_pageable_scan(UINT64_MAX), 0u);
	EXPECT_TRUE(audit_ok());
	free(addr, 4);
}

TEST_F(VmPageableTest, APageWiredByItselfStays)
{
	boot(1);
	vm_offset_t addr = alloc(1);
	vm_page_t m;

	read_pages(addr, 1);
	m = PHYS_TO_VM_PAGE(pmap_kextract(addr));
	VM_OBJECT_WLOCK(m->object);
	vm_page_wire(m);
	VM_OBJECT_WUNLOCK(m->object);
	EXPECT_EQ(vm_pageable_scan(UINT64_MAX), 0u);
	VM_OBJECT_WLOCK(m->object);
	vm_page_unwire(m);
	VM_OBJECT_WUNLOCK(m->object);
	EXPECT_EQ(vm_pageable_scan(UINT64_MAX), 1u);
	free(addr, 1);
}

TEST_F(VmPageableTest, RangesThatSomebodyWorksOnArePassedOver)
{
	boot(1);
	vm_offset_t addr = alloc(1), other = kmem_alloc_wait(exec_map, PAGE_SIZE);

	read_pages(addr, 1);
	read_pages(other, 1);
	vm_map_lock(pipe_map);
	ASSERT_EQ(map_transition_begin(pipe_map, addr, addr + PAGE_SIZE, VM_POOL_NORMAL),
		  KERN_SUCCESS);
	vm_map_unlock(pipe_map);
	EXPECT_EQ(vm_pageable_scan(UINT64_MAX), 1u);
	EXPECT_EQ(mapped(addr, 1), 1u);
	vm_map_lock(pipe_map);
	map_transition_end(pipe_map, addr, addr + PAGE_SIZE);
	vm_map_unlock(pipe_map);
	EXPECT_EQ(vm_pageable_scan(UINT64_MAX), 1u);
	free(addr, 1);
	kmem_free_wakeup(exec_map, other, PAGE_SIZE);
}

TEST_F(VmPageableTest, AllMapsAreVisitedInTurn)
{
	boot(1);
	vm_offset_t min, max, inner_min, inner_max, addr[4];
	vm_map_t outer = kmem_suballoc(kernel_map, &min, &max, ptoa(64), false);
	vm_map_t inner = kmem_suballoc(outer, &inner_min, &inner_max, ptoa(16), false);
	vm_map_t maps[4] = {kernel_map, exec_map, outer, inner};

	for (unsigned i = 0; i < 4; i++) {
		addr[i] = maps[i]->min_offset;
		ASSERT_EQ(vm_map_find(maps[i], nullptr, 0, &addr[i], ptoa(2), VMFS_ANY_SPACE,
				      VM_PROT_RW, VM_PROT_ALL, 0),
			  KERN_SUCCESS);
		read_pages(addr[i], 2);
	}
	for (unsigned i = 0; i < 8; i++)
		EXPECT_EQ(vm_pageable_scan(1), 1u);
	for (unsigned i = 0; i < 4; i++) {
		EXPECT_EQ(mapped(addr[i], 2), 0u) << i;
		vm_map_remove(maps[i], addr[i], addr[i] + ptoa(2));
	}
	EXPECT_TRUE(audit_ok());
}

TEST_F(VmPageableTest, LargeRangesAreWorkedOnInWindows)
{
	vm_offset_t addr;

	map_sizes_.pipe = 16 << 20;
	boot(1);
	addr = alloc(2000);
	for (unsigned i = 0; i < 2000; i += 7)
		read_pages(addr + ptoa(i), 1);
	EXPECT_EQ(vm_pageable_scan(UINT64_MAX), (2000u + 6) / 7);
	EXPECT_EQ(pipe_map->nentries, 1u);
	EXPECT_TRUE(audit_ok());
	free(addr, 2000);
}

TEST_F(VmPageableTest, NothingThatItDoesNeedsMemory)
{
	boot(1);
	vm_offset_t addr = alloc(64);

	read_pages(addr, 64);
	ASSERT_EQ(vm_map_wire(pipe_map, addr + ptoa(30), addr + ptoa(32), 0), KERN_SUCCESS);
	std::vector<vm_page_t> pages = take_all_pages();
	fail(1, HOST_FAULT_FROM_NTH);
	EXPECT_EQ(vm_pageable_scan(UINT64_MAX), 62u);
	EXPECT_EQ(host_fault_calls(), 0u);
	host_fault_disarm();
	give_back(&pages);
	EXPECT_TRUE(audit_ok());
	free(addr, 64);
}

TEST_F(VmPageableTest, CountsWhatItDoes)
{
	boot(1);
	vm_offset_t addr = alloc(4);
	struct vm_pageable_stats before = stats(), after;

	read_pages(addr, 4);
	host_store64(addr, 1);
	EXPECT_EQ(vm_pageable_scan(UINT64_MAX), 3u);
	after = stats();
	EXPECT_EQ(after.taken - before.taken, 3u);
	EXPECT_EQ(after.looked - before.looked, 4u + 4u); /* two rounds */
	EXPECT_EQ(after.idle - before.idle, 3u + 3u);
	EXPECT_EQ(after.put_back - before.put_back, 0u);
	free(addr, 4);
}

/* --- A CPU writes at the worst moment --- */

/*
 * Writes to the page at the nth time that its page-table entry is looked at or changed, as another
 * CPU's store in that moment would.
 */
struct intruder {
	vm_offset_t va;
	const volatile void *entry;
	unsigned nth, seen;
	bool wrote;
};

void intrude(enum arch_hook_kind kind, const volatile void *where, void *ctx)
{
	auto *intruder = static_cast<struct intruder *>(ctx);
	uint64_t word = 77;

	if (kind == ARCH_HOOK_PTE && where == intruder->entry && ++intruder->seen == intruder->nth)
		intruder->wrote = host_store_nofault(intruder->va, &word, sizeof(word));
}

/* No moment exists at which a write that was made is lost, whatever is going on with the page. */
TEST_F(VmPageableTest, AWriteAtAnyMomentIsNeverLost)
{
	const std::vector<std::function<void(vm_offset_t)>> operations = {
	    [](vm_offset_t) { (void)vm_pageable_scan(UINT64_MAX); },
	    [](vm_offset_t va) {
		    EXPECT_EQ(vm_map_protect(pipe_map, va, va + PAGE_SIZE, VM_PROT_READ, false),
			      KERN_SUCCESS);
	    },
	    [](vm_offset_t va) {
		    EXPECT_EQ(vm_map_protect(pipe_map, va, va + PAGE_SIZE, VM_PROT_NONE, false),
			      KERN_SUCCESS);
	    },
	    [](vm_offset_t va) {
		    EXPECT_EQ(vm_map_wire(pipe_map, va, va + PAGE_SIZE, 0), KERN_SUCCESS);
		    EXPECT_EQ(vm_map_unwire(pipe_map, va, va + PAGE_SIZE, 0), KERN_SUCCESS);
	    },
	};
	uint64_t put_back;

	boot(2);
	put_back = stats().put_back;
	for (auto &operation : operations) {
		unsigned writes = 0;

		for (unsigned nth = 1;; nth++) {
			struct intruder intruder = {alloc(1), nullptr, nth, 0, false};

			read_pages(intruder.va, 1);
			intruder.entry = small_entry(intruder.va);
			host_set_watch(intrude, &intruder);
			operation(intruder.va);
			host_set_watch(nullptr, nullptr);
			writes += intruder.wrote;

			EXPECT_EQ(vm_map_protect(pipe_map, intruder.va, intruder.va + PAGE_SIZE,
						 VM_PROT_RW, false),
				  KERN_SUCCESS);
			(void)vm_pageable_scan(UINT64_MAX);
			on_all_cpus([&](unsigned) {
				EXPECT_EQ(host_load64(intruder.va), intruder.wrote ? 77u : 0u)
				    << nth;
			});
			EXPECT_TRUE(audit_ok());
			free(intruder.va, 1);
			if (intruder.seen < nth)
				break;
		}
		EXPECT_GT(writes, 0u);
	}
	EXPECT_GT(stats().put_back, put_back);
}

TEST_F(VmPageableDeathTest, AWriteBehindThePageTablesBackIsFound)
{
	boot(1);
	vm_offset_t addr = alloc(1);

	read_pages(addr, 1);
	*static_cast<uint64_t *>(arch_physmap(pmap_kextract(addr) + 16)) = 0x123;
	EXPECT_DEATH(vm_pageable_scan(1), "was never written, but has 0x123 at offset 0x10");
}

/* --- With the rest of reclaim --- */

TEST_F(VmPageableTest, TheDaemonsWorkTakesPages)
{
	boot(1);
	vm_offset_t addr = alloc(100);

	read_pages(addr, 100);
	EXPECT_GE(vm_pageout_grow_cache(2, 0, UINT64_MAX), 100u);
	EXPECT_EQ(mapped(addr, 100), 0u);
	EXPECT_TRUE(audit_ok());
	free(addr, 100);
}

/* More is read than there is memory: pages that were read make room for those to come. */
TEST_F(VmPageableTest, ReadingMoreThanMemoryHoldsComesToAnEnd)
{
	struct host_config config = {};
	vm_size_t pages = 12 << 8; /* 12 MiB */
	bool done = false;
	vm_offset_t addr;

	config.cpus = 2;
	config.ranges[0] = {1 << 20, 9 << 20, 0};
	config.range_count = 1;
	map_sizes_ = {1 << 20, 1 << 20, 13 << 20, 1 << 20};
	boot(config);
	swap_set_limit(ptoa(pages));
	addr = alloc(pages);
	ASSERT_NE(addr, 0u);
	quire::TestThread reader(1, [&] {
		read_pages(addr, pages);
		done = true;
	});
	while (!done) {
		vm_pageout_pass();
		thread_sleep_ns(10 * 1000 * 1000);
	}
	reader.join();
	EXPECT_LT(mapped(addr, pages), pages);
	EXPECT_TRUE(audit_ok());
	free(addr, pages);
	EXPECT_TRUE(audit_ok());
}

} // namespace
