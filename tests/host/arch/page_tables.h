/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A few page tables by hand, for tests of what the machine makes of them: frames are taken from
 * the start of the machine's second range of usable RAM, and entries are written as the kernel
 * would.
 */
#ifndef QUIRE_TESTS_HOST_ARCH_PAGE_TABLES_H
#define QUIRE_TESTS_HOST_ARCH_PAGE_TABLES_H

#include "arch/bootinfo.h"
#include "arch/mmu.h"
#include "arch/physmap.h"
#include "tests/host/machine_fixture.h"

class PageTableTest : public MachineTest
{
      protected:
	static constexpr vm_offset_t VA = VM_MIN_KERNEL_ADDRESS;
	static constexpr pte_t DATA = PTE_PRESENT | PTE_WRITE | PTE_GLOBAL | PTE_NX;

	void SetUp() override
	{
		MachineTest::SetUp();
		next_frame = arch_boot_info()->ranges[1].start;
	}

	vm_paddr_t frame()
	{
		vm_paddr_t pa = next_frame;

		next_frame += PAGE_SIZE;
		arch_page_zero(pa);
		return pa;
	}

	/* A physical address with RAM behind it, aligned as a page of `level` needs. */
	vm_paddr_t superframe()
	{
		vm_paddr_t pa = (next_frame + SUPERPAGE_SIZE - 1) & ~(SUPERPAGE_SIZE - 1);

		next_frame = pa + SUPERPAGE_SIZE;
		return pa;
	}

	/* The entry for va in the table of `level`. */
	pte_t *entry(vm_offset_t va, unsigned level = 1)
	{
		pte_t *table = (pte_t *)arch_physmap(arch_mmu_kernel_root());

		for (unsigned l = MMU_LEVELS; l > level; l--) {
			pte_t *e = &table[MMU_INDEX(va, l)];

			if (*e == 0)
				arch_pte_write(e, frame() | PTE_PRESENT | PTE_WRITE);
			table = (pte_t *)arch_physmap(pte_paddr(*e, 1));
		}
		return &table[MMU_INDEX(va, level)];
	}

	void map(vm_offset_t va, vm_paddr_t pa, pte_t bits = DATA, unsigned level = 1)
	{
		arch_pte_write(entry(va, level), pa | bits | (level > 1 ? PTE_LARGE : 0));
	}

	static void set_word(vm_paddr_t pa, uint64_t value)
	{
		*(uint64_t *)arch_physmap(pa) = value;
	}

	vm_paddr_t next_frame = 0;
};

#endif
