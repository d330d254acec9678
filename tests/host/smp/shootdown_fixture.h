/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shootdown without the memory system: the pages are those of the simulated image's data, which
 * the host machine has mapped one by one, and tests write their leaf entries themselves.
 */
#ifndef QUIRE_TESTS_HOST_SMP_SHOOTDOWN_FIXTURE_H
#define QUIRE_TESTS_HOST_SMP_SHOOTDOWN_FIXTURE_H

#include <string>

#include "arch/mmu.h"
#include "arch/physmap.h"
#include "smp/call.h"
#include "smp/shootdown.h"
#include "tests/host/smp/smp_fixture.h"

namespace quire
{

class ShootdownTest : public SmpTest
{
      protected:
	enum : unsigned { CPU_PAGES = 40 }; /* pages that belong to one CPU in a scenario */

	void boot_shootdown(unsigned cpus, uint64_t seed, enum host_mode mode = HOST_COROUTINES)
	{
		boot(cpus, seed, mode);
		shootdown_init(cpus, SmpMemory::alloc);
		start(UINT64_C(20) * 1000 * 1000 * 1000);
		ASSERT_EQ(smp_online_count(), cpus);
	}

	/* Page `i` counted down from the end of the image: data, mapped writable. */
	static vm_offset_t page(unsigned i)
	{
		return arch_mmu_image_end() - (i + 1) * PAGE_SIZE;
	}

	/* Page `i` of a CPU's own; a CPU's pages are neighbours, page 0 has the lowest address. */
	static vm_offset_t cpu_page(unsigned cpu, unsigned i)
	{
		return page((cpu + 1) * CPU_PAGES - 1 - i);
	}

	static pte_t *leaf(vm_offset_t va)
	{
		vm_paddr_t table = arch_mmu_kernel_root();

		for (unsigned level = MMU_LEVELS;; level--) {
			auto *entry =
			    static_cast<pte_t *>(arch_physmap(table)) + MMU_INDEX(va, level);
			if (level == 1)
				return entry;
			table = arch_pte_read(entry) & PTE_ADDRESS;
		}
	}

	/* Makes this CPU remember the page, if it is mapped. */
	static void touch(vm_offset_t va)
	{
		host_translate(va, HOST_READ, nullptr, nullptr);
	}

	static void touch_on_all(vm_offset_t va)
	{
		smp_call_everywhere([](void *arg) { touch(*static_cast<vm_offset_t *>(arg)); },
				    &va);
	}

	static bool remembered(unsigned cpu, vm_offset_t va)
	{
		struct host_tlb_entry entry;

		return host_tlb_find(cpu, va, &entry);
	}

	static unsigned cpus_remembering(vm_offset_t va)
	{
		unsigned n = 0;

		for (unsigned cpu = 0; cpu < smp_online_count(); cpu++)
			n += remembered(cpu, va);
		return n;
	}

	/*
	 * One CPU's part of a scenario in which all ask at once: it unmaps some of its pages,
	 * shoots them down, and demands that no CPU holds them; meanwhile it fills its TLB with
	 * everybody's.
	 */
	static void unmap_and_check(unsigned rounds)
	{
		unsigned self = arch_cpu_id(), cpus = smp_online_count();

		for (unsigned round = 0; round < rounds; round++) {
			pte_t before[CPU_PAGES];
			unsigned count = 1 + (unsigned)host_random(CPU_PAGES);
			vm_offset_t start = cpu_page(self, 0), end = start + ptoa(count);

			for (unsigned i = 0; i < 8; i++)
				touch(cpu_page((unsigned)host_random(cpus),
					       (unsigned)host_random(CPU_PAGES)));
			for (unsigned i = 0; i < count; i++)
				before[i] = arch_pte_exchange(leaf(start + ptoa(i)), 0);
			shootdown_range(start, end, SHOOTDOWN_FREE);
			host_assert_no_translation(start, end);
			for (unsigned i = 0; i < count; i++)
				arch_pte_write(leaf(start + ptoa(i)), before[i]);
		}
	}

	static std::string &audit_text()
	{
		static std::string text;
		return text;
	}

	static unsigned audit()
	{
		audit_text().clear();
		return shootdown_audit([](const char *line) { audit_text() += line; });
	}

      private:
	static void smp_call_everywhere(void (*fn)(void *arg), void *arg)
	{
		struct cpuset all;

		smp_online_set(&all);
		smp_call(&all, fn, arg);
	}
};

} // namespace quire

#endif
