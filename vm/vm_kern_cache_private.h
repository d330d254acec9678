/* SPDX-License-Identifier: BSD-2-Clause */
/* The kmem caches from inside; vm_kern_cache.c has the theory. */
#ifndef QUIRE_VM_VM_KERN_CACHE_PRIVATE_H
#define QUIRE_VM_VM_KERN_CACHE_PRIVATE_H

#include "lib/bits.h"
#include "vm/vm_kern_cache.h"
#include "vm/vm_kern_private.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a page of kmem_map is to the caches; the kinds, with a number of pages added. */
enum {
	KMEM_TAG_NONE = 0,
	KMEM_TAG_USED = 0x20,
	KMEM_TAG_CACHED = 0x40,
	KMEM_TAG_ZEROED = KMEM_TAG_CACHED | 0x20,
	KMEM_TAG_INSIDE = 0x80,
	KMEM_TAG_PAGES = 0x1f, /* the number */
};

enum { KMEM_ZERO_WANTED = 8 }; /* ranges of one size that idle CPUs zero ahead, at most */

/*
 * All of it; arrays by number of pages less one.
 * (a) atomic  (c) constant after init  (r) whoever has the range
 */
struct kmem_caches {
	vm_map_t map;            /* (c) kmem_map; NULL before and without memory for tags */
	struct atomic32 on;      /* (a) else the long way for everybody */
	vm_offset_t base;        /* (c) */
	uint64_t count;          /* (c) tags: pages of kmem_map */
	uint8_t *tags;           /* (c); (r) what they say; NULL: no memory for them */
	uintptr_t tag_of_page_0; /* (c) where the first page of all addresses would have it */

	struct mag_cache any[KMEM_CACHE_PAGES_MAX];

	/* Known to be zero, for powers of two; and (a) how many were asked for and not there. */
	struct mag_cache zeroed[KMEM_CACHE_PAGES_MAX];
	struct atomic32 zero_wanted[KMEM_CACHE_PAGES_MAX];
};

extern struct kmem_caches kmem_caches;

/*
 * (a) Of the stacks in each CPU's area: side by side, a hit finds its own with one load. While the
 * caches are off, where there is always nothing and no room, so that hits need not ask. Not in the
 * structure, because the compiler then adds its place there on every hit.
 */
extern struct atomic32 kmem_cache_stacks[KMEM_CACHE_PAGES_MAX];

static inline uint8_t *kmem_tag_of(vm_offset_t addr)
{
	return (uint8_t *)(kmem_caches.tag_of_page_0 + (addr >> PAGE_SHIFT));
}

static inline void kmem_tag_write(vm_offset_t addr, unsigned kind, uint64_t which)
{
	*kmem_tag_of(addr) = (uint8_t)(kind + 1 + which);
}

static inline bool kmem_has_zeroed(uint64_t which)
{
	return is_pow2(which + 1);
}

/* --- vm_kern_cache_ranges.c --- */

/* The owner's side of the caches; ctx is the number of pages. */
unsigned kmem_ranges_import(void *ctx, void **items, unsigned want, int flags);
void kmem_ranges_release(void *ctx, void **items, unsigned count);
bool kmem_ranges_are_short(void *ctx);

/* Zeroes mapped pages. Any context. */
void kmem_range_zero(vm_offset_t addr, uint64_t npages);

#ifdef __cplusplus
}
#endif

#endif
