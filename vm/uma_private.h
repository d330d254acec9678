/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of zones share. The theory is in uma_zone.c. */
#ifndef QUIRE_VM_UMA_PRIVATE_H
#define QUIRE_VM_UMA_PRIVATE_H

#include <bsd/sys/queue.h>

#include "arch/physmap.h"
#include "smp/spinlock.h"
#include "vm/mag_cache.h"
#include "vm/uma.h"
#include "vm/vm_page.h"
#include "vm/vm_report.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	UMA_SLAB_PAGES_MAX = 8, /* of a slab in the direct map */
	UMA_SLOT_MIN = 16,      /* bytes: at most 256 items a page, so four words of bitmap */
	UMA_HEADER_WORDS = 1,   /* of bitmap in a header off its slab: 64 items */
};

/* In which list of its keg a slab is. */
enum uma_slab_place { UMA_SLAB_PARTIAL, UMA_SLAB_FULL, UMA_SLAB_EMPTY, UMA_SLAB_PLACES };

/*
 * Items that lie together: one or a few pages of the direct map, or a range of kmem_map.
 * (k) lock of its keg  (c) constant while it lives
 */
struct uma_slab {
	union {
		struct uma_slab_head head;
		uma_zone_t zone; /* (c) its head */
	};
	TAILQ_ENTRY(uma_slab) link; /* (k) in the list of its place */
	char *data;                 /* (c) the first item */
	uint16_t capacity;          /* (c) items */
	uint16_t used;              /* (k) items out of the slab: allocated, or in a cache */
	uint16_t pages;             /* (c) */
	uint8_t domain;             /* (c) of its first page */
	uint8_t place;              /* (k) enum uma_slab_place */
	/* (k) bit set: the item is out. Then as many words of the audit: it was seen in a cache. */
	uint64_t bitmap[];
};

TAILQ_HEAD(uma_slab_list, uma_slab);

/* One zone's slabs in one domain. (k) its lock */
struct uma_keg {
	struct spinlock lock;
	struct uma_slab_list slabs[UMA_SLAB_PLACES]; /* (k) */
	uint64_t free_items;                         /* (k) bits that are clear */
	uint64_t slab_count;                         /* (k) */
	uint64_t pages;                              /* (k) */
	uint64_t empty_pages;                        /* (k) in slabs that are empty */
} QUIRE_ALIGNED(CACHE_LINE);

/* How the zone's slabs are cut. All constant after uma_zcreate. */
struct uma_shape {
	uint32_t size;      /* bytes that the owner asked for */
	uint32_t slot;      /* from one item to the next */
	uint32_t align;     /* power of two */
	uint16_t pages;     /* of a slab, when memory has a run of so many */
	uint16_t pages_min; /* enough for one item */
	bool kmem;          /* larger than a page: in kmem_map, one item a slab */
	bool header_inside; /* at the beginning of the slab's only page */
};

/* A thread that waits for the zone's limit: on its stack, and in the list until it is granted. */
struct uma_waiter {
	TAILQ_ENTRY(uma_waiter) link;
	bool granted;
};

/* What makes an allocation or a free leave the short way: bits of `special`. */
enum {
	UMA_SPECIAL_CALLS = 1, /* ctor or dtor */
	UMA_SPECIAL_DEBUG = 2, /* redzones, poison, sites */
	UMA_SPECIAL_LIMIT = 4, /* there is a limit, or was */
};

/* (c) constant after uma_zcreate  (a) atomic  (w) lock of the waiters  (z) lock of the zones */
struct uma_zone {
	struct uma_zone_head head; /* first */
	struct mag_cache cache;
	struct atomic32 special;      /* (a) UMA_SPECIAL_*; changes from 0 only at rest */
	uint32_t flags;               /* (c) */
	struct uma_shape shape;       /* (c) */
	uma_ctor ctor;                /* (c) */
	uma_dtor dtor;                /* (c) */
	uma_init init;                /* (c) */
	uma_fini fini;                /* (c) */
	bool poisons;                 /* (c) free items are filled with poison */
	char name[UMA_ZONE_NAME_MAX]; /* (c) */

