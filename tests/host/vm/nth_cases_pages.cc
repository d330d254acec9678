/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions of vm_object.h, vm_page.h, pmap.h and of the pools and runs below them that allocate.
 */
#include "arch/physmap.h"
#include "tests/host/vm/nth_failure.h"

namespace quire
{

namespace
{

/* Kernel addresses that nobody has grown tables for. */
constexpr vm_offset_t UNGROWN = VM_MIN_KERNEL_ADDRESS + (UINT64_C(3) << 38);
constexpr vm_pindex_t FAR_INDEX = UINT64_C(1) << 25; /* a tree of several levels */

void prepare_object(NthBench &bench)
{
	bench.object = vm_object_allocate(OBJT_DEFAULT, FAR_INDEX + 64);
	ASSERT_NE(bench.object, nullptr);
}

void drop_object(NthBench &bench)
{
	vm_object_deallocate(bench.object);
}

vm_page_t loose_page()
{
	return vm_page_alloc(nullptr, 0, VM_ALLOC_NORMAL | VM_ALLOC_NOOBJ);
}

vm_page_t loose_run(unsigned long npages, vm_size_t alignment, vm_memattr_t attr)
{
	return vm_page_alloc_contig(nullptr, 0, VM_ALLOC_NORMAL | VM_ALLOC_NOOBJ, npages, 0,
				    ~(vm_paddr_t)0, alignment, 0, attr);
}

void free_run(vm_page_t run, unsigned long npages)
{
	for (unsigned long i = 0; i < npages; i++)
		vm_page_free(run + i);
}

NthCase object_case(const char *name, const std::function<bool(vm_object_t)> &call)
{
	NthCase made;

	made.name = name;
	made.prepare = prepare_object;
	made.call = [call](NthBench &bench) {
		bool worked;

		VM_OBJECT_WLOCK(bench.object);
		worked = call(bench.object);
		VM_OBJECT_WUNLOCK(bench.object);
		return worked;
	};
	made.cleanup = drop_object;
	return made;
}

NthCase page_insert_case()
{
	NthCase made = object_case("vm_object_page_insert", nullptr);

	made.prepare = [](NthBench &bench) {
		prepare_object(bench);
		bench.page = loose_page();
	};
	made.call = [](NthBench &bench) {
		int rv;

		VM_OBJECT_WLOCK(bench.object);
		rv = vm_object_page_insert(bench.object, bench.page, FAR_INDEX);
		VM_OBJECT_WUNLOCK(bench.object);
		return rv == KERN_SUCCESS;
	};
	made.undo = [](NthBench &bench) {
		VM_OBJECT_WLOCK(bench.object);
		vm_object_page_take(bench.page);
		VM_OBJECT_WUNLOCK(bench.object);
	};
	made.cleanup = [](NthBench &bench) {
		vm_page_free(bench.page);
		drop_object(bench);
	};
	return made;
}

/* Fewer pages than asked for are a failure too, and stay the caller's to remove. */
NthCase page_run_case()
{
	constexpr unsigned PAGES = 5;
	NthCase made = object_case("vm_page_alloc_run", [](vm_object_t object) {
		unsigned got = vm_page_alloc_run(object, FAR_INDEX - 2, VM_ALLOC_NORMAL, PAGES);

		EXPECT_EQ(object->resident_page_count, got);
		if (got < PAGES)
			vm_object_page_remove(object, FAR_INDEX - 2, FAR_INDEX - 2 + got);
		return got == PAGES;
	});

	made.undo = [](NthBench &bench) {
		VM_OBJECT_WLOCK(bench.object);
		vm_object_page_remove(bench.object, FAR_INDEX - 2, FAR_INDEX - 2 + PAGES);
		VM_OBJECT_WUNLOCK(bench.object);
	};
	return made;
}

NthCase object_allocate_case()
{
	NthCase made;

	made.name = "vm_object_allocate";
	made.call = [](NthBench &bench) {
		bench.object = vm_object_allocate(OBJT_DEFAULT, 4);
		return bench.object != nullptr;
	};
	made.undo = drop_object;
	return made;
}

NthCase page_case(const char *name, const std::function<vm_page_t()> &alloc,
		  const std::function<void(vm_page_t)> &free)
{
	NthCase made;

	made.name = name;
	made.call = [alloc](NthBench &bench) { return (bench.page = alloc()) != nullptr; };
	made.undo = [free](NthBench &bench) { free(bench.page); };
	return made;
}

NthCase table_page_case()
{
	NthCase made = page_case(
	    "vm_page_alloc_internal",
	    [] { return vm_page_alloc_internal(VM_PAGE_META, VM_ALLOC_SYSTEM); },
	    vm_page_free_internal);

	return made;
}

NthCase run_case(const char *name, unsigned long npages, vm_memattr_t attr)
{
	return page_case(
	    name, [=] { return loose_run(npages, PAGE_SIZE, attr); },
	    [=](vm_page_t run) { free_run(run, npages); });
}

/* Tables stay, so every attempt has a new machine. */
NthCase grow_case()
{
	NthCase made;

	made.name = "pmap_growkernel";
	made.once = true;
	made.call = [](NthBench &) {
		return pmap_growkernel(UNGROWN, UNGROWN + 5 * SUPERPAGE_SIZE) == KERN_SUCCESS;
	};
	return made;
}

NthCase enter_case(const char *name, unsigned long npages)
{
	NthCase made;

	made.name = name;
	made.once = true;
	made.prepare = [=](NthBench &bench) {
		bench.page = loose_run(npages, ptoa(npages), VM_MEMATTR_DEFAULT);
		ASSERT_NE(bench.page, nullptr);
	};
	made.call = [=](NthBench &bench) {
		if (npages == 1)
			return pmap_enter(kernel_pmap, UNGROWN, VM_PROT_NONE, bench.page,
					  VM_PROT_RW, true) == KERN_SUCCESS;
		return pmap_enter_large(kernel_pmap, UNGROWN, bench.page, VM_PROT_RW, true) ==
		       KERN_SUCCESS;
	};
	made.undo = [=](NthBench &) {
		EXPECT_EQ(pmap_remove(kernel_pmap, UNGROWN, UNGROWN + ptoa(npages)), KERN_SUCCESS);
	};
	made.cleanup = [=](NthBench &bench) { free_run(bench.page, npages); };
	return made;
}

/* Splits a large leaf that has no table behind it, as the backend makes them. */
NthCase split_case(const char *name, bool protect)
{
	NthCase made = enter_case(name, MMU_TABLE_ENTRIES);
	auto prepare = made.prepare;

	made.prepare = [prepare](NthBench &bench) {
		unsigned level = MMU_LEVELS;
		auto *table = static_cast<pte_t *>(arch_physmap(kernel_pmap->root));

		prepare(bench);
		ASSERT_EQ(pmap_growkernel(UNGROWN + SUPERPAGE_SIZE, UNGROWN + 2 * SUPERPAGE_SIZE),
			  KERN_SUCCESS);
		for (; level > 2; level--)
			table = static_cast<pte_t *>(
			    arch_physmap(table[MMU_INDEX(UNGROWN, level)] & PTE_ADDRESS));
		table[MMU_INDEX(UNGROWN, 2)] = VM_PAGE_TO_PHYS(bench.page) | PTE_PRESENT |
					       PTE_GLOBAL | PTE_WRITE | PTE_NX | PTE_LARGE |
					       PTE_ACCESSED | PTE_DIRTY;
	};
	made.call = [protect](NthBench &) {
		vm_offset_t start = UNGROWN + ptoa(3), end = UNGROWN + ptoa(7);
		int rv = protect ? pmap_protect(kernel_pmap, start, end, VM_PROT_READ)
				 : pmap_remove(kernel_pmap, start, end);
		unsigned level;

		EXPECT_EQ(pmap_leaf(kernel_pmap, UNGROWN, &level) != 0, true);
		EXPECT_EQ(level, rv == KERN_SUCCESS ? 1u : 2u);
		return rv == KERN_SUCCESS;
	};
	made.outside_maps = true;
	made.undo = nullptr;
	made.cleanup = [](NthBench &bench) {
		EXPECT_EQ(pmap_remove(kernel_pmap, UNGROWN, UNGROWN + SUPERPAGE_SIZE),
			  KERN_SUCCESS);
		free_run(bench.page, MMU_TABLE_ENTRIES);
	};
	return made;
}

NthCase memattr_case(const char *name, unsigned long npages)
{
	NthCase made;

	made.name = name;
	made.prepare = [=](NthBench &bench) {
		bench.page = loose_run(npages, PAGE_SIZE, VM_MEMATTR_DEFAULT);
		ASSERT_NE(bench.page, nullptr);
	};
	made.call = [=](NthBench &bench) {
		int rv = npages == 1 ? pmap_page_set_memattr(bench.page, VM_MEMATTR_UNCACHEABLE)
				     : pmap_pages_set_memattr(bench.page, npages,
							      VM_MEMATTR_WRITE_COMBINING);

		for (unsigned long i = 0; i < npages; i++)
			EXPECT_EQ(bench.page[i].memattr == VM_MEMATTR_DEFAULT, rv != KERN_SUCCESS);
		return rv == KERN_SUCCESS;
	};
	made.undo = [=](NthBench &bench) { pmap_pages_restore_memattr(bench.page, npages); };
	made.cleanup = [=](NthBench &bench) { free_run(bench.page, npages); };
	return made;
}

NthCase phys_case()
{
	return page_case(
	    "vm_phys_alloc", [] { return vm_phys_alloc(0, 2); },
	    [](vm_page_t m) { vm_phys_free(m, 2); });
}

NthCase pool_case()
{
	static struct vm_pool pool;
	NthCase made;

	made.name = "vm_pool_alloc";
	made.prepare = [](NthBench &) {
		vm_pool_init(&pool, "test", 64, 0, LOCK_RANK_MAP_ENTRIES);
	};
	made.call = [](NthBench &bench) {
		bench.item = vm_pool_alloc(&pool, VM_POOL_NORMAL, "vm_map_insert");
		return bench.item != nullptr;
	};
	made.undo = [](NthBench &bench) { vm_pool_free(&pool, bench.item); };
	return made;
}

} // namespace

std::vector<NthCase> nth_cases_pages()
{
	return {
	    object_allocate_case(),
	    page_insert_case(),
	    object_case("vm_page_alloc",
			[](vm_object_t object) {
				vm_page_t m = vm_page_alloc(object, FAR_INDEX, VM_ALLOC_NORMAL);

				if (m != nullptr)
					vm_page_wakeup(m);
				return m != nullptr;
			}),
	    object_case("vm_page_alloc_contig",
			[](vm_object_t object) {
				return vm_page_alloc_contig(object, FAR_INDEX - 4,
							    VM_ALLOC_NORMAL | VM_ALLOC_NOBUSY, 12,
							    0, ~(vm_paddr_t)0, PAGE_SIZE, 0,
							    VM_MEMATTR_DEFAULT) != nullptr;
			}),
	    page_run_case(),
	    page_case("vm_page_alloc_noobj", loose_page, vm_page_free),
	    run_case("vm_page_alloc_contig_noobj", 12, VM_MEMATTR_DEFAULT),
	    run_case("vm_page_alloc_contig_uncacheable", 12, VM_MEMATTR_UNCACHEABLE),
	    table_page_case(),
	    grow_case(),
	    enter_case("pmap_enter", 1),
	    enter_case("pmap_enter_large", MMU_TABLE_ENTRIES),
	    split_case("pmap_remove", false),
	    split_case("pmap_protect", true),
	    memattr_case("pmap_page_set_memattr", 1),
	    memattr_case("pmap_pages_set_memattr", 20),
	    phys_case(),
	    pool_case(),
	};
}

} // namespace quire
