/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ranges on their way into the kmem caches and out of them, and what others ask about them.
 */
#include "lib/check.h"
#include "smp/preempt.h"
#include "vm/pmap.h"
#include "vm/vm_kern_cache_private.h"
#include "vm/vm_magazine.h"
#include "vm/vm_page.h"
#include "vm/vm_pageout_internal.h"

enum { IMPORT_PAGES = 64 }; /* taken at a time, when there is plenty */

void kmem_range_zero(vm_offset_t addr, uint64_t npages)
{
	for (uint64_t i = 0; i < npages; i++)
		pmap_zero_page(PHYS_TO_VM_PAGE(pmap_kextract(addr + ptoa(i))));
}

/* --- Ranges come and go --- */

static void tags_set(vm_offset_t addr, uint64_t npages)
{
	uint8_t *tag = &kmem_caches.tags[atop(addr - kmem_caches.base)];

	tag[0] = (uint8_t)(KMEM_TAG_CACHED + npages);
	for (uint64_t i = 1; i < npages; i++)
		tag[i] = KMEM_TAG_INSIDE;
}

static void tags_clear(vm_offset_t addr, uint64_t npages)
{
	uint8_t *tag = &kmem_caches.tags[atop(addr - kmem_caches.base)];

	for (uint64_t i = 0; i < npages; i++)
		tag[i] = KMEM_TAG_NONE;
}

/* How many ranges at once. One is a duty and the others are a gain, not worth a reserve. */
static unsigned import_count(uint64_t npages, unsigned want, int flags)
{
	unsigned count = (unsigned)(IMPORT_PAGES / npages);

	if ((flags & M_USE_RESERVE) != 0 || vm_page_wanted())
		return 1;
	return count < want ? count : want;
}

unsigned kmem_ranges_import(void *ctx, void **items, unsigned want, int flags)
{
	uint64_t npages = (uint64_t)(uintptr_t)ctx;
	unsigned count = import_count(npages, want, flags);
	int plain = flags & ~M_ZERO;
	vm_offset_t addr = 0;

	if (count > 1)
		addr = kmem_malloc_uncached(kmem_map, ptoa(npages) * count,
					    (plain & ~M_WAITOK) | M_NOWAIT,
					    (const void *)kmem_ranges_import);
	if (addr == 0) {
		count = 1;
		addr = kmem_malloc_uncached(kmem_map, ptoa(npages), plain,
					    (const void *)kmem_ranges_import);
	}
	if (addr == 0)
		return 0;
	for (unsigned i = 0; i < count; i++)
		tags_set(addr + ptoa(npages) * i, npages);
	/* The lowest address is the caller's; the others come off the stack from low to high. */
	items[0] = (void *)addr;
	for (unsigned i = 1; i < count; i++)
		items[i] = (void *)(addr + ptoa(npages) * (count - i));
	return count;
}

static void sort(void **items, unsigned count)
{
	for (unsigned i = 1; i < count; i++) {
		void *item = items[i];
		unsigned k = i;

		for (; k > 0 && items[k - 1] > item; k--)
			items[k] = items[k - 1];
		items[k] = item;
	}
}

void kmem_ranges_release(void *ctx, void **items, unsigned count)
{
	uint64_t npages = (uint64_t)(uintptr_t)ctx;
	vm_size_t size = ptoa(npages);

	sort(items, count);
	for (unsigned i = 0, run; i < count; i += run) {
		vm_offset_t start = (vm_offset_t)items[i];

		for (run = 1; i + run < count; run++)
			if ((vm_offset_t)items[i + run] != start + size * run)
				break;
		tags_clear(start, npages * run);
		kmem_free_then(kmem_map, start, size * run, NULL,
			       (const void *)kmem_ranges_release);
	}
}

bool kmem_ranges_are_short(void *ctx)
{
	(void)ctx;
	return vm_page_wanted();
}

/* --- Idle CPUs --- */

/* False when a thread has become ready meanwhile: the range may hold anything then. */
static bool zero_unless_needed(vm_offset_t addr, uint64_t npages)
{
	for (uint64_t i = 0; i < npages; i++) {
		if (arch_percpu()->need_resched != 0)
			return false;
		kmem_range_zero(addr + ptoa(i), 1);
	}
	return true;
}

/* Others may be at it as well; a hint need not be exact, but must not fall below 0. */
static void wanted_less(uint64_t which)
{
	uint32_t wanted = atomic32_load(&kmem_caches.zero_wanted[which], MO_RELAXED);

	if (wanted != 0)
		(void)atomic32_cas(&kmem_caches.zero_wanted[which], &wanted, wanted - 1,
				   MO_RELAXED);
}

static bool zero_one_of(uint64_t which)
{
	void *item = mag_cache_alloc(&kmem_caches.any[which]);
	struct mag_cache *to = &kmem_caches.any[which];

	if (item == NULL)
		return false;
	if (zero_unless_needed((vm_offset_t)item, which + 1)) {
		kmem_tag_write((vm_offset_t)item, KMEM_TAG_ZEROED, which);
		wanted_less(which);
		to = &kmem_caches.zeroed[which];
	}
	if (!mag_cache_free(to, item))
		mag_cache_free_slow(to, item);
	return true;
}

bool kmem_cache_idle(void)
{
	bool did = false;

	if (!kmem_cache_enabled() || vm_page_wanted() || !vm_magazine_move_begin())
		return false;
	for (uint64_t which = 0; which < KMEM_CACHE_PAGES_MAX && !did; which++)
		if (kmem_has_zeroed(which) &&
		    atomic32_load(&kmem_caches.zero_wanted[which], MO_RELAXED) != 0)
			did = zero_one_of(which);
	vm_magazine_move_end();
	return did;
}

/* --- The long way asks --- */

static uint64_t tag_head(uint64_t index)
{
	while (kmem_caches.tags[index] == KMEM_TAG_INSIDE)
		index--;
	return index;
}

/* Is none of these tags set? Most ranges that are freed the long way have no tag. */
static bool tags_unused(const uint8_t *tag, uint64_t count)
{
	uint64_t word, any = 0;

	for (; count >= sizeof(word); count -= sizeof(word), tag += sizeof(word)) {
		__builtin_memcpy(&word, tag, sizeof(word));
		any |= word;
	}
	while (count-- != 0)
		any |= *tag++;
	return any == KMEM_TAG_NONE;
}

bool kmem_cache_disown(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	uint64_t first, last;

	if (map != kmem_map || kmem_caches.tags == NULL || start < kmem_caches.base ||
	    end > kmem_caches.base + ptoa(kmem_caches.count) || start >= end)
		return true;
	first = atop(start - kmem_caches.base);
	last = atop(end - kmem_caches.base) - 1;
	if (likely(tags_unused(&kmem_caches.tags[first], last - first + 1)))
		return true;
	for (uint64_t i = first; i <= last; i++)
		if ((kmem_caches.tags[tag_head(i)] & KMEM_TAG_CACHED) != 0)
			return false;
	for (uint64_t i = first; i <= last; i++) {
		uint64_t head = tag_head(i);

		if (kmem_caches.tags[head] != KMEM_TAG_NONE)
			tags_clear(kmem_caches.base + ptoa(head),
				   kmem_caches.tags[head] & KMEM_TAG_PAGES);
	}
	return true;
}
