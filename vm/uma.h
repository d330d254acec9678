/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Zones: memory for many items of one size, kept per CPU, with the interface of FreeBSD's uma(9).
 *
 * An item goes through two pairs of functions of the zone's owner. `uminit` runs when the item
 * comes into being with its slab and `fini` when it goes with it; `ctor` runs at each allocation
 * and `dtor` at each free. So a free item keeps what uminit made; a zone with neither may find
 * anything in an item. Sizes are bytes. The theory is in vm/uma_zone.c.
 */
#ifndef QUIRE_VM_UMA_H
#define QUIRE_VM_UMA_H

#include "arch/restart.h"
#include "vm/vm_malloc_flags.h"
#include "vm/vm_page.h"
#include "vm/vm_param.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct uma_zone *uma_zone_t;

/*
 * ctor and uminit return 0, or another number for "not possible now": the allocation then fails
 * as for want of memory, and M_WAITOK fails too. `flags` are those of the request. They run with
 * nothing of the zone locked, and may sleep only if the request may. dtor and fini cannot fail
 * and do not sleep.
 */
typedef int (*uma_ctor)(void *mem, int size, void *arg, int flags);
typedef void (*uma_dtor)(void *mem, int size, void *arg);
typedef int (*uma_init)(void *mem, int size, int flags);
typedef void (*uma_fini)(void *mem, int size);

/* `align` of uma_zcreate: the bits of an address that are 0. Any 2^n - 1 up to PAGE_SIZE - 1. */
#define UMA_ALIGN_PTR   ((int)sizeof(void *) - 1)
#define UMA_ALIGN_LONG  ((int)sizeof(long) - 1)
#define UMA_ALIGN_INT   ((int)sizeof(int) - 1)
#define UMA_ALIGN_SHORT ((int)sizeof(short) - 1)
#define UMA_ALIGN_CHAR  0
#define UMA_ALIGN_CACHE (CACHE_LINE - 1)

/* `flags` of uma_zcreate */
#define UMA_ZONE_ZINIT  0x0002u /* uminit that zeroes; with no other uminit */
#define UMA_ZONE_NOFREE 0x0020u /* slabs are kept for ever: a stale pointer finds an item */
/* malloc(9)'s: uma_zfree_any takes its items. `arg` is then no ctor's, but NULL or the address of
 * the name of an owner, which debug zones compare when the item is freed. */
#define UMA_ZONE_MALLOC 0x0080u /* malloc(9)'s: uma_zfree_any takes its items */
#define UMA_ZONE_NODEBUG                                                                           \
	0x10000u /* no redzones and poison, even where all other zones have them                   \
		  */

enum {
	UMA_ZONE_NAME_MAX = 32,             /* bytes with the final 0; a longer name is cut */
	UMA_ITEM_MAX = 16 * (int)PAGE_SIZE, /* larger things are kmem_malloc's */
};

/*
 * A new zone, or NULL when memory is short or an argument makes no sense (a line in the log says
 * which). The name is copied. Any of the four functions may be NULL. Items of at most a page lie
 * in the direct map, larger ones in kmem_map. Thread context; does not sleep.
 */
uma_zone_t uma_zcreate(const char *name, size_t size, uma_ctor ctor, uma_dtor dtor, uma_init uminit,
		       uma_fini fini, int align, uint32_t flags);

/*
 * The zone is gone, all its memory given back; true. With items still allocated it stays as it
 * is: panic in strict mode (kmem_free_strict), else a report in the log, and false. Nobody else
 * uses the zone. Thread context, nothing locked.
 */
bool uma_zdestroy(uma_zone_t zone);

/*
 * An item. flags: M_NOWAIT (any context, NULL when there is none now) or M_WAITOK (thread context;
 * sleeps for memory and for the zone's limit, so NULL only when ctor or uminit refuses); with
 * M_ZERO it is zeroed after ctor, otherwise it holds what uminit and ctor made. `arg` is for
 * ctor. M_USE_RESERVE as for kmem_malloc. No lock of rank LOCK_RANK_ZONES or above held; for items
 * larger than a page none of rank LOCK_RANK_MAP or above, as for kmem_malloc.
 */
static inline void *uma_zalloc_arg(uma_zone_t zone, void *arg, int flags);
static inline void *uma_zalloc(uma_zone_t zone, int flags)
{
	return uma_zalloc_arg(zone, NULL, flags);
}

/*
 * Gives it back; NULL is nothing. `arg` is for dtor. Any context. What is no item of the zone, is
 * free already, or was written behind its end is refused: panic in strict mode, else it is counted
 * and one line goes to the log. Debug zones see it here; others when the item leaves the CPU's
 * cache.
 */
