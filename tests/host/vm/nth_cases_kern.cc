/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions of vm_kern.h and vm_fault.h that allocate. */
#include "tests/host/vm/nth_failure.h"

namespace quire
{

namespace
{

constexpr vm_paddr_t ANYWHERE = ~(vm_paddr_t)0;
constexpr vm_size_t MANY = 260; /* pages, each of which may be the one that is missing */

NthCase alloc_case(const char *name, vm_map_t *map, vm_size_t size,
		   const std::function<vm_offset_t(vm_map_t)> &alloc)
{
	NthCase made;

	made.name = name;
	made.call = [=](NthBench &bench) { return (bench.addr = alloc(*map)) != 0; };
	made.undo = [=](NthBench &bench) { kmem_free(*map, bench.addr, size); };
	return made;
}

NthCase phys_case(const char *name, vm_size_t pages, int flags, vm_memattr_t attr, bool contig)
{
	return alloc_case(name, &kernel_map, ptoa(pages), [=](vm_map_t map) {
		return contig ? kmem_alloc_contig(map, ptoa(pages), flags, 0, ANYWHERE, PAGE_SIZE,
						  0, attr)
			      : kmem_alloc_attr(map, ptoa(pages), flags, 0, ANYWHERE, attr);
	});
}

NthCase malloc_case(const char *name, vm_size_t pages, int flags)
{
	NthCase made = alloc_case(name, &kmem_map, ptoa(pages), [=](vm_map_t map) {
		return kmem_malloc(map, ptoa(pages), flags);
	});

	made.certain = (flags & M_WAITOK) != 0;
	return made;
}

NthCase back_case(const char *name, vm_size_t pages, int flags)
{
	NthCase made;

	made.name = name;
	made.call = [=](NthBench &bench) {
		int rv;

		bench.addr = kmem_map->min_offset + ptoa(7);
		vm_map_lock(kmem_map);
		rv = kmem_back(kmem_map, bench.addr, ptoa(pages), flags);
		vm_map_unlock(kmem_map);
		return rv == KERN_SUCCESS;
	};
	made.undo = [=](NthBench &bench) { kmem_free(kmem_map, bench.addr, ptoa(pages)); };
	return made;
}

/* The middle of a range, so that entries are split, and a part of a large page. */
NthCase free_case(const char *name, vm_size_t pages, bool pageable)
{
	NthCase made;

	made.name = name;
	made.certain = true;
	made.prepare = [=](NthBench &bench) {
		bench.addr = pageable ? kmem_alloc_wait(pipe_map, ptoa(pages))
				      : kmem_alloc(kernel_map, ptoa(pages));
		ASSERT_NE(bench.addr, 0u);
	};
	made.call = [=](NthBench &bench) {
		if (pageable)
			kmem_free_wakeup(pipe_map, bench.addr + ptoa(2), ptoa(3));
		else
			kmem_free(kernel_map, bench.addr + ptoa(2), ptoa(3));
		return true;
	};
	made.cleanup = [=](NthBench &bench) {
		EXPECT_EQ(vm_map_remove(pageable ? pipe_map : kernel_map, bench.addr,
					bench.addr + ptoa(pages)),
			  KERN_SUCCESS);
	};
	return made;
}

/* The same, but it waits in quarantine, for which memory may be missing; then it goes back. */
NthCase quarantine_case()
{
	NthCase made = free_case("kmem_free_quarantine", 8, false);
	auto free = made.call;

	made.call = [free](NthBench &bench) {
		kmem_quarantine_set_immediate(false);
		free(bench);
		kmem_quarantine_set_immediate(true);
		return kmem_quarantine_pages() == 0;
	};
	return made;
}

NthCase wait_case()
{
	NthCase made;

	made.name = "kmem_alloc_wait";
	made.call = [](NthBench &bench) {
		return (bench.addr = kmem_alloc_wait(pipe_map, ptoa(9))) != 0;
	};
	made.undo = [](NthBench &bench) { kmem_free_wakeup(pipe_map, bench.addr, ptoa(9)); };
	return made;
}

NthCase fault_case()
{
	NthCase made;

	made.name = "vm_fault";
	made.certain = true;
	made.prepare = [](NthBench &bench) { bench.addr = kmem_alloc_wait(pipe_map, ptoa(4)); };
	made.call = [](NthBench &bench) {
		return vm_fault(kernel_map, bench.addr + PAGE_SIZE, VM_PROT_WRITE) == KERN_SUCCESS;
	};
	made.cleanup = [](NthBench &bench) { kmem_free_wakeup(pipe_map, bench.addr, ptoa(4)); };
	return made;
}

} // namespace

std::vector<NthCase> nth_cases_kern()
{
	const vm_size_t large = SUPERPAGE_SIZE + ptoa(8);

	return {
	    alloc_case("kmem_alloc", &kernel_map, ptoa(MANY),
		       [](vm_map_t map) { return kmem_alloc(map, ptoa(MANY)); }),
	    alloc_case("kmem_alloc_in_submap", &pipe_map, ptoa(5),
		       [](vm_map_t map) { return kmem_alloc(map, ptoa(5)); }),
	    alloc_case("kmem_alloc_large", &kernel_map, large,
		       [large](vm_map_t map) { return kmem_alloc(map, large); }),
	    alloc_case("kmem_alloc_nofault", &kernel_map, ptoa(3),
		       [](vm_map_t map) { return kmem_alloc_nofault(map, ptoa(3)); }),
	    alloc_case("kmem_alloc_nofault_space", &kernel_map, SUPERPAGE_SIZE,
		       [](vm_map_t map) {
			       return kmem_alloc_nofault_space(map, SUPERPAGE_SIZE,
							       VMFS_ALIGNED_SPACE);
		       }),
	    phys_case("kmem_alloc_attr", MANY, M_NOWAIT, VM_MEMATTR_DEFAULT, false),
	    phys_case("kmem_alloc_attr_waitok", 20, M_WAITOK | M_ZERO, VM_MEMATTR_DEFAULT, false),
	    phys_case("kmem_alloc_attr_uncacheable", MANY, M_NOWAIT, VM_MEMATTR_UNCACHEABLE, false),
	    phys_case("kmem_alloc_contig", 20, M_NOWAIT, VM_MEMATTR_DEFAULT, true),
	    phys_case("kmem_alloc_contig_waitok", 20, M_WAITOK, VM_MEMATTR_DEFAULT, true),
	    phys_case("kmem_alloc_contig_combining", 20, M_WAITOK, VM_MEMATTR_WRITE_COMBINING,
		      true),
	    malloc_case("kmem_malloc_nowait", MANY, M_NOWAIT),
	    malloc_case("kmem_malloc_nowait_exec", 4, M_NOWAIT | M_EXEC),
	    malloc_case("kmem_malloc_reserve", 4, M_NOWAIT | M_USE_RESERVE | M_ZERO),
	    malloc_case("kmem_malloc_waitok", MANY, M_WAITOK),
	    back_case("kmem_back_nowait", MANY, M_NOWAIT),
	    back_case("kmem_back_waitok", MANY, M_WAITOK),
	    quarantine_case(),
	    free_case("kmem_free", 12, false),
	    free_case("kmem_free_large", 512, false),
	    free_case("kmem_free_wakeup", 12, true),
	    wait_case(),
	    fault_case(),
	};
}

} // namespace quire
