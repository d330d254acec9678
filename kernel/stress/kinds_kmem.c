/* SPDX-License-Identifier: BSD-2-Clause */
/* Mapped kernel memory: wired, contiguous, pageable. */
#include "arch/physmap.h"
#include "kernel/stress/stress.h"
#include "vm/pmap.h"
#include "vm/vm_kern.h"

enum { SMALL_PAGES_MAX = 16, LARGE_PAGES_MAX = 96, CONTIG_PAGES_MAX = 8, PAGEABLE_PAGES_MAX = 8 };

/* The largest ranges: a part of a worker's share of memory, at most so many pages. */
enum { BULK_PART = 16, BULK_PAGES_MAX = 4096 };

static bool item_set(struct stress_item *item, vm_offset_t addr, vm_size_t size)
{
	item->addr = addr;
	item->size = size;
	return addr != 0;
}

static bool malloc_make(struct stress_worker *worker, struct stress_item *item)
{
	/* Powers of two, which have caches, half of the time. */
	unsigned pages = stress_random(worker, 2) == 0
			     ? 1u << stress_random(worker, 5)
			     : 1 + (unsigned)stress_random(worker, SMALL_PAGES_MAX);
	bool zero = stress_random(worker, 4) == 0;
	int wait = stress_wait_flag(worker);
	vm_size_t size = ptoa(pages);

	if (!item_set(item, kmem_malloc(kmem_map, size, wait | (zero ? M_ZERO : 0)), size))
		return false;
	if (zero)
		stress_check_zero(item, "fresh memory of kmem_malloc");
	return true;
}

static void malloc_drop(struct stress_item *item)
{
	kmem_free(kmem_map, item->addr, item->size);
}

static bool alloc_make(struct stress_worker *worker, struct stress_item *item)
{
	vm_size_t size = ptoa(1 + stress_random(worker, LARGE_PAGES_MAX));

	if (!item_set(item, kmem_alloc(kernel_map, size), size))
		return false;
	stress_check_zero(item, "fresh memory of kmem_alloc");
	return true;
}

static bool bulk_make(struct stress_worker *worker, struct stress_item *item)
{
	uint64_t limit = atop(worker->share_bytes / BULK_PART);
	vm_size_t size = ptoa(1 + stress_random(worker, limit < 1                ? 1
							: limit < BULK_PAGES_MAX ? limit
										 : BULK_PAGES_MAX));

	return item_set(item, kmem_alloc(kernel_map, size), size);
}

/* Some sixty of them are all of a worker's share. */
static bool hoard_make(struct stress_worker *worker, struct stress_item *item)
{
	enum { HOARD_PART = 64 };
	uint64_t least = atop(worker->share_bytes / HOARD_PART);
	vm_size_t size = ptoa(1 + least + stress_random(worker, least + 1));

	return item_set(item, kmem_alloc(kernel_map, size), size);
}

static bool contig_make(struct stress_worker *worker, struct stress_item *item)
{
	vm_size_t size = ptoa(1 + stress_random(worker, CONTIG_PAGES_MAX));

	return item_set(item,
			kmem_alloc_contig(kernel_map, size, M_NOWAIT, 0, ~(vm_paddr_t)0, PAGE_SIZE,
					  0, VM_MEMATTR_DEFAULT),
			size);
}

static void kernel_map_drop(struct stress_item *item)
{
	kmem_free(kernel_map, item->addr, item->size);
}

static bool pageable_make(struct stress_worker *worker, struct stress_item *item)
{
	vm_size_t size = ptoa(1 + stress_random(worker, PAGEABLE_PAGES_MAX));

	if (!item_set(item, kmem_alloc_wait(pipe_map, size), size))
		return false;
	stress_check_zero(item, "fresh memory of kmem_alloc_wait");
	return true;
}

static void pageable_drop(struct stress_item *item)
{
	kmem_free_wakeup(pipe_map, item->addr, item->size);
}

/* The memory behind the addresses, page by page through the direct map. */
static void wired_inspect(struct stress_worker *worker, struct stress_item *item)
{
	for (vm_size_t at = 0; at < item->size; at += PAGE_SIZE) {
		vm_paddr_t pa = pmap_kextract(item->addr + at);
		const volatile uint64_t *physical = (const volatile uint64_t *)arch_physmap(pa);
		const volatile uint64_t *mapped = (const volatile uint64_t *)(item->addr + at);

		if (pa == 0 || *physical != *mapped) {
			stress_error("%s %#lx: at %#lx the mapping reads %#lx, and its page %#lx",
				     item->kind->name, (unsigned long)item->addr,
				     (unsigned long)(item->addr + at), (unsigned long)*mapped,
				     pa == 0 ? 0 : (unsigned long)*physical);
			return;
		}
		worker->bytes += sizeof(*mapped);
	}
}

const struct stress_kind stress_kinds_kmem[] = {
    {"kmem", "kmem_malloc of 1 to 16 pages", 20, malloc_make, malloc_drop, wired_inspect},
    {"large", "kmem_alloc of up to 96 pages, zero-filled", 3, alloc_make, kernel_map_drop,
     wired_inspect},
    {"bulk", "kmem_alloc of up to 16 MiB", 1, bulk_make, kernel_map_drop, wired_inspect},
    {"contig", "kmem_alloc_contig of up to 8 pages", 2, contig_make, kernel_map_drop,
     wired_inspect},
    {"pageable", "kmem_alloc_wait of up to 8 pages", 3, pageable_make, pageable_drop, NULL},
    {NULL, NULL, 0, NULL, NULL, NULL},
};

const struct stress_kind stress_kinds_hoard[] = {
    {"hoard", "kmem_alloc of a large part of memory", 20, hoard_make, kernel_map_drop,
     wired_inspect},
    {NULL, NULL, 0, NULL, NULL, NULL},
};
