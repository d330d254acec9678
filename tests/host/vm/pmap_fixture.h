/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page tables on several CPUs, without threads and maps: pages, pmap and shootdown only.
 */
#ifndef QUIRE_TESTS_HOST_VM_PMAP_FIXTURE_H
#define QUIRE_TESTS_HOST_VM_PMAP_FIXTURE_H

#include <functional>
#include <string>
#include <vector>

#include "arch/physmap.h"
#include "smp/call.h"
#include "smp/shootdown.h"
#include "tests/host/smp/smp_fixture.h"
#include "vm/pmap.h"
#include "vm/vm_boot.h"
#include "vm/vm_magazine.h"
#include "vm/vm_object.h"
#include "vm/vm_page.h"
#include "vm/vm_phys.h"

namespace quire
{

constexpr vm_prot_t R = VM_PROT_READ, RW = VM_PROT_RW, RX = VM_PROT_READ | VM_PROT_EXECUTE,
		    RWX = VM_PROT_ALL;

/* Where tests map; a table of its own at every level. */
constexpr vm_offset_t VA = VM_MIN_KERNEL_ADDRESS;

class PmapTest : public SmpTest
{
      protected:
	void boot_pmap(unsigned cpus, uint64_t seed = 1, enum host_mode mode = HOST_COROUTINES)
	{
		boot(cpus, seed, mode);
		vm_boot_init();
		shootdown_init(cpus, [](size_t bytes) {
			return vm_boot_alloc(bytes, CACHE_LINE, "shootdown");
		});
		vm_magazine_init(cpus);
		vm_phys_init();
		vm_object_init();
		pmap_init();
		start(UINT64_C(20) * 1000 * 1000 * 1000);
		ASSERT_EQ(smp_online_count(), cpus);
	}

	/* A page whose first word is its own address, so that a reader knows where he is. */
	static vm_page_t new_page()
	{
		vm_page_t m =
		    vm_page_alloc(nullptr, 0, VM_ALLOC_SYSTEM | VM_ALLOC_NOOBJ | VM_ALLOC_WIRED);

		EXPECT_NE(m, nullptr);
		mark(m);
		return m;
	}

	static vm_page_t new_run(vm_memattr_t attr = VM_MEMATTR_DEFAULT)
	{
		vm_page_t first = vm_page_alloc_contig(
		    nullptr, 0, VM_ALLOC_SYSTEM | VM_ALLOC_NOOBJ | VM_ALLOC_WIRED,
		    MMU_TABLE_ENTRIES, 0, UINT64_MAX, SUPERPAGE_SIZE, 0, attr);

		EXPECT_NE(first, nullptr);
		for (unsigned i = 0; i < MMU_TABLE_ENTRIES; i++)
			mark(first + i);
		return first;
	}

	static void give_back(vm_page_t m)
	{
		vm_page_unwire(m);
		vm_page_free(m);
	}

	static void mark(vm_page_t m)
	{
		*static_cast<uint64_t *>(arch_physmap(VM_PAGE_TO_PHYS(m))) = VM_PAGE_TO_PHYS(m);
	}

	static int enter(vm_offset_t va, vm_page_t m, vm_prot_t prot, bool wired = true)
	{
		return pmap_enter(kernel_pmap, va, VM_PROT_NONE, m, prot, wired);
	}

	static pte_t leaf(vm_offset_t va)
	{
		unsigned level;

		return pmap_leaf(kernel_pmap, va, &level);
	}

	static unsigned level(vm_offset_t va)
	{
		unsigned at;

		return pmap_leaf(kernel_pmap, va, &at) == 0 ? 0 : at;
	}

	/* For changes that only a broken kernel makes. */
	static pte_t *raw_entry(vm_offset_t va, unsigned lowest)
	{
		auto *table = static_cast<pte_t *>(arch_physmap(kernel_pmap->root));

		for (unsigned at = MMU_LEVELS;; at--) {
			pte_t *entry = &table[MMU_INDEX(va, at)];
			if (at == lowest)
				return entry;
			table = static_cast<pte_t *>(arch_physmap(*entry & PTE_ADDRESS));
		}
	}

	/*
	 * What this CPU may do at va. A CPU that remembers fewer rights than there are faults once
	 * and forgets; that is no difference to a program, so everything is tried twice.
	 */
	static bool may(vm_offset_t va, enum host_access access)
	{
		vm_paddr_t pa;

		return host_translate(va, access, &pa, nullptr) ||
		       host_translate(va, access, &pa, nullptr);
	}

	static void on(unsigned cpu, const std::function<void()> &fn)
	{
		if (cpu == arch_cpu_id())
			return fn();
		smp_call_one(
		    cpu, [](void *arg) { (*static_cast<const std::function<void()> *>(arg))(); },
		    const_cast<std::function<void()> *>(&fn));
	}

	static void on_each(const std::function<void()> &fn)
	{
		for (unsigned cpu = 0; cpu < smp_online_count(); cpu++)
			on(cpu, fn);
	}

	static uint64_t requests(enum shootdown_reason reason)
	{
		struct shootdown_stats stats;

		shootdown_stats(&stats);
		return stats.requests[reason];
	}

	static uint64_t all_requests()
	{
		uint64_t sum = 0;

		for (unsigned reason = 0; reason < SHOOTDOWN_REASONS; reason++)
			sum += requests((enum shootdown_reason)reason);
		return sum;
	}

	static uint64_t pages_shot_down()
	{
		struct shootdown_stats stats;

		shootdown_stats(&stats);
		return stats.pages;
	}

	static ::testing::AssertionResult sound()
	{
		text().clear();
		if (pmap_audit(kernel_pmap,
			       [](const char *line) { text() += std::string(line) + "\n"; }) == 0)
			return ::testing::AssertionSuccess();
		return ::testing::AssertionFailure() << text();
	}

	static std::string &text()
	{
		static std::string lines;
		return lines;
	}

	/* Allocations of tables fail from the nth on (1 = the next), or the nth only. */
	static void fail_tables(uint64_t nth, enum host_fault_policy policy = HOST_FAULT_FROM_NTH)
	{
		struct host_fault_plan plan = {policy, nth, 0, "pmap_table"};

		host_fault_arm(&plan);
	}
};

} // namespace quire

#endif
