/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A page at an address of its own, with 64 bits in it that say in which life it is. For scenarios
 * about translations, which write the leaf themselves: EXPLORE_BARE and EXPLORE_SMP.
 */
#ifndef QUIRE_TESTS_EXPLORE_SCENARIOS_MAPPED_PAGE_H
#define QUIRE_TESTS_EXPLORE_SCENARIOS_MAPPED_PAGE_H

#include "arch/atomic.h"
#include "arch/mmu.h"
#include "arch/physmap.h"
#include "smp/shootdown.h"
#include "tests/explore/scenario.h"

namespace quire
{

struct MappedPage {
	static constexpr uint64_t FIRST_LIFE = 0x1111, NEXT_LIFE = 0x2222;

	/* In create(). Page `index` of the addresses that scenarios use. */
	void create(unsigned index)
	{
		va = VM_MIN_KERNEL_ADDRESS + index * PAGE_SIZE;
		leaf = explore_leaf(va);
		frame = explore_frame();
		explore_watch(word(), sizeof(*word()), "word of the page");
	}

	/* In reset(). */
	void map() const
	{
		word()->value = FIRST_LIFE;
		arch_pte_write(leaf, present());
	}

	/* The owner's view: by the direct map. */
	struct atomic64 *word() const
	{
		return static_cast<struct atomic64 *>(arch_physmap(frame));
	}

	pte_t present() const
	{
		return frame | PTE_PRESENT | PTE_WRITE | PTE_NX | PTE_GLOBAL | PTE_ACCESSED |
		       PTE_DIRTY;
	}

	/* A user of the mapping looks at it: nothing there, or the first life. */
	void use() const
	{
		explore_step();
		use_now();
	}

	/* The same without a step before, for interrupts. */
	void use_now() const
	{
		uint64_t value;

		if (host_load_nofault(va, &value, sizeof(value)) && value != FIRST_LIFE)
			explore_fail("CPU %u reads %#lx at %#lx: the page is somebody else's",
				     arch_cpu_id(), (unsigned long)value, (unsigned long)va);
	}

	/* What a CPU may do at any time and by itself: it remembers the translation. */
	void read_ahead() const
	{
		explore_step();
		(void)host_translate(va, HOST_READ, nullptr, nullptr);
	}

	/* The next owner writes there. */
	void reuse() const
	{
		explore_step();
		atomic64_store(word(), NEXT_LIFE, MO_RELAXED);
	}

	/* After every CPU has forgotten: the oracle looks, and the page is somebody else's. */
	void give_away() const
	{
		explore_step();
		arch_page_released(frame, 1);
		reuse();
	}

	/* The whole way of a page that goes. */
	void unmap_and_give_away() const
	{
		arch_pte_exchange(leaf, 0);
		shootdown_range(va, va + PAGE_SIZE, SHOOTDOWN_FREE);
		give_away();
	}

	vm_offset_t va;
	pte_t *leaf;
	vm_paddr_t frame;
};

} // namespace quire

#endif
