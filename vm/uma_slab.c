/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slabs: from the page allocator or kmem_map, with all their items made, and back. And the way
 * from an address to its slab, through the page's descriptor: one look, whatever the zone.
 */
#include "arch/physmap.h"
#include "kernel/sched/mutex.h"
#include "lib/check.h"
#include "lib/string.h"
#include "smp/preempt.h"
#include "vm/pmap.h"
#include "vm/uma_private.h"
#include "vm/vm_kern_private.h"
#include "vm/vm_page.h"
#include "vm/vm_phys.h"
#include "vm/vm_pool.h"

struct uma_homes uma_homes;

/* Headers of slabs that have none inside. */
static struct vm_pool header_pool;

/* --- From an address to what is there --- */

vm_page_t uma_page_at(const void *ptr)
{
	vm_page_t m = uma_page_short(ptr);
	vm_offset_t va = (vm_offset_t)ptr;
	vm_paddr_t pa;

	if (likely(m != NULL))
		return m;
	if (!uma_in_kmem(ptr))
		return PHYS_TO_VM_PAGE(arch_physmap_paddr(ptr));
	pa = pmap_kextract(va);
	return pa != 0 ? PHYS_TO_VM_PAGE(pa) : NULL;
}

/* Keeps the segment if it is one of the largest so far. */
static void home_consider(const struct vm_phys_segment *segment)
{
	struct uma_home home = {(const char *)arch_physmap(segment->start),
				segment->end - segment->start, segment->first};

	for (unsigned i = 0; i < UMA_HOMES; i++) {
		struct uma_home smaller = uma_homes.home[i];

		if (smaller.size >= home.size)
			continue;
		uma_homes.home[i] = home;
		home = smaller;
	}
}

static void homes_find(void)
{
	memset(&uma_homes, 0, sizeof(uma_homes));
	for (unsigned i = 0; i < vm_phys_segment_count(); i++)
		home_consider(vm_phys_segment(i));
}

void uma_slab_startup(void)
{
	homes_find();
	vm_pool_init(&header_pool, "slab headers",
		     sizeof(struct uma_slab) + sizeof(uint64_t[2 * UMA_HEADER_WORDS]), 0,
		     LOCK_RANK_SLAB);
}

static void page_set_zone(vm_page_t m, void *zone)
{
	/* Release: whoever gets the item's address gets the slab's header with it. */
	atomic_ptr_store(&m->zone, zone, MO_RELEASE);
}

uma_zone_t uma_zone_of(const void *item)
{
	struct uma_slab *slab = uma_slab_of(item);

	return slab != NULL ? slab->zone : NULL;
}

/* --- Memory --- */

/* A run of pages of the direct map, wired; *pages is how many it became. */
static vm_page_t run_take(const struct uma_shape *shape, int flags, unsigned *pages)
{
	int req = kmem_page_request(flags & ~M_ZERO) | VM_ALLOC_WIRED | VM_ALLOC_NOOBJ;
	vm_page_t run = NULL;

	*pages = shape->pages;
	if (*pages > 1)
		run = vm_page_alloc_contig(NULL, 0, req, *pages, 0, ~(vm_paddr_t)0, PAGE_SIZE, 0,
					   VM_MEMATTR_DEFAULT);
	if (run != NULL)
		return run;
	*pages = shape->pages_min;
	if (*pages == 1)
		return vm_page_alloc(NULL, 0, req);
	if (*pages == shape->pages)
		return NULL;
	return vm_page_alloc_contig(NULL, 0, req, *pages, 0, ~(vm_paddr_t)0, PAGE_SIZE, 0,
				    VM_MEMATTR_DEFAULT);
}

static void run_give(vm_page_t run, unsigned pages)
{
	for (unsigned i = 0; i < pages; i++) {
		run[i].state = VM_PAGE_ALLOCATED;
		vm_page_unwire(&run[i]);
		vm_page_free(&run[i]);
	}
}