static inline void uma_zfree_arg(uma_zone_t zone, void *item, void *arg);
static inline void uma_zfree(uma_zone_t zone, void *item)
{
	uma_zfree_arg(zone, item, NULL);
}

/* The same on behalf of `site`, the address in the code that debug zones remember. */
static inline void *uma_zalloc_at(uma_zone_t zone, void *arg, int flags, const void *site);
static inline void uma_zfree_at(uma_zone_t zone, void *item, void *arg, const void *site);

/* Copies between items and other memory of the kernel, wherever each lies. */
void uma_copy(void *dst, const void *src, size_t n);

/* Makes at least `items` free items in slabs of the zone now. Returns how many there are; fewer
 * when memory is short or uminit refuses. Thread context. */
int uma_prealloc(uma_zone_t zone, int items);

/*
 * At most so many items allocated at a time, 0 = no limit (the start). Takes effect for
 * allocations that begin afterwards: best set before the first. Returns the limit. Those that
 * wait (M_WAITOK) are served first come, first served; M_NOWAIT gets NULL, also while others wait.
 */
int uma_zone_set_max(uma_zone_t zone, int items);
int uma_zone_get_max(uma_zone_t zone);

/* Items allocated now. Exact at rest. */
int uma_zone_get_cur(uma_zone_t zone);

/* What an item of the zone may use: the size it was created with. */
size_t uma_zone_item_size(uma_zone_t zone);

/*
 * The zone whose item this is, allocated or free, or NULL: for whoever frees by address alone. Any
 * pointer, any context.
 */
uma_zone_t uma_zone_of(const void *item);

/*
 * Gives back an item of whichever UMA_ZONE_MALLOC zone it is of, and returns uma_zone_item_size()
 * of that. 0, and nothing happens, for any other pointer but NULL; UMA_REFUSED when the free is
 * wrong in another way, which has been said then. Any context.
 */
#define UMA_REFUSED (~(size_t)0)
static inline size_t uma_zfree_any(void *item, const char *const *owner, const void *site);

/*
 * What no zone holds: kmem_malloc from kmem_map, whose size is remembered. uma_large_size is 0 for
 * anything that uma_large_malloc has not returned, or that is free again. size, context and result
 * as for kmem_malloc, kmem_free.
 */
void *uma_large_malloc(size_t size, int flags);
size_t uma_large_size(const void *ptr); /* as asked for, in bytes; any context */
void uma_large_free(void *ptr);         /* uma_large_size(ptr) is not 0 */

/*
 * Gives back what caches hold, every CPU's, not only the caller's, while the others go on: items
 * of all zones, empty slabs, page magazines. Does not sleep; no spinlock
 * held. Thread context.
 */
void uma_reclaim(void);

/* One zone: its caches and its empty slabs. Returns pages given back. Thread context. */
uint64_t uma_zone_reclaim(uma_zone_t zone);

struct uma_zone_stats {
	char name[UMA_ZONE_NAME_MAX];
	uint64_t size;          /* bytes asked for */
	uint64_t slot;          /* bytes that an item takes in its slab */
	uint64_t limit;         /* items, 0 = none */
	uint64_t live;          /* items allocated */
	uint64_t cached;        /* free items in CPUs' caches */
	uint64_t free_items;    /* free items in slabs */
	uint64_t slabs, pages;  /* held */
	uint64_t allocs, frees; /* that worked */
	uint64_t misses;        /* of allocs and frees: the CPU's cache could not serve */
	uint64_t fails;         /* allocations that returned NULL */
	uint64_t sleeps;        /* allocations that waited for the limit */
	uint64_t refused;       /* bad frees */
	bool debug;             /* redzones and poison */
};

/* Sums over CPUs that go on meanwhile; exact at rest. */
void uma_zone_stats(uma_zone_t zone, struct uma_zone_stats *stats);

/* Visits every zone, oldest first; no zone is destroyed meanwhile. visit may sleep, and may not
 * create or destroy zones. Thread context. */
void uma_zone_foreach(void (*visit)(void *ctx, uma_zone_t zone), void *ctx);

/* Are zones that are created from now on debug zones? Yes in debug builds until it is set. */
bool uma_debug(void);
void uma_set_debug(bool on);

/* Frees that were refused since boot, all zones together. */
uint64_t uma_free_refused_count(void);

/* Once, by vm_init, when pages can be allocated. */
void uma_startup(void);

/* Checks every zone; returns the broken rules reported. Exact at rest. Thread context. */
unsigned uma_audit(void (*report)(const char *line));

/* --- The short way, inline. What is below is for this file and for zones themselves. --- */

