/* SPDX-License-Identifier: BSD-2-Clause */
/* The kmem caches as a whole: making, switching, emptying, counting. */
#include "arch/physmap.h"
#include "lib/check.h"
#include "lib/panic.h"
#include "smp/percpu.h"
#include "smp/smp.h"
#include "vm/pmap.h"
#include "vm/vm_kern_cache_private.h"
#include "vm/vm_page.h"
#include "vm/vm_phys.h"

enum {
	RAM_SHARE = 128, /* one in so many pages of RAM may lie in the caches of one size */
	CACHES_MAX = 2 * KMEM_CACHE_PAGES_MAX,
};

/* From boot on, in the direct map: a tag must not need the mappings that it speaks of. */
static uint8_t *tags_alloc(uint64_t count)
{
	unsigned long npages = atop(round_page(count));
	vm_page_t run =
	    vm_page_alloc_contig(NULL, 0, VM_ALLOC_SYSTEM | VM_ALLOC_NOOBJ | VM_ALLOC_WIRED, npages,
				 0, ~(vm_paddr_t)0, PAGE_SIZE, 0, VM_MEMATTR_DEFAULT);

	if (run == NULL)
		return NULL;
	for (unsigned long i = 0; i < npages; i++)
		pmap_zero_page(&run[i]);
	return (uint8_t *)arch_physmap(VM_PAGE_TO_PHYS(run));
}

static void cache_init(uint64_t npages, uint64_t ram_pages)
{
	static const char *const names[KMEM_CACHE_PAGES_MAX] = {
	    "kmem 1", "kmem 2",  "kmem 3",  "kmem 4",  "kmem 5",  "kmem 6",  "kmem 7",  "kmem 8",
	    "kmem 9", "kmem 10", "kmem 11", "kmem 12", "kmem 13", "kmem 14", "kmem 15", "kmem 16",
	};
	struct mag_cache_config config = {
	    .name = names[npages - 1],
	    .rounds_min = 2,
	    .rounds_max = MAG_ROUNDS,
	    .items_max = ram_pages / RAM_SHARE / npages + 1,
	    .import = kmem_ranges_import,
	    .release = kmem_ranges_release,
	    .is_short = kmem_ranges_are_short,
	    .ctx = (void *)(uintptr_t)npages,
	};

	/* Without a place in the CPUs' areas each call takes the long way. */
	(void)mag_cache_init(&kmem_caches.any[npages - 1], &config);
	atomic32_store(&kmem_caches.zero_wanted[npages - 1], 0, MO_RELAXED);
	if (!kmem_has_zeroed(npages - 1))
		return;
	config.items_max = (uint64_t)KMEM_ZERO_WANTED * 2 * smp_cpu_count();
	config.import = NULL;
	(void)mag_cache_init(&kmem_caches.zeroed[npages - 1], &config);
}

void kmem_cache_init(void)
{
	uint64_t ram_pages = 0;

	for (unsigned domain = 0; domain < vm_phys_domain_count(); domain++)
		ram_pages += vm_phys_total_pages(domain);
	kmem_caches.map = NULL;
	atomic32_store(&kmem_caches.on, 0, MO_RELAXED);
	kmem_caches.base = kmem_map->min_offset;
	kmem_caches.count = atop(kmem_map->max_offset - kmem_map->min_offset);
	kmem_caches.tags = tags_alloc(kmem_caches.count);
	kmem_caches.tag_of_page_0 = (uintptr_t)kmem_caches.tags - (kmem_caches.base >> PAGE_SHIFT);
	if (kmem_caches.tags == NULL) {
		kprintf(
		    "vm: no memory for the tags of kmem_map: kmem_malloc works without caches\n");
		return;
	}
	for (uint64_t npages = 1; npages <= KMEM_CACHE_PAGES_MAX; npages++)
		cache_init(npages, ram_pages);
	kmem_cache_enable(true);
	kmem_caches.map = kmem_map;
}

/* All caches, in out[CACHES_MAX]; returns how many. */
static unsigned collect(struct mag_cache **out)
{
	unsigned n = 0;

	for (unsigned i = 0; i < KMEM_CACHE_PAGES_MAX; i++) {
		out[n++] = &kmem_caches.any[i];
		if (kmem_has_zeroed(i))
			out[n++] = &kmem_caches.zeroed[i];
	}
	return n;
}

uint64_t kmem_cache_drain(void)
{
	struct mag_cache *all[CACHES_MAX];
	uint64_t before;

	if (kmem_caches.tags == NULL)
		return 0;
	before = kmem_cache_cached_pages();
	(void)mag_cache_drain_many(all, collect(all));
	return before;
}

void kmem_cache_enable(bool on)
{
	if (kmem_caches.tags == NULL)
		return;
	atomic32_store(&kmem_caches.on, on, MO_RELAXED);
	for (unsigned i = 0; i < KMEM_CACHE_PAGES_MAX; i++)
		atomic32_store(&kmem_cache_stacks[i],
			       on ? kmem_caches.any[i].offset : PERCPU_ZERO_OFFSET, MO_RELAXED);
	if (!on)
		(void)kmem_cache_drain();
}

bool kmem_cache_enabled(void)
{
	return atomic32_load(&kmem_caches.on, MO_RELAXED) != 0;
}

/* --- Figures --- */

uint64_t kmem_cache_cached_pages(void)
{
	uint64_t pages = 0;

	if (kmem_caches.tags == NULL)
		return 0;
	for (uint64_t npages = 1; npages <= KMEM_CACHE_PAGES_MAX; npages++) {
		pages += npages * mag_cache_cached(&kmem_caches.any[npages - 1]);
		if (kmem_has_zeroed(npages - 1))
			pages += npages * mag_cache_cached(&kmem_caches.zeroed[npages - 1]);
	}
	return pages;
}

void kmem_cache_stats(unsigned npages, int cpu, struct mag_cache_stats *stats)
{
	CHECK(npages >= 1 && npages <= KMEM_CACHE_PAGES_MAX);
	*stats = (struct mag_cache_stats){0};
	if (kmem_caches.tags != NULL)
		mag_cache_sum(&kmem_caches.any[npages - 1], cpu, stats);
}

void kmem_cache_zeroed_stats(unsigned npages, int cpu, struct mag_cache_stats *stats)
{
	CHECK(npages >= 1 && npages <= KMEM_CACHE_PAGES_MAX);
	*stats = (struct mag_cache_stats){0};
	if (kmem_caches.tags != NULL && kmem_has_zeroed(npages - 1))
		mag_cache_sum(&kmem_caches.zeroed[npages - 1], cpu, stats);
}