/*
 * Where the items begin. Slabs that are cut alike would have their headers and first items in the
 * same few sets of every cache; what is left over at the end shifts each page's by some lines,
 * other pages by others.
 */
static unsigned colour(const struct uma_shape *shape, unsigned pages, vm_page_t run)
{
	unsigned step = shape->align > CACHE_LINE ? shape->align : CACHE_LINE;
	unsigned left = (unsigned)ptoa(pages) - uma_shape_header(shape, pages) -
			uma_shape_capacity(shape, pages) * shape->slot;

	return (unsigned)(atop(VM_PAGE_TO_PHYS(run)) % (left / step + 1)) * step;
}

static struct uma_slab *slab_in_pages(uma_zone_t zone, struct uma_slab *header, int flags)
{
	const struct uma_shape *shape = &zone->shape;
	unsigned pages;
	vm_page_t run = run_take(shape, flags, &pages);
	char *base;

	if (run == NULL)
		return NULL;
	base = (char *)arch_physmap(VM_PAGE_TO_PHYS(run));
	/* No header was taken: it is to be inside. */
	if (header == NULL)
		header = (struct uma_slab *)(void *)base;
	header->pages = (uint16_t)pages;
	header->domain = run->domain;
	header->data = base + uma_shape_header(shape, pages) + colour(shape, pages, run);
	for (unsigned i = 0; i < pages; i++) {
		run[i].state = VM_PAGE_SLAB;
		page_set_zone(&run[i], header);
	}
	return header;
}

static void kmem_set_zone(vm_offset_t va, unsigned pages, void *zone)
{
	for (unsigned i = 0; i < pages; i++)
		page_set_zone(PHYS_TO_VM_PAGE(pmap_kextract(va + ptoa(i))), zone);
}

static struct uma_slab *slab_in_kmem(uma_zone_t zone, struct uma_slab *header, int flags)
{
	unsigned pages = zone->shape.pages_min;
	vm_offset_t va;

	CHECK(header != NULL); /* only items that fit a page have it inside */
	va = kmem_malloc(kmem_map, ptoa(pages), flags & ~(M_ZERO | M_EXEC));
	if (va == 0)
		return NULL;
	header->pages = (uint16_t)pages;
	header->domain = PHYS_TO_VM_PAGE(pmap_kextract(va))->domain;
	header->data = (char *)va;
	kmem_set_zone(va, pages, header);
	return header;
}

/* The header's own memory: NULL if it is to be inside. False when there is none to be had. */
static bool header_take(const struct uma_shape *shape, int flags, struct uma_slab **header)
{
	bool reserve = (flags & (M_NOWAIT | M_USE_RESERVE)) == (M_NOWAIT | M_USE_RESERVE);

	*header = NULL;
	if (shape->header_inside)
		return true;
	*header = (struct uma_slab *)vm_pool_alloc(
	    &header_pool, reserve ? VM_POOL_RESERVE : VM_POOL_NORMAL, "uma_slab_header");
	return *header != NULL;
}

/* The pages, and the header wherever it is. No item is there any more. */
static void slab_release(struct uma_slab *slab)
{
	const struct uma_shape *shape = &slab->zone->shape;
	vm_offset_t va = trunc_page((vm_offset_t)slab->data);
	struct uma_slab *header = shape->header_inside ? NULL : slab;
	unsigned pages = slab->pages;

	if (uma_in_kmem(slab->data)) {
		kmem_set_zone(va, pages, NULL);
		kmem_free(kmem_map, va, ptoa(pages));
	} else {
		vm_page_t run = uma_page_at(slab->data);

		for (unsigned i = 0; i < pages; i++)
			page_set_zone(&run[i], NULL);
		run_give(run, pages);
	}
	if (header != NULL)
		vm_pool_free(&header_pool, header);
}

/* --- Items --- */

