/* SPDX-License-Identifier: BSD-2-Clause */
#include <atomic>

#include "kernel/sched/sleepq.h"
#include "tests/host/vm/vm_fixture.h"
#include "vm/pmap.h"
#include "vm/vm_map_private.h"
#include "vm/vm_object.h"
#include "vm/vm_swap.h"

namespace
{

class KmemMapsTest : public quire::VmTest
{
};

TEST_F(KmemMapsTest, FiveMapsAreThereAndNested)
{
	boot(1);
	for (vm_map_t map : {kmem_map, exec_map, pipe_map, buffer_map}) {
		vm_map_entry_t entry;

		ASSERT_NE(map, nullptr);
		vm_map_lock(kernel_map);
		ASSERT_TRUE(vm_map_lookup_entry(kernel_map, map->min_offset, &entry));
		EXPECT_TRUE(entry->eflags & MAP_ENTRY_IS_SUB_MAP);
		EXPECT_EQ(entry->object.sub_map, map);
		EXPECT_EQ(entry->start, map->min_offset);
		EXPECT_EQ(entry->end, map->max_offset);
		EXPECT_EQ(map->pmap, kernel_pmap);
		vm_map_unlock(kernel_map);
	}
	EXPECT_EQ(kmem_map->system_map, 1);
	EXPECT_EQ(buffer_map->system_map, 1);
	EXPECT_EQ(exec_map->system_map, 0);
	EXPECT_EQ(pipe_map->system_map, 0);
	EXPECT_TRUE(audit_ok());
}

TEST_F(KmemMapsTest, SizesCanBeGiven)
{
	map_sizes_ = {64 << 20, 1 << 20, 3 << 20, 5 << 20};
	boot(1);
	EXPECT_EQ(kmem_map->max_offset - kmem_map->min_offset, 64u << 20);
	EXPECT_EQ(exec_map->max_offset - exec_map->min_offset, 1u << 20);
	EXPECT_EQ(pipe_map->max_offset - pipe_map->min_offset, 3u << 20);
	EXPECT_EQ(buffer_map->max_offset - buffer_map->min_offset, 5u << 20);
}

TEST_F(KmemMapsTest, SuballocAlignsWhenAsked)
{
	vm_offset_t min = 0, max = 0;

	boot(1);
	ASSERT_NE(kmem_alloc(kernel_map, PAGE_SIZE), 0u);
	vm_map_t map = kmem_suballoc(kernel_map, &min, &max, 4 * SUPERPAGE_SIZE, true);

	EXPECT_EQ(min % SUPERPAGE_SIZE, 0u);
	EXPECT_EQ(max - min, 4 * SUPERPAGE_SIZE);
	EXPECT_EQ(map->min_offset, min);
	EXPECT_EQ(map->system_map, 0);
	EXPECT_TRUE(audit_ok());
}

TEST_F(KmemMapsTest, SubmapsAreNeverDeletedWithTheirParent)
{
	boot(1);
	EXPECT_EQ(vm_map_remove(kernel_map, exec_map->min_offset, exec_map->max_offset),
		  KERN_INVALID_ARGUMENT);
	EXPECT_EQ(vm_map_protect(kernel_map, exec_map->min_offset, exec_map->max_offset,
				 VM_PROT_READ, false),
		  KERN_INVALID_ARGUMENT);
	EXPECT_EQ(vm_map_wire(kernel_map, exec_map->min_offset, exec_map->max_offset, 0),
		  KERN_INVALID_ADDRESS);
	EXPECT_TRUE(audit_ok());
}

TEST_F(KmemMapsTest, SubmapWantsAnExactUnusedEntry)
{
	boot(1);
	vm_offset_t addr = kmem_alloc(kernel_map, 4 * PAGE_SIZE);
	vm_map_t map = vm_map_create(kernel_pmap, "sub", addr, addr + 4 * PAGE_SIZE);

	EXPECT_EQ(vm_map_submap(kernel_map, addr, addr + 4 * PAGE_SIZE, map),
		  KERN_INVALID_ARGUMENT);
	EXPECT_EQ(vm_map_submap(kernel_map, addr + SUPERPAGE_SIZE * 64,
				addr + SUPERPAGE_SIZE * 64 + PAGE_SIZE, map),
		  KERN_INVALID_ARGUMENT);
	EXPECT_TRUE(audit_ok());
}

using KmemMapsDeathTest = KmemMapsTest;

TEST_F(KmemMapsDeathTest, SuballocFailuresNameThemselves)
{
	vm_offset_t min, max;
	struct host_fault_plan plan = {};

	boot(1);
	EXPECT_DEATH(kmem_suballoc(kernel_map, &min, &max, UINT64_C(1) << 46, false),
		     "kmem_suballoc: no range of 0x400000000000 bytes in kernel_map");
	EXPECT_DEATH(kmem_suballoc(kernel_map, &min, &max, 0, false),
		     "kmem_suballoc: a map of 0 bytes is impossible");
	plan.policy = HOST_FAULT_NTH;
	plan.nth = 1;
	plan.site = "vm_map_create";
	host_fault_arm(&plan);
	EXPECT_DEATH(kmem_suballoc(kernel_map, &min, &max, PAGE_SIZE, false),
		     "kmem_suballoc: no memory for a map");
	host_fault_disarm();
}

TEST_F(KmemMapsDeathTest, FreeAcrossASubmapIsDiagnosed)
{
	boot(1);
	EXPECT_DEATH(kmem_free(kernel_map, exec_map->min_offset, PAGE_SIZE), "kmem_free.*exec_map");
	EXPECT_DEATH(kmem_free(exec_map, kernel_map->min_offset, PAGE_SIZE), "outside exec_map");
}

TEST_F(KmemMapsTest, ZeroRegionReadsAsZeroEverywhere)
{
	boot(1);
	vm_offset_t zero = (vm_offset_t)zero_region;

	for (vm_size_t at = 0; at < ZERO_REGION_SIZE; at += PAGE_SIZE)
		ASSERT_EQ(host_load64(zero + at), 0u);
	EXPECT_EQ(pmap_kextract(zero), pmap_kextract(zero + ZERO_REGION_SIZE - PAGE_SIZE));
	EXPECT_FALSE(host_store_nofault(zero, "x", 1));
	EXPECT_EQ(vm_map_protect(kernel_map, zero, zero + PAGE_SIZE, VM_PROT_RW, false),
		  KERN_PROTECTION_FAILURE);
	EXPECT_TRUE(audit_ok());
}

TEST_F(KmemMapsDeathTest, WriteToTheZeroRegionNamesIt)
{
	boot(1);
	EXPECT_DEATH(host_store64((vm_offset_t)zero_region + 8, 1), "zero region");
}

TEST_F(KmemMapsTest, ProtectTakesRightsAwayOnEveryCpu)
{
	boot(3);
	vm_offset_t addr = kmem_alloc(kernel_map, 3 * PAGE_SIZE);

	on_all_cpus([addr](unsigned cpu) { host_store64(addr + PAGE_SIZE, cpu); });
	ASSERT_EQ(
	    vm_map_protect(kernel_map, addr + PAGE_SIZE, addr + 2 * PAGE_SIZE, VM_PROT_READ, false),
	    KERN_SUCCESS);
	on_all_cpus([addr](unsigned) {
		EXPECT_FALSE(host_store_nofault(addr + PAGE_SIZE, "x", 1));
		EXPECT_TRUE(host_store_nofault(addr, "x", 1));
	});
	ASSERT_EQ(vm_map_protect(kernel_map, addr, addr + 3 * PAGE_SIZE, VM_PROT_NONE, false),
		  KERN_SUCCESS);
	on_all_cpus([addr](unsigned) {
		char c;

		EXPECT_FALSE(host_load_nofault(addr, &c, 1));
	});
	ASSERT_EQ(vm_map_protect(kernel_map, addr, addr + 3 * PAGE_SIZE, VM_PROT_RW, false),
		  KERN_SUCCESS);
	on_all_cpus([addr](unsigned) { EXPECT_TRUE(host_store_nofault(addr, "x", 1)); });
	EXPECT_TRUE(audit_ok());
	kmem_free(kernel_map, addr, 3 * PAGE_SIZE);
	EXPECT_TRUE(audit_ok());
}

TEST_F(KmemMapsTest, ProtectRefusesWhatIsNotAllowed)
{
	boot(1);
	vm_offset_t addr = kmem_alloc(kernel_map, 2 * PAGE_SIZE);

	EXPECT_EQ(vm_map_protect(kernel_map, addr, addr + PAGE_SIZE, VM_PROT_ALL, false),
		  KERN_PROTECTION_FAILURE);
	EXPECT_EQ(vm_map_protect(kernel_map, addr, addr + 64 * SUPERPAGE_SIZE, VM_PROT_READ, false),
		  KERN_INVALID_ADDRESS);
	EXPECT_EQ(vm_map_protect(kernel_map, exec_map->min_offset, exec_map->min_offset + PAGE_SIZE,
				 VM_PROT_READ, false),
		  KERN_INVALID_ARGUMENT);
	ASSERT_EQ(vm_map_protect(kernel_map, addr, addr + PAGE_SIZE, VM_PROT_READ, true),
		  KERN_SUCCESS);
	EXPECT_EQ(vm_map_protect(kernel_map, addr, addr + PAGE_SIZE, VM_PROT_RW, false),
		  KERN_PROTECTION_FAILURE);
	EXPECT_EQ(vm_map_protect(kernel_map, addr, addr, VM_PROT_READ, false),
		  KERN_INVALID_ADDRESS);
	EXPECT_TRUE(audit_ok());
}

TEST_F(KmemMapsTest, AllocWaitReservesSwapAndReturnsIt)
{
	boot(1);
	vm_size_t before = swap_reserved();
	vm_offset_t addr = kmem_alloc_wait(exec_map, 5 * PAGE_SIZE);

	ASSERT_NE(addr, 0u);
	EXPECT_EQ(swap_reserved(), before + 5 * PAGE_SIZE);
	EXPECT_TRUE(audit_ok());
	kmem_free_wakeup(exec_map, addr, 5 * PAGE_SIZE);
	EXPECT_EQ(swap_reserved(), before);
	swap_set_limit(before + 2 * PAGE_SIZE);
	EXPECT_EQ(kmem_alloc_wait(exec_map, 3 * PAGE_SIZE), 0u);
	EXPECT_EQ(swap_reserved(), before);
	addr = kmem_alloc_wait(exec_map, 2 * PAGE_SIZE);
	EXPECT_NE(addr, 0u);
	kmem_free_wakeup(exec_map, addr, 2 * PAGE_SIZE);
}

TEST_F(KmemMapsTest, AllocWaitRefusesWhatTheMapCouldNeverHold)
{
	boot(1);
	vm_size_t map_size = exec_map->max_offset - exec_map->min_offset;

	EXPECT_EQ(kmem_alloc_wait(exec_map, map_size + PAGE_SIZE), 0u);
	EXPECT_EQ(kmem_alloc_wait(exec_map, 0), 0u);
	EXPECT_EQ(kmem_alloc_wait(exec_map, ~vm_size_t(0)), 0u);
	EXPECT_EQ(swap_reserved(), 0u);
	vm_offset_t all = kmem_alloc_wait(exec_map, map_size);
	EXPECT_EQ(all, exec_map->min_offset);
	kmem_free_wakeup(exec_map, all, map_size);
}

TEST_F(KmemMapsTest, AllocWaitGoesOnWhenAMapEntryIsShortForAMoment)
{
	struct host_fault_plan plan = {};

	boot(1);
	plan.policy = HOST_FAULT_NTH;
	plan.nth = 1;
	plan.site = "vm_map_insert";
	host_fault_arm(&plan);
	vm_offset_t addr = kmem_alloc_wait(exec_map, PAGE_SIZE);
	EXPECT_EQ(host_fault_failures(), 1u);
	host_fault_disarm();
	ASSERT_NE(addr, 0u);
	EXPECT_EQ(exec_map->needs_wakeup, 0);
	EXPECT_TRUE(audit_ok());
	kmem_free_wakeup(exec_map, addr, PAGE_SIZE);
	EXPECT_EQ(swap_reserved(), 0u);
}

TEST_F(KmemMapsTest, AllocWaitServesFirstComeFirstServed)
{
	map_sizes_.exec = 8 * PAGE_SIZE;
	boot(4);
	vm_offset_t first = kmem_alloc_wait(exec_map, 4 * PAGE_SIZE);
	vm_offset_t second = kmem_alloc_wait(exec_map, 4 * PAGE_SIZE);
	std::vector<int> order;
	std::vector<std::unique_ptr<quire::TestThread>> waiters;
	auto enqueue = [&](unsigned cpu, int id, vm_size_t size) {
		waiters.push_back(std::make_unique<quire::TestThread>(cpu, [&order, id, size] {
			vm_offset_t addr = kmem_alloc_wait(exec_map, size);

			order.push_back(id);
			kmem_free_wakeup(exec_map, addr, size);
		}));
		auto queued = [] {
			unsigned n = 0;
			struct vm_map_waiter *w;

			vm_map_lock(exec_map);
			TAILQ_FOREACH (w, &exec_map->waiters, link)
				n++;
			vm_map_unlock(exec_map);
			return n;
		};
		while (queued() != waiters.size())
			thread_sleep_ns(1000000);
	};

	enqueue(1, 1, 6 * PAGE_SIZE); /* the large one came first */
	enqueue(2, 2, PAGE_SIZE);
	enqueue(3, 3, PAGE_SIZE);
	/* Room for the small ones only: nobody passes. */
	kmem_free_wakeup(exec_map, first, 4 * PAGE_SIZE);
	thread_sleep_ns(30000000);
	EXPECT_TRUE(order.empty());
	kmem_free_wakeup(exec_map, second, 4 * PAGE_SIZE);
	for (auto &waiter : waiters)
		waiter->join();
	ASSERT_EQ(order.size(), 3u);
	EXPECT_EQ(order[0], 1);
	EXPECT_EQ(exec_map->needs_wakeup, 0);
	EXPECT_EQ(swap_reserved(), 0u);
	EXPECT_TRUE(audit_ok());
}

TEST_F(KmemMapsTest, AllocWaitSleepsForASystemMapToo)
{
	boot(2);
	vm_size_t size = buffer_map->max_offset - buffer_map->min_offset;
	vm_offset_t all = kmem_alloc_wait(buffer_map, size), got = 0;

	ASSERT_NE(all, 0u);
	quire::TestThread waiter(1, [&] { got = kmem_alloc_wait(buffer_map, size); });
	while (buffer_map->needs_wakeup == 0)
		thread_sleep_ns(1000000);
	kmem_free_wakeup(buffer_map, all, size);
	waiter.join();
	EXPECT_EQ(got, all);
	kmem_free_wakeup(buffer_map, got, size);
	EXPECT_EQ(swap_reserved(), 0u);
	EXPECT_TRUE(audit_ok());
}

TEST_F(KmemMapsTest, ManyWaitersOfAllSizesFinish)
{
	for (unsigned cpus : {1u, 2u, 3u, 4u, 8u}) {
		for (uint64_t seed = 1; seed <= 15; seed++) {
			struct host_config config = {};

			map_sizes_.exec = 10 * PAGE_SIZE;
			config.cpus = cpus;
			config.seed = seed;
			config.switch_ppm = 20000;
			boot(config);
			on_all_cpus([](unsigned cpu) {
				for (unsigned i = 0; i < 10; i++) {
					vm_size_t size = ptoa(1 + (cpu * 3 + i) % 9);
					vm_offset_t addr = kmem_alloc_wait(exec_map, size);

					ASSERT_NE(addr, 0u);
					thread_yield();
					kmem_free_wakeup(exec_map, addr, size);
				}
			});
			EXPECT_EQ(exec_map->nentries, 0u);
			EXPECT_EQ(swap_reserved(), 0u);
			ASSERT_TRUE(audit_ok()) << "cpus " << cpus << " seed " << seed;
			shut_down();
		}
	}
}

} // namespace
