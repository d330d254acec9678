/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pageable memory on a host machine: what the tests of faults and of taking pages back share.
 */
#ifndef QUIRE_TESTS_HOST_VM_PAGEABLE_FIXTURE_H
#define QUIRE_TESTS_HOST_VM_PAGEABLE_FIXTURE_H

#include "tests/host/vm/vm_fixture.h"
#include "vm/pmap.h"
#include "vm/vm_map_private.h"
#include "vm/vm_object.h"
#include "vm/vm_page.h"
#include "vm/vm_pageable.h"
#include "vm/vm_swap.h"

namespace quire
{

class PageableTest : public VmTest
{
      protected:
	static uint64_t pages_in_use()
	{
		struct vm_accounting acc;

		vm_accounting(&acc);
		return acc.allocated;
	}

	/* Pageable memory of pipe_map. */
	static vm_offset_t alloc(vm_size_t pages)
	{
		return kmem_alloc_wait(pipe_map, ptoa(pages));
	}

	static void free(vm_offset_t addr, vm_size_t pages)
	{
		kmem_free_wakeup(pipe_map, addr, ptoa(pages));
	}

	static void read_pages(vm_offset_t addr, vm_size_t pages)
	{
		for (vm_size_t i = 0; i < pages; i++)
			EXPECT_EQ(host_load64(addr + ptoa(i)), 0u) << i;
	}

	static uint64_t mapped(vm_offset_t addr, vm_size_t pages)
	{
		uint64_t count = 0;

		for (vm_size_t i = 0; i < pages; i++)
			count += pmap_kextract(addr + ptoa(i)) != 0;
		return count;
	}

	static pte_t leaf(vm_offset_t va)
	{
		unsigned level;

		return pmap_leaf(kernel_pmap, va, &level);
	}

	/* Takes all pages that anybody but an interrupt may have. */
	static std::vector<vm_page_t> take_all_pages()
	{
		std::vector<vm_page_t> pages;

		while (vm_page_t m = vm_page_alloc(nullptr, 0, VM_ALLOC_SYSTEM | VM_ALLOC_NOOBJ))
			pages.push_back(m);
		return pages;
	}

	static void give_back(std::vector<vm_page_t> *pages)
	{
		for (vm_page_t m : *pages)
			vm_page_free(m);
		pages->clear();
	}

	/* Faults that reached the kernel since count_faults(). */
	static inline uint64_t faults_;

	static void count_faults()
	{
		faults_ = 0;
		arch_fault_set_handler([](const struct arch_fault *fault, char *why, size_t size) {
			faults_++;
			return vm_fault_kernel(fault, why, size);
		});
	}

	static void fail(uint64_t nth, enum host_fault_policy policy = HOST_FAULT_NTH,
			 const char *site = nullptr)
	{
		struct host_fault_plan plan = {policy, nth, 0, site};

		host_fault_arm(&plan);
	}
};

} // namespace quire

#endif
