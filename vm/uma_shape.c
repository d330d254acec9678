/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How slabs are cut: pure arithmetic.
 *
 * Up to an eighth of a page an item lies in a slab of one page with the header in front: at most
 * an eighth is lost at the end, and the header is found without another cache line. Larger items
 * have their header elsewhere, so that 2048 bytes fit twice and 4096 once; a slab is then the
 * smallest run of 1, 2, 4 or 8 pages that holds 8 of them and wastes at most an eighth, or else
 * the one that wastes least. A run of pages may be refused by fragmented memory, so every slab
 * can also have as few pages as one item needs. What is larger than a page has a range of
 * kmem_map for itself.
 */
#include "lib/bits.h"
#include "lib/check.h"
#include "vm/uma_private.h"

enum {
	ITEM_ALIGN = 8, /* of tags, and of anything with a pointer in it */
	ENOUGH_ITEMS = 8,
	WASTE_SHARE = 8, /* one part in so many */
};

_Static_assert(UMA_SLAB_PAGES_MAX * 8 <= UMA_HEADER_WORDS * 64,
	       "one word has a bit for every item that is larger than an eighth of a page");

static unsigned header_bytes(unsigned items)
{
	size_t words = (items + 63) / 64;

	return (unsigned)(sizeof(struct uma_slab) + 2 * words * sizeof(uint64_t));
}

unsigned uma_shape_header(const struct uma_shape *shape, unsigned pages)
{
	if (!shape->header_inside)
		return 0;
	return (unsigned)align_up(header_bytes((unsigned)(ptoa(pages) / shape->slot)),
				  shape->align);
}

unsigned uma_shape_capacity(const struct uma_shape *shape, unsigned pages)
{
	if (shape->kmem)
		return 1;
	return (unsigned)((ptoa(pages) - uma_shape_header(shape, pages)) / shape->slot);
}

static vm_size_t waste(const struct uma_shape *shape, unsigned pages)
{
	return ptoa(pages) - (vm_size_t)uma_shape_capacity(shape, pages) * shape->slot;
}

/* The number of pages by the rule above; `least` is enough for one item. */
static unsigned choose_pages(const struct uma_shape *shape, unsigned least)
{
	unsigned best = least;

	for (unsigned pages = 1; pages <= UMA_SLAB_PAGES_MAX; pages *= 2) {
		if (pages < least)
			continue;
		if (uma_shape_capacity(shape, pages) >= ENOUGH_ITEMS &&
		    waste(shape, pages) * WASTE_SHARE <= ptoa(pages))
			return pages;
		/* a/b < c/d without a division */
		if (waste(shape, pages) * best < waste(shape, best) * pages)
			best = pages;
	}
	return best;
}

bool uma_shape_init(struct uma_shape *shape, size_t size, unsigned align, bool debug)
{
	vm_size_t slot = size;

	if (size == 0 || size > UMA_ITEM_MAX || !is_pow2(align) || align > PAGE_SIZE)
		return false;
	if (align < ITEM_ALIGN)
		align = ITEM_ALIGN;
	if (debug)
		slot += UMA_DEBUG_BYTES;
	if (slot < UMA_SLOT_MIN)
		slot = UMA_SLOT_MIN;
	slot = align_up(slot, align);
	*shape = (struct uma_shape){.size = (uint32_t)size, .align = align};
	shape->kmem = size > PAGE_SIZE;
	shape->header_inside = slot <= PAGE_SIZE / 8;
	if (shape->kmem)
		slot = round_page(slot);
	shape->slot = (uint32_t)slot;
	shape->pages_min = (uint16_t)atop(round_page(slot));
	shape->pages = shape->pages_min;
	if (!shape->kmem && !shape->header_inside)
		shape->pages = (uint16_t)choose_pages(shape, shape->pages_min);
	return true;
}
