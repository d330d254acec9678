/* SPDX-License-Identifier: BSD-2-Clause */
/* Physical pages, one by one and in runs, reached through the direct map. */
#include "arch/physmap.h"
#include "kernel/stress/stress.h"
#include "vm/pmap.h"
#include "vm/vm_kern.h"
#include "vm/vm_page.h"

enum { RUN_PAGES_MAX = 16 };

static vm_page_t item_page(const struct stress_item *item)
{
	return (vm_page_t)item->extra;
}

static void item_set(struct stress_item *item, vm_page_t first, unsigned long npages)
{
	item->extra = first;
	item->addr = (vm_offset_t)arch_physmap(VM_PAGE_TO_PHYS(first));
	item->size = ptoa(npages);
}

static bool page_make(struct stress_worker *worker, struct stress_item *item)
{
	int req = VM_ALLOC_NORMAL | VM_ALLOC_NOOBJ | VM_ALLOC_WIRED;
	vm_page_t page;

	if (stress_random(worker, 4) == 0)
		req |= VM_ALLOC_ZERO;
	page = vm_page_alloc(NULL, 0, req);
	if (page == NULL)
		return false;
	item_set(item, page, 1);
	if (page->flags & PG_ZERO)
		stress_check_zero(item, "a page known to be zero");
	return true;
}

static void page_drop(struct stress_item *item)
{
	vm_page_unwire(item_page(item));
	vm_page_free(item_page(item));
}

static bool run_make(struct stress_worker *worker, struct stress_item *item)
{
	unsigned long npages = 1 + stress_random(worker, RUN_PAGES_MAX);
	vm_size_t alignment = PAGE_SIZE << stress_random(worker, 4);
	vm_page_t first =
	    vm_page_alloc_contig(NULL, 0, VM_ALLOC_NORMAL | VM_ALLOC_NOOBJ | VM_ALLOC_WIRED, npages,
				 0, ~(vm_paddr_t)0, alignment, 0, VM_MEMATTR_DEFAULT);

	if (first == NULL)
		return false;
	item_set(item, first, npages);
	if (VM_PAGE_TO_PHYS(first) % alignment != 0)
		stress_error("a run at %#lx is not aligned to %#lx", (unsigned long)item->addr,
			     (unsigned long)alignment);
	return true;
}

static void run_drop(struct stress_item *item)
{
	for (unsigned long i = 0; i < atop(item->size); i++) {
		vm_page_unwire(&item_page(item)[i]);
		vm_page_free(&item_page(item)[i]);
	}
}

/* The same pages through a mapping that is younger than any TLB entry. */
static void pages_inspect(struct stress_worker *worker, struct stress_item *item)
{
	unsigned count = (unsigned)atop(item->size);
	vm_page_t pages[RUN_PAGES_MAX];
	vm_offset_t va = kmem_alloc_nofault(kernel_map, item->size);

	if (va == 0)
		return;
	for (unsigned i = 0; i < count; i++)
		pages[i] = &item_page(item)[i];
	pmap_qenter(va, pages, count);
	stress_check(worker, item, va, "through a fresh mapping");
	pmap_qremove(va, count);
	kmem_free(kernel_map, va, item->size);
}

const struct stress_kind stress_kinds_pages[] = {
    {"page", "single pages, some of them known to be zero", 10, page_make, page_drop,
     pages_inspect},
    {"run", "physically contiguous, aligned runs of up to 16 pages", 4, run_make, run_drop,
     pages_inspect},
    {NULL, NULL, 0, NULL, NULL, NULL},
};