/*
 * A zone's head.
 *
 * offset: of the running CPU's stack of free items in its area. Zones whose items want more than
 * that have a stack here that is empty and full at once: so they leave the short way without a test
 * of their own. Changes only while nobody uses the zone.
 */
struct uma_zone_head {
	uint32_t offset;
	uint32_t any_size; /* constant: of an item that uma_zfree_any takes, else 0 */
};

/* A slab's. */
struct uma_slab_head {
	const struct uma_zone_head *zone; /* constant */
};

/*
 * The largest segments of RAM, in the direct map: nearly all items are there. Constant after init.
 * (PCs have three: below 640 KiB, and on both sides of the hole under 4 GiB.)
 */
enum { UMA_HOMES = 4 };
struct uma_home {
	const char *start;
	vm_size_t size; /* bytes */
	vm_page_t first;
};
struct uma_homes {
	struct uma_home home[UMA_HOMES]; /* the larger one first */
} QUIRE_ALIGNED(CACHE_LINE);
extern struct uma_homes uma_homes;

/* m->zone of a page: a slab, or the size of something large, which is odd then. */
enum { UMA_LARGE = 1 };

/* The page that an address lies in if that is in one of them, or NULL. Any pointer. */
static inline __attribute__((always_inline)) vm_page_t uma_page_short(const void *ptr)
{
#pragma GCC unroll 4 /* UMA_HOMES */
	for (unsigned i = 0; i < UMA_HOMES; i++) {
		const struct uma_home *home = &uma_homes.home[i];
		vm_size_t offset = (vm_size_t)((const char *)ptr - home->start);

		if (likely(offset < home->size))
			return home->first + atop(offset);
	}
	return NULL;
}

/* The page that an address lies in, or NULL. Any pointer, any context. */
vm_page_t uma_page_at(const void *ptr);

static inline struct uma_slab_head *uma_page_slab(vm_page_t m)
{
	/* Acquire: pairs with the release of who makes the slab. */
	void *zone = atomic_ptr_load(&m->zone, MO_ACQUIRE);

	return likely(((uintptr_t)zone & UMA_LARGE) == 0) ? (struct uma_slab_head *)zone : NULL;
}

static inline struct uma_slab_head *uma_slab_head_of(const void *item)
{
	vm_page_t m = uma_page_at(item);

	return likely(m != NULL) ? uma_page_slab(m) : NULL;
}

/* What the short way is not for. site NULL: the caller's address. */
void *uma_zalloc_slow(uma_zone_t zone, void *arg, int flags, const void *site);
void uma_zfree_slow(uma_zone_t zone, void *item, void *arg, const void *site);
size_t uma_zfree_any_slow(void *item, const char *const *owner, const void *site);

static inline __attribute__((always_inline)) void *uma_zalloc_at(uma_zone_t zone, void *arg,
								 int flags, const void *site)
{
	if (likely((flags & M_ZERO) == 0)) {
		void *item = arch_stack_pop(((const struct uma_zone_head *)zone)->offset);

		if (likely(item != NULL))
			return item;
	}
	return uma_zalloc_slow(zone, arg, flags, site);
}

static inline __attribute__((always_inline)) void uma_zfree_at(uma_zone_t zone, void *item,
							       void *arg, const void *site)
{
	if (likely(item != NULL) &&
	    unlikely(!arch_stack_push(((const struct uma_zone_head *)zone)->offset, item)))
		uma_zfree_slow(zone, item, arg, site);
}

/* The short way alone: uma_zfree_any's result, or 0 when that is to be called. */
static inline __attribute__((always_inline)) size_t uma_zfree_any_short(void *item)
{
	vm_page_t m = uma_page_short(item);
	const struct uma_slab_head *slab;
	const struct uma_zone_head *zone;
	size_t size;

	if (unlikely(m == NULL))
		return 0;
	slab = uma_page_slab(m);
	if (unlikely(slab == NULL))
		return 0;
	/* Read before the item is given away: its slab may go with it. */
	zone = slab->zone;
	size = zone->any_size;
	if (unlikely(size == 0) || unlikely(!arch_stack_push(zone->offset, item)))
		return 0;
	return size;
}

static inline size_t uma_zfree_any(void *item, const char *const *owner, const void *site)
{
	size_t size = uma_zfree_any_short(item);

	return likely(size != 0) ? size : uma_zfree_any_slow(item, owner, site);
}

static inline void *uma_zalloc_arg(uma_zone_t zone, void *arg, int flags)
{
	return uma_zalloc_at(zone, arg, flags, NULL);
}

static inline void uma_zfree_arg(uma_zone_t zone, void *item, void *arg)
{
	uma_zfree_at(zone, item, arg, NULL);
}

#ifdef __cplusplus
}
#endif

#endif