	TAILQ_ENTRY(uma_zone) link; /* (z) */
	unsigned pins;              /* (z) visitors: it may not go */
	bool dying;                 /* (z) */

	struct spinlock wait_lock;
	uint64_t limit;                   /* (w) items, 0: none */
	uint64_t counted;                 /* (w) items allocated, since there is a limit */
	TAILQ_HEAD(, uma_waiter) waiters; /* (w) first come first */
	uint64_t sleeps;                  /* (w) */

	/* (a) of a zone whose cache has no room in the CPUs' areas, and does not count */
	struct atomic64 uncached_allocs, uncached_frees;
	struct atomic64 fails;   /* (a) */
	struct atomic64 refused; /* (a) bad frees */
	struct atomic64 late;    /* (a) of them, seen only when the item left a cache */
	struct atomic64 lost;    /* (a) items that were damaged while free: never used again */

	unsigned keg_count; /* (c) memory domains */
	struct uma_keg kegs[MAXMEMDOM];
};

/* --- uma_zone.c --- */

/*
 * The next zone in the order of their creation, pinned, so that it is not destroyed; NULL at the
 * end. `zone` is NULL for the first one, or a pinned zone, which is unpinned. Nothing locked.
 */
uma_zone_t uma_zone_next(uma_zone_t zone);
/* Pins a pinned zone once more; and the reverse. */
void uma_zone_pin(uma_zone_t zone);
void uma_zone_unpin(uma_zone_t zone);

static inline unsigned uma_special(const struct uma_zone *zone)
{
	return atomic32_load(&zone->special, MO_RELAXED);
}

/* --- uma_shape.c --- */

/* Bytes behind an item of a debug zone: its redzone and its tag. */
struct uma_tag {
	struct atomic64 state;    /* who has the item, mixed with its address */
	const char *const *owner; /* of an item of malloc, else NULL */
	const void *alloc_site;
	const void *free_site;
	uint64_t guard; /* found by what writes before the next item */
};
enum { UMA_REDZONE_MIN = 8, UMA_DEBUG_BYTES = UMA_REDZONE_MIN + (int)sizeof(struct uma_tag) };

/* False when nothing that large can be cut. */
bool uma_shape_init(struct uma_shape *shape, size_t size, unsigned align, bool debug);
/* Items that a slab of so many pages holds, and where in it the first one may begin at most. */
unsigned uma_shape_capacity(const struct uma_shape *shape, unsigned pages);
unsigned uma_shape_header(const struct uma_shape *shape, unsigned pages);

/* --- uma_slab.c --- */

void uma_slab_startup(void);

/* A slab with all its items made, in no list; NULL when memory is short (*refused is false), or
 * when uminit refuses. Context of the flags; nothing locked. */
struct uma_slab *uma_slab_create(uma_zone_t zone, int flags, bool *refused);

/* fini for all items, and the memory goes back. Nothing locked; a slab of kmem_map: where
 * kmem_free may be called. */
void uma_slab_destroy(struct uma_slab *slab);

/* The slab that an address lies in, or NULL. Any pointer, any context. */
static inline struct uma_slab *uma_slab_of(const void *item)
{
	return (struct uma_slab *)uma_slab_head_of(item);
}

/* Does it lie in kmem_map, and not in the direct map? */
static inline bool uma_in_kmem(const void *item)
{
	vm_offset_t va = (vm_offset_t)item;

	return va >= VM_MIN_KERNEL_ADDRESS && va < VM_MAX_KERNEL_ADDRESS;
}

static inline char *uma_slab_item(const struct uma_slab *slab, unsigned index)
{
	return slab->data + (size_t)index * slab->zone->shape.slot;
}

/* The number of the item that begins here, or slab->capacity when none does. */
static inline unsigned uma_slab_index(const struct uma_slab *slab, const void *item)
{
	size_t offset = (size_t)((const char *)item - slab->data);
	size_t index = offset / slab->zone->shape.slot;

	if (index >= slab->capacity || index * slab->zone->shape.slot != offset)
		return slab->capacity;
	return (unsigned)index;
}

