/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page allocators on a host machine, without threads, maps or page tables: what the tests of
 * vm_phys, vm_page, vm_magazine and vm_pool begin with.
 */
#ifndef QUIRE_TESTS_HOST_VM_PAGES_FIXTURE_H
#define QUIRE_TESTS_HOST_VM_PAGES_FIXTURE_H

#include <array>
#include <random>
#include <string>
#include <vector>

#include "arch/bootinfo.h"
#include "arch/physmap.h"
#include "smp/percpu.h"
#include "smp/smp.h"
#include "smp/smp_private.h"
#include "tests/host/machine_fixture.h"
#include "vm/vm_boot.h"
#include "vm/vm_magazine.h"
#include "vm/vm_object.h"
#include "vm/vm_page.h"
#include "vm/vm_phys.h"

namespace quire
{

constexpr uint64_t KIB = 1024, MIB = 1024 * KIB, GIB = 1024 * MIB;

inline std::string *report_text()
{
	static std::string text;
	return &text;
}

inline void report_collect(const char *line)
{
	*report_text() += std::string(line) + "\n";
}

class PagesTest : public MachineTest
{
      protected:
	/*
	 * Two domains that touch, holes, odd edges; 9 MiB in all. The last range is the largest:
	 * image, page tables and boot memory lie there.
	 */
	void config_with_holes()
	{
		config.ranges[0] = {1 * MIB, 3 * MIB + 5 * PAGE_SIZE, 0};
		config.ranges[1] = {4 * MIB - 3 * PAGE_SIZE, 6 * MIB, 0};
		config.ranges[2] = {6 * MIB, 8 * MIB + 7 * PAGE_SIZE, 1};
		config.ranges[3] = {16 * MIB + PAGE_SIZE, 19 * MIB, 1};
		config.range_count = 4;
		config.image_size = 64 * KIB;
	}

	void config_one_range(uint64_t bytes)
	{
		config.ranges[0] = {1 * MIB, 1 * MIB + bytes, 0};
		config.range_count = 1;
		config.image_size = 64 * KIB;
	}

	void SetUp() override
	{
		MachineTest::SetUp();
		start();
	}

	void restart()
	{
		recreate();
		start();
	}

	void start()
	{
		smp_init();
		vm_boot_init();
		vm_magazine_init(smp_cpu_count());
		vm_phys_init();
		vm_object_init();
		areas_ = std::vector<struct percpu>(smp_cpu_count());
		for (unsigned cpu = 1; cpu < smp_cpu_count(); cpu++)
			on_cpu(cpu, [this, cpu] { install_area(cpu); });
		/* As a kernel does before it starts CPUs: whoever waits for others answers them. */
		if (smp_cpu_count() > 1)
			arch_irq_enable();
	}

	/* On any CPU, the boot CPU included. */
	template <typename F> static void run_on(unsigned cpu, F fn)
	{
		if (cpu == arch_cpu_id())
			fn();
		else
			on_cpu(cpu, fn);
	}

	/* Every rule of the page allocators holds, and every page has a state. */
	static ::testing::AssertionResult audit_ok()
	{
		unsigned broken = vm_magazine_audit(report_collect_fresh());
		std::array<uint64_t, VM_PAGE_STATES> states;
		uint64_t total = 0, free = 0;

		for (unsigned d = 0; d < vm_phys_domain_count(); d++) {
			broken += vm_phys_audit(d, report_collect);
			total += vm_phys_total_pages(d);
			free += vm_phys_free_pages(d);
		}
		if (broken != 0)
			return ::testing::AssertionFailure() << *report_text();
		vm_page_count_states(states.data());
		for (uint64_t count : states)
			total -= count;
		if (total != 0 || states[VM_PAGE_FREE] != free)
			return ::testing::AssertionFailure() << "states do not sum up to RAM";
		return ::testing::AssertionSuccess();
	}

	static uint64_t pages_in(enum vm_page_state state)
	{
		std::array<uint64_t, VM_PAGE_STATES> states;

		vm_page_count_states(states.data());
		return states[state];
	}

	static uint64_t free_pages()
	{
		uint64_t sum = 0;

		for (unsigned d = 0; d < vm_phys_domain_count(); d++)
			sum += vm_phys_free_pages(d);
		return sum;
	}

	using Blocks = std::vector<std::array<uint64_t, VM_PHYS_ORDERS>>;

	/* How many blocks of each order each domain has. */
	static Blocks blocks()
	{
		Blocks all(vm_phys_domain_count());

		for (unsigned d = 0; d < all.size(); d++)
			vm_phys_free_blocks(d, all[d].data());
		return all;
	}

	/* Takes everything that vm_phys has, all domains. */
	static std::vector<vm_page_t> take_all()
	{
		std::vector<vm_page_t> pages;
		vm_page_t m;

		for (unsigned d = 0; d < vm_phys_domain_count(); d++)
			while (vm_phys_alloc_batch(d, &m, 1) == 1)
				pages.push_back(m);
		return pages;
	}

	static void give_back(std::vector<vm_page_t> *pages)
	{
		vm_phys_free_batch(pages->data(), (unsigned)pages->size());
		pages->clear();
	}

	static char *bytes_of(vm_page_t m)
	{
		return static_cast<char *>(arch_physmap(VM_PAGE_TO_PHYS(m)));
	}

      private:
	static void (*report_collect_fresh())(const char *)
	{
		report_text()->clear();
		return report_collect;
	}

	void install_area(unsigned cpu)
	{
		areas_[cpu].arch = *arch_percpu();
		percpu_init(&areas_[cpu], cpu);
		arch_percpu_install(&areas_[cpu].arch);
		smp_join();
	}

	std::vector<struct percpu> areas_;
};

} // namespace quire

#endif
