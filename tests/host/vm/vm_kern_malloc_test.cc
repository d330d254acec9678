/* SPDX-License-Identifier: BSD-2-Clause */
#include <set>

#include "smp/call.h"
#include "tests/host/vm/vm_fixture.h"
#include "vm/pmap.h"
#include "vm/vm_kern_private.h"
#include "vm/vm_map_private.h"
#include "vm/vm_object.h"
#include "vm/vm_page_internal.h"
#include "vm/vm_pageout.h"
#include "vm/vm_phys.h"

namespace
{

class KmemMallocTest : public quire::VmTest
{
      protected:
	static uint64_t pages_in_use()
	{
		struct vm_accounting acc;

		vm_accounting(&acc);
		return acc.allocated;
	}

	/* Takes every page that a class can have; the destructor gives them back. */
	struct Hoard {
		explicit Hoard(int req, size_t most = SIZE_MAX)
		{
			vm_page_t m;

			while (pages.size() < most &&
			       (m = vm_page_alloc(nullptr, 0, req | VM_ALLOC_NOOBJ)) != nullptr)
				pages.push_back(m);
		}
		void release(size_t count)
		{
			for (; count > 0 && !pages.empty(); count--) {
				vm_page_free(pages.back());
				pages.pop_back();
			}
		}
		~Hoard()
		{
			release(pages.size());
		}
		std::vector<vm_page_t> pages;
	};
};

TEST_F(KmemMallocTest, GivesWiredMemoryOfKmemObject)
{
	vm_map_entry_t entry;
	vm_offset_t addr;

	boot(1);
	addr = kmem_malloc(kmem_map, 3 * PAGE_SIZE, M_NOWAIT | M_ZERO);
	ASSERT_NE(addr, 0u);
	EXPECT_GE(addr, kmem_map->min_offset);
	EXPECT_LT(addr, kmem_map->max_offset);
	host_store64(addr + 2 * PAGE_SIZE, 5);
	vm_map_lock(kmem_map);
	ASSERT_TRUE(vm_map_lookup_entry(kmem_map, addr, &entry));
	EXPECT_EQ(entry->object.vm_object, kmem_object);
	EXPECT_EQ(entry->wired_count, 1u);
	vm_map_unlock(kmem_map);
	EXPECT_TRUE(audit_ok());
	kmem_free(kmem_map, addr, 3 * PAGE_SIZE);
	EXPECT_EQ(kmem_map->nentries, 0u);
	EXPECT_TRUE(audit_ok());
}

TEST_F(KmemMallocTest, ZeroesWhenAsked)
{
	struct host_config config = {};

	config.fill_ram = true;
	boot(config);
	for (int round = 0; round < 2; round++) {
		vm_offset_t addr = kmem_malloc(kmem_map, 4 * PAGE_SIZE, M_WAITOK | M_ZERO);

		ASSERT_NE(addr, 0u);
		for (vm_offset_t va = addr; va < addr + 4 * PAGE_SIZE; va += 8)
			ASSERT_EQ(host_load64(va), 0u);
		host_fill(addr, 0xff, 4 * PAGE_SIZE);
		kmem_free(kmem_map, addr, 4 * PAGE_SIZE);
	}
}

TEST_F(KmemMallocTest, NeighboursMergeIntoOneEntry)
{
	boot(1);
	for (int i = 0; i < 20; i++)
		ASSERT_NE(kmem_malloc(kmem_map, PAGE_SIZE, M_NOWAIT), 0u);
	EXPECT_EQ(kmem_map->nentries, 1u);
	EXPECT_TRUE(audit_ok());
}

TEST_F(KmemMallocTest, ExecutableMemoryIsNotWritable)
{
	vm_offset_t addr;

	boot(1);
	addr = kmem_malloc(kmem_map, PAGE_SIZE, M_NOWAIT | M_EXEC);
	ASSERT_NE(addr, 0u);
	EXPECT_TRUE(host_execute_nofault(addr));
	EXPECT_FALSE(host_store_nofault(addr, "x", 1));
	addr = kmem_malloc(kmem_map, PAGE_SIZE, M_NOWAIT);
	EXPECT_FALSE(host_execute_nofault(addr));
	EXPECT_TRUE(host_store_nofault(addr, "x", 1));
	EXPECT_TRUE(audit_ok());
}

TEST_F(KmemMallocTest, SizesThatCannotBeAreRefused)
{
	boot(1);
	for (vm_size_t size :
	     {vm_size_t(0), ~vm_size_t(0), ~vm_size_t(0) - PAGE_SIZE, vm_size_t(1) << 50})
		EXPECT_EQ(kmem_malloc(kmem_map, size, M_NOWAIT), 0u);
	EXPECT_EQ(kmem_map->nentries, 0u);
}

TEST_F(KmemMallocTest, NowaitFailsAtOnceWithoutAddressSpace)
{
	map_sizes_.kmem = 8 * PAGE_SIZE;
	boot(1);
	vm_offset_t addr = kmem_malloc(kmem_map, 8 * PAGE_SIZE, M_NOWAIT);

	ASSERT_NE(addr, 0u);
	EXPECT_EQ(kmem_malloc(kmem_map, PAGE_SIZE, M_NOWAIT), 0u);
	kmem_free(kmem_map, addr + 2 * PAGE_SIZE, PAGE_SIZE);
	EXPECT_EQ(kmem_malloc(kmem_map, PAGE_SIZE, M_NOWAIT), addr + 2 * PAGE_SIZE);
}

TEST_F(KmemMallocTest, WaitokSleepsForAddressSpaceAndIsWokenByTheFree)
{
	map_sizes_.kmem = 8 * PAGE_SIZE;
	boot(2);
	vm_offset_t addr = kmem_malloc(kmem_map, 8 * PAGE_SIZE, M_WAITOK), got = 0;
	uint64_t start_ns = arch_clock_ns();
	quire::TestThread waiter(1, [&] { got = kmem_malloc(kmem_map, PAGE_SIZE, M_WAITOK); });

	while (atomic32_load(&kmem_map->space_waiters, MO_RELAXED) == 0)
		thread_sleep_ns(1000000);
	EXPECT_EQ(got, 0u);
	kmem_free(kmem_map, addr, PAGE_SIZE);
	waiter.join();
	EXPECT_EQ(got, addr);
	/* The first sleep is a quarter of a second: the wake-up came before. */
	EXPECT_LT(arch_clock_ns() - start_ns, UINT64_C(250000000));
}

TEST_F(KmemMallocTest, WaitokSleepsForAddressSpaceOfAMapWithAMutexToo)
{
	map_sizes_.exec = 8 * PAGE_SIZE;
	boot(2);
	vm_offset_t addr = kmem_malloc(exec_map, 8 * PAGE_SIZE, M_WAITOK), got = 0;
	quire::TestThread waiter(1, [&] { got = kmem_malloc(exec_map, PAGE_SIZE, M_WAITOK); });

	while (atomic32_load(&exec_map->space_waiters, MO_RELAXED) == 0)
		thread_sleep_ns(1000000);
	kmem_free(exec_map, addr + 3 * PAGE_SIZE, PAGE_SIZE);
	waiter.join();
	EXPECT_EQ(got, addr + 3 * PAGE_SIZE);
	kmem_free(exec_map, addr, 8 * PAGE_SIZE);
	EXPECT_TRUE(audit_ok());
}

using KmemMallocDeathTest = KmemMallocTest;

TEST_F(KmemMallocDeathTest, WaitokWithoutAddressSpaceEndsWithASummary)
{
	map_sizes_.kmem = 8 * PAGE_SIZE;
	boot(1);
	ASSERT_NE(kmem_malloc(kmem_map, 5 * PAGE_SIZE, M_WAITOK), 0u);
	EXPECT_DEATH(kmem_malloc(kmem_map, 4 * PAGE_SIZE, M_WAITOK),
		     "kmem_map too small: 16384 bytes wanted; 12288 of 32768 bytes free in 1 "
		     "entries, largest hole 12288; largest: .*kmem_object");
}

TEST_F(KmemMallocTest, LowMemoryHandlersRunBeforeItSleepsForAddresses)
{
	struct Keeper {
		vm_offset_t addr;
		unsigned calls;
	} keeper = {0, 0};
	eventhandler_tag tag;

	map_sizes_.kmem = 4 * PAGE_SIZE;
	boot(1);
	keeper.addr = kmem_malloc(kmem_map, 4 * PAGE_SIZE, M_WAITOK);
	tag = EVENTHANDLER_REGISTER(
	    vm_lowmem,
	    [](void *arg) {
		    auto *k = static_cast<Keeper *>(arg);

		    k->calls++;
		    if (k->addr != 0)
			    kmem_free(kmem_map, k->addr, 4 * PAGE_SIZE);
		    k->addr = 0;
	    },
	    &keeper, EVENTHANDLER_PRI_ANY);
	EXPECT_NE(kmem_malloc(kmem_map, PAGE_SIZE, M_WAITOK), 0u);
	EXPECT_EQ(keeper.calls, 1u);
	EVENTHANDLER_DEREGISTER(vm_lowmem, tag);
}

TEST_F(KmemMallocTest, NowaitGivesBackWhatItTookWhenPagesRunOut)
{
	boot(1);
	/* Page tables and pools get their pages first. */
	kmem_free(kmem_map, kmem_malloc(kmem_map, PAGE_SIZE, M_NOWAIT), PAGE_SIZE);
	Hoard hoard(VM_ALLOC_SYSTEM);

	hoard.release(5);
	uint64_t used = pages_in_use();
	EXPECT_EQ(kmem_malloc(kmem_map, 16 * PAGE_SIZE, M_NOWAIT), 0u);
	EXPECT_EQ(pages_in_use(), used);
	EXPECT_EQ(kmem_map->nentries, 0u);
	EXPECT_TRUE(audit_ok());
}

TEST_F(KmemMallocTest, ReserveIsForThoseWhoSaySo)
{
	boot(1);
	/* The reserve is for pages: a neighbour's index nodes and page table serve this one, too.
	 */
	EXPECT_NE(kmem_malloc(kmem_map, PAGE_SIZE, M_NOWAIT), 0u);
	Hoard hoard(VM_ALLOC_SYSTEM);

	EXPECT_EQ(kmem_malloc(kmem_map, PAGE_SIZE, M_NOWAIT), 0u);
	EXPECT_NE(kmem_malloc(kmem_map, PAGE_SIZE, M_NOWAIT | M_USE_RESERVE), 0u);
}

/* Another CPU's magazines have all that is left; with a map or an object locked, none is asked. */
TEST_F(KmemMallocTest, WhoCannotWaitGetsWhatAnotherCpuHasCached)
{
	boot(2);
	/* Index nodes and page tables are there; all that is needed is pages. */
	ASSERT_NE(kmem_malloc(kmem_map, PAGE_SIZE, M_NOWAIT), 0u);
	ASSERT_NE(kmem_alloc(kernel_map, PAGE_SIZE), 0u);
	for (bool wired : {false, true}) {
		quire::TestThread hoarder(1, [] { Hoard hoard(VM_ALLOC_NORMAL, 40); });
		hoarder.join();
		uint64_t cached = vm_magazine_cached();
		ASSERT_GE(cached, 12u);
		std::vector<vm_page_t> rest;
		vm_page_t m;

		for (unsigned domain = 0; domain < vm_phys_domain_count(); domain++)
			while (vm_phys_alloc_batch(domain, &m, 1) == 1)
				rest.push_back(m);
		uint64_t reserve = vm_page_limits.interrupt_free_min + 1;
		for (; reserve > 0; reserve--, rest.pop_back())
			vm_page_free(rest.back());
		vm_offset_t addr = wired ? kmem_alloc(kernel_map, 3 * PAGE_SIZE)
					 : kmem_malloc(kmem_map, 3 * PAGE_SIZE, M_NOWAIT);
		EXPECT_NE(addr, 0u) << wired;
		for (vm_page_t page : rest)
			vm_page_free(page);
		kmem_free(wired ? kernel_map : kmem_map, addr, 3 * PAGE_SIZE);
	}
	EXPECT_TRUE(audit_ok());
}

TEST_F(KmemMallocTest, WaitokWaitsForPagesAndGetsThem)
{
	boot(2);
	kmem_free(kmem_map, kmem_malloc(kmem_map, PAGE_SIZE, M_NOWAIT), PAGE_SIZE);
	Hoard hoard(VM_ALLOC_SYSTEM);
	vm_offset_t got = 0;
	quire::TestThread waiter(1, [&] { got = kmem_malloc(kmem_map, 8 * PAGE_SIZE, M_WAITOK); });

	while (vm_pageout_waiters() == 0)
		thread_sleep_ns(1000000);
	EXPECT_EQ(got, 0u);
	EXPECT_EQ(kmem_map->nentries, 1u); /* kept, in transition */
	hoard.release(3);
	thread_sleep_ns(50000000);
	EXPECT_EQ(got, 0u);
	hoard.release(50);
	waiter.join();
	EXPECT_NE(got, 0u);
	EXPECT_TRUE(audit_ok());
}

TEST_F(KmemMallocTest, EveryAllocationSiteMayFail)
{
	boot(1);
	kmem_free(kmem_map, kmem_malloc(kmem_map, PAGE_SIZE, M_NOWAIT), PAGE_SIZE);
	for (bool persistent : {false, true}) {
		for (uint64_t n = 1;; n++) {
			struct host_fault_plan plan = {};
			uint64_t used = pages_in_use();

			plan.policy = persistent ? HOST_FAULT_FROM_NTH : HOST_FAULT_NTH;
			plan.nth = n;
			host_fault_arm(&plan);
			vm_offset_t addr = kmem_malloc(kmem_map, 6 * PAGE_SIZE, M_NOWAIT);
			bool reached = host_fault_failures() != 0;
			host_fault_disarm();
			if (addr != 0)
				kmem_free(kmem_map, addr, 6 * PAGE_SIZE);
			ASSERT_EQ(pages_in_use(), used) << n;
			ASSERT_TRUE(audit_ok()) << n;
			if (!reached)
				break;
		}
	}
}

/* From interrupts, while threads of the same CPU are in the same map. */
TEST_F(KmemMallocTest, NowaitIsAllowedInInterrupts)
{
	static std::vector<vm_offset_t> got;

	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct host_config config = {};

		got.clear();
		config.cpus = 2;
		config.seed = seed;
		config.switch_ppm = 50000;
		boot(config);
		on_all_cpus([](unsigned cpu) {
			for (int i = 0; i < 20; i++) {
				vm_offset_t addr = kmem_malloc(kmem_map, PAGE_SIZE, M_WAITOK);

				smp_call_one(
				    1 - cpu,
				    [](void *) {
					    vm_offset_t a =
						kmem_malloc(kmem_map, PAGE_SIZE, M_NOWAIT);

					    if (a != 0 && arch_cpu_id() == 1)
						    got.push_back(a);
				    },
				    nullptr);
				kmem_free(kmem_map, addr, PAGE_SIZE);
			}
		});
		EXPECT_FALSE(got.empty());
		EXPECT_EQ(std::set<vm_offset_t>(got.begin(), got.end()).size(), got.size());
		EXPECT_TRUE(audit_ok());
		shut_down();
	}
}

/* Two threads that fill the same small map, and free, on many schedules. */
TEST_F(KmemMallocTest, SmallMapServesManyWaiters)
{
	for (unsigned cpus : {1u, 2u, 3u, 4u, 8u}) {
		for (uint64_t seed = 1; seed <= 15; seed++) {
			struct host_config config = {};

			map_sizes_.kmem = 12 * PAGE_SIZE;
			config.cpus = cpus;
			config.seed = seed;
			config.switch_ppm = 20000;
			boot(config);
			on_all_cpus([](unsigned cpu) {
				for (unsigned i = 0; i < 12; i++) {
					vm_size_t size = ptoa(1 + (cpu + i) % 5);
					vm_offset_t addr = kmem_malloc(kmem_map, size, M_WAITOK);

					host_store64(addr, addr);
					thread_yield();
					EXPECT_EQ(host_load64(addr), addr);
					kmem_free(kmem_map, addr, size);
				}
			});
			EXPECT_EQ(kmem_map->nentries, 0u);
			ASSERT_TRUE(audit_ok()) << "cpus " << cpus << " seed " << seed;
			shut_down();
		}
	}
}

} // namespace
