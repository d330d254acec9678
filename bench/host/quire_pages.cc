/* SPDX-License-Identifier: BSD-2-Clause */
/* Physical pages and kernel memory as subjects. */
#include "arch/host/machine.h"
#include "arch/physmap.h"
#include "bench/host/case_list.h"
#include "bench/host/quire_cases.h"
#include "vm/vm_kern.h"
#include "vm/vm_page.h"

namespace bench
{

namespace
{

struct Page {
	using Block = vm_page_t;

	Block alloc(size_t) const
	{
		return vm_page_alloc(nullptr, 0, VM_ALLOC_NORMAL | VM_ALLOC_NOOBJ);
	}
	void free(Block page, size_t) const
	{
		vm_page_free(page);
	}
	void fill(Block page, size_t size, uint64_t seed) const
	{
		fill_words(arch_physmap(VM_PAGE_TO_PHYS(page)), size, seed);
	}
	bool intact(Block page, size_t size, uint64_t seed) const
	{
		return words_intact(arch_physmap(VM_PAGE_TO_PHYS(page)), size, seed);
	}
};

/* Mapped memory. A program cannot follow its addresses: the machine walks the tables for it. */
struct Kmem {
	using Block = vm_offset_t;

	Block alloc(size_t size) const
	{
		return kmem_malloc(kmem_map, size, M_NOWAIT);
	}
	void free(Block addr, size_t size) const
	{
		kmem_free(kmem_map, addr, size);
	}
	void fill(Block addr, size_t size, uint64_t seed) const
	{
		uint64_t words[PAGE_SIZE / sizeof(uint64_t)];

		for (size_t done = 0; done < size; done += PAGE_SIZE) {
			fill_words(words, PAGE_SIZE, seed, done);
			host_store(addr + done, words, PAGE_SIZE);
		}
	}
	bool intact(Block addr, size_t size, uint64_t seed) const
	{
		uint64_t words[PAGE_SIZE / sizeof(uint64_t)];

		for (size_t done = 0; done < size; done += PAGE_SIZE) {
			host_load(addr + done, words, PAGE_SIZE);
			if (!words_intact(words, PAGE_SIZE, seed, done))
				return false;
		}
		return true;
	}
};

} // namespace

void add_quire_pages(std::vector<Case> *cases)
{
	add_page_cases(cases, Page());
	add_kmem_cases(cases, Kmem());
}

} // namespace bench
