/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel memory that cares where it is: pages in a physical range, or one run of them.
 *
 * The pages are put into kernel_object first, under an entry that is in transition, and the range
 * is wired like any other when all are there; so the map is not locked while memory is reclaimed,
 * and a failure has one way back: the range is deleted.
 */
#include "lib/bits.h"
#include "lib/check.h"
#include "vm/pmap.h"
#include "vm/vm_kern_private.h"
#include "vm/vm_kern_quarantine.h"
#include "vm/vm_map_private.h"
#include "vm/vm_object.h"
#include "vm/vm_page.h"
#include "vm/vm_pageout.h"

/* What the pages of a request must be like. */
struct phys_request {
	int flags;
	vm_paddr_t low, high;
	vm_size_t alignment, boundary;
	vm_memattr_t memattr;
};

/* Could any memory ever meet it? `size` is that of one run. */
static bool request_possible(const struct phys_request *request, vm_size_t size)
{
	return request->low < request->high && request->memattr <= VM_MEMATTR_WRITE_PROTECTED &&
	       is_pow2(request->alignment) &&
	       (request->boundary == 0 ||
		(is_pow2(request->boundary) && request->boundary >= size));
}

/* Tries again, with reclaim in between: once for those who cannot wait, else three times. */
static int retries_for(int flags)
{
	return flags & M_WAITOK ? 3 : 1;
}

/* npages neighbouring frames at the index, or NULL. The range is the caller's. */
static vm_page_t run_alloc(const struct phys_request *request, vm_pindex_t pindex,
			   unsigned long npages)
{
	int req = kmem_page_request(request->flags) | VM_ALLOC_NOBUSY;
	vm_page_t run;

	for (int tries = 0;; tries++) {
		VM_OBJECT_WLOCK(kernel_object);
		run = vm_page_alloc_contig(kernel_object, pindex, req, npages, request->low,
					   request->high, request->alignment, request->boundary,
					   VM_MEMATTR_DEFAULT);
		VM_OBJECT_WUNLOCK(kernel_object);
		if (run != NULL || tries >= retries_for(request->flags))
			return run;
		vm_pageout_grow_cache(tries, request->low, request->high);
	}
}

static bool run_prepare(const struct phys_request *request, vm_page_t run, unsigned long npages)
{
	for (unsigned long i = 0; i < npages; i++) {
		if ((request->flags & M_ZERO) != 0 && (run[i].flags & PG_ZERO) == 0)
			pmap_zero_page(&run[i]);
		run[i].valid = VM_PAGE_BITS_ALL;
	}
	return request->memattr == VM_MEMATTR_DEFAULT ||
	       pmap_pages_set_memattr(run, npages, request->memattr) == KERN_SUCCESS;
}

/* Fills [addr, addr + size) with runs of run_pages pages. */
static bool range_fill(const struct phys_request *request, vm_offset_t addr, vm_size_t size,
		       unsigned long run_pages)
{
	for (vm_offset_t va = addr; va < addr + size; va += ptoa(run_pages)) {
		vm_page_t run = run_alloc(request, atop(va - VM_MIN_KERNEL_ADDRESS), run_pages);

		if (run == NULL || !run_prepare(request, run, run_pages))
			return false;
	}
	return true;
}

/* Reserves a range, fills it with the map unlocked, and wires it. Map locked. */
static vm_offset_t alloc_locked(vm_map_t map, const struct phys_request *request, vm_size_t size,
				unsigned long run_pages)
{
	vm_map_entry_t entry;
	vm_offset_t addr;
	bool filled;

	if (vm_map_findspace(map, map->min_offset, size, &addr) != 0 ||
	    kmem_insert(map, kernel_object, addr, size, VM_PROT_RW) != KERN_SUCCESS)
		return 0;
	/* Cannot fail: the entry is exact, nothing is split. */
	CHECK_EQ(map_transition_begin(map, addr, addr + size, VM_POOL_NORMAL), KERN_SUCCESS);
	CHECK(vm_map_lookup_entry(map, addr, &entry));
	/* So that the removal gives it back. */
	entry->has_memattr = request->memattr != VM_MEMATTR_DEFAULT;
	vm_map_unlock(map);
	filled = range_fill(request, addr, size, run_pages);
	vm_map_lock(map);
	map_transition_end(map, addr, addr + size);
	if (filled && map_wire_locked(map, addr, addr + size) == KERN_SUCCESS)
		return addr;
	kmem_delete_certainly(map, addr, addr + size);
	return 0;
}

static vm_offset_t alloc_phys(vm_map_t map, const struct phys_request *request, vm_size_t size,
			      unsigned long run_pages)
{
	vm_offset_t addr;

	if (!request_possible(request, ptoa(run_pages)))
		return 0;
	vm_map_lock(map);
	addr = alloc_locked(map, request, size, run_pages);
	vm_map_unlock(map);
	/* Pages were reclaimed in there; what may be missing is a place. */
	if (addr == 0 && kmem_quarantine_flush() != 0) {
		vm_map_lock(map);
		addr = alloc_locked(map, request, size, run_pages);
		vm_map_unlock(map);
	}
	return addr;
}

vm_offset_t kmem_alloc_attr(vm_map_t map, vm_size_t size, int flags, vm_paddr_t low,
			    vm_paddr_t high, vm_memattr_t memattr)
{
	struct phys_request request = {flags, low, high, PAGE_SIZE, 0, memattr};

	if (size == 0 || !round_page_checked(size, &size))
		return 0;
	return alloc_phys(map, &request, size, 1);
}

vm_offset_t kmem_alloc_contig(vm_map_t map, vm_size_t size, int flags, vm_paddr_t low,
			      vm_paddr_t high, vm_size_t alignment, vm_size_t boundary,
			      vm_memattr_t memattr)
{
	struct phys_request request = {flags, low, high, alignment, boundary, memattr};

	if (size == 0 || !round_page_checked(size, &size))
		return 0;
	return alloc_phys(map, &request, size, atop(size));
}