static inline bool uma_slab_is_out(const struct uma_slab *slab, unsigned index)
{
	return (slab->bitmap[index / 64] >> (index % 64) & 1) != 0;
}

/* The words of the bitmap, and those that the audit has for itself. */
static inline unsigned uma_slab_words(const struct uma_slab *slab)
{
	return (slab->capacity + 63u) / 64;
}

static inline uint64_t *uma_slab_seen(struct uma_slab *slab)
{
	return slab->bitmap + uma_slab_words(slab);
}

/* --- uma_keg.c --- */

void uma_keg_init(struct uma_keg *keg);

/* The zone's mag_cache calls these. */
unsigned uma_keg_import(void *zone, void **items, unsigned want, int flags);
void uma_keg_release(void *zone, void **items, unsigned count);
bool uma_keg_is_short(void *zone);

/* Makes slabs until so many items are free in them; returns how many are. */
uint64_t uma_keg_fill(uma_zone_t zone, uint64_t items);

/* Gives empty slabs back, so that at most `keep` of each domain's pages in them stay; those in
 * kmem_map only if `kmem` and in thread context. Returns pages given back. */
uint64_t uma_keg_trim(uma_zone_t zone, uint64_t keep, bool kmem);

/* Ends slabs that are not empty, because items were lost in them. Nobody uses the zone. */
void uma_keg_abandon(struct uma_keg *keg);

/* --- uma_debug.c: debug zones --- */

/* Marks a new item free. */
void uma_debug_init(uma_zone_t zone, void *item);

/* An item leaves the cache. False, with everything said, when it was written while it was free:
 * then nobody shall have it. */
bool uma_debug_alloc(uma_zone_t zone, void *item, const char *const *owner, const void *site);
/* An item is freed. False, with everything said, when that must not be: nothing has changed. An
 * owner that is not NULL must be the one that it was allocated for. */
bool uma_debug_free(uma_zone_t zone, void *item, const char *const *owner, const void *site);
/* It was freed, and nobody reads it any more. */
void uma_debug_poison(uma_zone_t zone, void *item);

enum uma_item_state { UMA_ITEM_FREE, UMA_ITEM_LIVE, UMA_ITEM_LOST };

/* Is the item intact and in this state? Reports each broken rule; returns how many. */
unsigned uma_debug_audit(uma_zone_t zone, void *item, enum uma_item_state state,
			 vm_report_fn *report);
/* A damaged item that was taken out of use. */
bool uma_debug_is_lost(uma_zone_t zone, void *item);
const void *uma_debug_alloc_site(uma_zone_t zone, void *item);

/* A free of `item` is wrong, and why. Panics in strict mode; else counted, with a line in the log.
 * site may be NULL. */
void uma_free_refuse(uma_zone_t zone, const void *item, const char *why, const void *site);

/* --- uma_limit.c --- */

/* One item more, one less. take: false where there is no room and the request does not wait. */
bool uma_limit_take(uma_zone_t zone, int flags);
void uma_limit_give(uma_zone_t zone);

/* --- uma_reclaim.c --- */

/* Caches and empty slabs of all zones; returns pages given back. Context of uma_reclaim. */
uint64_t uma_zones_reclaim(void);

/* --- uma_stats.c --- */

/* Items that are out of the zone's slabs. */
uint64_t uma_zone_out(uma_zone_t zone);
/* Items allocated: what is out, and in no cache. */
uint64_t uma_zone_live(uma_zone_t zone);
/* Says how many items are live, and which, and panics in strict mode. */
void uma_zone_report_leaks(uma_zone_t zone, uint64_t live);

/* --- uma_memory.c: the bytes of an item, wherever it lies --- */

/* The first bytes of [item + offset, item + end) that lie together, as the kernel can touch them,
 * and how many. */
void *uma_bytes(void *item, size_t offset, size_t end, size_t *n);
void uma_bytes_fill(void *item, size_t offset, size_t end, int byte);
/* The offset of the first byte that is another one, or `end`. */
size_t uma_bytes_differ(void *item, size_t offset, size_t end, int byte);

#ifdef __cplusplus
}
#endif

#endif