static void items_end(struct uma_slab *slab, unsigned count)
{
	uma_zone_t zone = slab->zone;

	for (unsigned i = 0; zone->fini != NULL && i < count; i++)
		zone->fini(uma_slab_item(slab, i), (int)zone->shape.size);
}

/* False, with none left, when uminit refuses one. */
static bool items_make(struct uma_slab *slab, int flags)
{
	uma_zone_t zone = slab->zone;

	for (unsigned i = 0; i < slab->capacity; i++) {
		void *item = uma_slab_item(slab, i);

		if (zone->flags & UMA_ZONE_ZINIT)
			uma_bytes_fill(item, 0, zone->shape.size, 0);
		if (zone->init != NULL && zone->init(item, (int)zone->shape.size, flags) != 0) {
			items_end(slab, i);
			return false;
		}
		if (uma_special(zone) & UMA_SPECIAL_DEBUG)
			uma_debug_init(zone, item);
	}
	return true;
}

static void slab_begin(uma_zone_t zone, struct uma_slab *slab)
{
	unsigned words;

	slab->head.zone = &zone->head;
	slab->capacity = (uint16_t)uma_shape_capacity(&zone->shape, slab->pages);
	slab->used = 0;
	slab->place = UMA_SLAB_PLACES;
	words = uma_slab_words(slab);
	for (unsigned i = 0; i < 2 * words; i++)
		slab->bitmap[i] = 0;
	/* Bits behind the last item are never free. */
	if (slab->capacity % 64 != 0)
		slab->bitmap[words - 1] = ~UINT64_C(0) << slab->capacity % 64;
}

/*
 * Single pages may be left where there is no run for an item. Who holds a lock may not come to the
 * map for them, unless the zone is of that kind anyway and its users know.
 */
static bool kmem_may_serve(uma_zone_t zone)
{
	if (zone->shape.kmem)
		return true;
	return zone->shape.pages_min > 1 && sleep_allowed() && mutex_highest_held().lock == NULL;
}

struct uma_slab *uma_slab_create(uma_zone_t zone, int flags, bool *refused)
{
	struct uma_slab *header, *slab;

	*refused = false;
	if (arch_fault_point("uma_slab_create") || !header_take(&zone->shape, flags, &header))
		return NULL;
	slab = zone->shape.kmem ? NULL : slab_in_pages(zone, header, flags);
	if (slab == NULL && kmem_may_serve(zone))
		slab = slab_in_kmem(zone, header, flags);
	if (slab == NULL) {
		if (header != NULL)
			vm_pool_free(&header_pool, header);
		return NULL;
	}
	slab_begin(zone, slab);
	if (items_make(slab, flags))
		return slab;
	*refused = true;
	slab_release(slab);
	return NULL;
}

void uma_slab_destroy(struct uma_slab *slab)
{
	CHECK_EQ(slab->used, 0);
	items_end(slab, slab->capacity);
	slab_release(slab);
}

/* --- Large --- */

void *uma_large_malloc(size_t size, int flags)
{
	vm_offset_t va = kmem_malloc(kmem_map, size, flags);

	if (va != 0)
		kmem_set_zone(va, 1, (void *)((uintptr_t)size << 1 | UMA_LARGE));
	return (void *)va;
}

/* Only the first page's descriptor knows. */
size_t uma_large_size(const void *ptr)
{
	vm_page_t m = uma_page_at(ptr);
	uintptr_t zone;

	if (m == NULL || ((vm_offset_t)ptr & PAGE_MASK) != 0)
		return 0;
	zone = (uintptr_t)atomic_ptr_load(&m->zone, MO_ACQUIRE);
	return zone & UMA_LARGE ? zone >> 1 : 0;
}

void uma_large_free(void *ptr)
{
	size_t size = uma_large_size(ptr);

	CHECK_NE(size, 0);
	kmem_set_zone((vm_offset_t)ptr, 1, NULL);
	kmem_free(kmem_map, (vm_offset_t)ptr, size);
}
