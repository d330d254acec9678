/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Generations without the memory system: pages are mapped by hand at addresses that the kernel's
 * map would have, in tables that are made before the other CPUs run.
 */
#ifndef QUIRE_TESTS_HOST_SMP_TLB_FIXTURE_H
#define QUIRE_TESTS_HOST_SMP_TLB_FIXTURE_H

#include "arch/bootinfo.h"
#include "arch/clock.h"
#include "smp/tlb.h"
#include "smp/tlb_private.h"
#include "tests/host/smp/shootdown_fixture.h"

namespace quire
{

class TlbTest : public ShootdownTest
{
      protected:
	enum : unsigned { PAGES = 64, CPU_SHARE = 8 /* pages of each of 8 CPUs */ };
	static constexpr vm_offset_t BASE = VM_MIN_KERNEL_ADDRESS;
	static constexpr pte_t DATA =
	    PTE_PRESENT | PTE_WRITE | PTE_GLOBAL | PTE_NX | PTE_ACCESSED | PTE_DIRTY;

	/* A machine with PAGES mapped pages, and generations that wrap after two more. */
	void boot_tables(unsigned cpus, uint64_t seed, enum host_mode mode = HOST_COROUTINES)
	{
		boot(cpus, seed, mode);
		shootdown_init(cpus, SmpMemory::alloc);
		tlb_set_generation(UINT64_MAX - 2);
		frames = arch_boot_info()->ranges[1].start;
		map_all();
	}

	void boot_tlb(unsigned cpus, uint64_t seed, enum host_mode mode = HOST_COROUTINES)
	{
		boot_tables(cpus, seed, mode);
		start(UINT64_C(20) * 1000 * 1000 * 1000);
		ASSERT_EQ(smp_online_count(), cpus);
	}

	static vm_offset_t at(unsigned i)
	{
		return BASE + ptoa(i);
	}

	static vm_paddr_t frame(unsigned i)
	{
		return frames + ptoa(3 + i);
	}

	static void map(unsigned i)
	{
		arch_pte_write(leaf(at(i)), frame(i) | DATA);
	}

	static void unmap(unsigned i)
	{
		arch_pte_exchange(leaf(at(i)), 0);
	}

	/*
	 * What an idle loop does with one interrupt: lazy until it comes, and after it if it was
	 * none that ran a handler.
	 */
	static void idle_once()
	{
		arch_irq_disable();
		tlb_lazy_enter();
		arch_cpu_idle();
		tlb_lazy_leave();
		arch_irq_enable();
	}

	static bool lazy(unsigned cpu)
	{
		return (atomic32_load(&tlb_lines[cpu].state, MO_ACQUIRE) & TLB_LAZY) != 0;
	}

	/* A tick on this CPU that catches up, as the scheduler's does. */
	static void start_tick(unsigned hz)
	{
		arch_timer_set_handler([] { tlb_catch_up(); });
		arch_timer_start(hz);
	}

	/* Waits as the quarantine does: now and then it looks; or it cannot wait. */
	static void make_pass(tlb_generation_t generation)
	{
		if (host_random(3) == 0)
			tlb_generation_force(generation, SHOOTDOWN_FORCED);
		tlb_catch_up();
		while (!tlb_generation_passed(generation)) {
			if (host_random(4) == 0)
				idle_once();
			else
				arch_cpu_relax();
		}
	}

	/*
	 * One CPU's part of a scenario in which all free at once: it unmaps some of its pages and
	 * gives them back when their generation has passed; meanwhile it fills its TLB with
	 * everybody's, and idles.
	 */
	static void defer_and_check(unsigned rounds)
	{
		unsigned own = arch_cpu_id() * CPU_SHARE;

		for (unsigned round = 0; round < rounds; round++) {
			unsigned n = 1 + (unsigned)host_random(CPU_SHARE);

			for (unsigned i = 0; i < 6; i++)
				touch(at((unsigned)host_random(smp_online_count() * CPU_SHARE)));
			for (unsigned i = 0; i < n; i++)
				unmap(own + i);
			make_pass(tlb_generation_begin());
			host_assert_no_translation(at(own), at(own + n));
			for (unsigned i = 0; i < n; i++) {
				arch_page_released(frame(own + i), 1);
				map(own + i);
			}
			if (host_random(3) == 0)
				idle_once();
		}
	}

	static void await_lazy(unsigned cpu)
	{
		while (!lazy(cpu))
			arch_cpu_relax();
	}

      private:
	/* Tables at the first frames: one of each level below the root. */
	static void map_all()
	{
		vm_paddr_t table = arch_mmu_kernel_root();

		for (unsigned level = MMU_LEVELS; level > 1; level--) {
			vm_paddr_t next = frames + ptoa(level - 2);

			arch_page_zero(next);
			arch_pte_write(static_cast<pte_t *>(arch_physmap(table)) +
					   MMU_INDEX(BASE, level),
				       next | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED);
			table = next;
		}
		for (unsigned i = 0; i < PAGES; i++)
			map(i);
	}

	static inline vm_paddr_t frames;
};

} // namespace quire

#endif
