/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Allocating and freeing items, where the short way of uma.h ends: the CPU's magazine is empty or
 * full, or the zone wants more (ctor, dtor, a limit, debugging), or the caller does (M_ZERO).
 */
#include "lib/check.h"
#include "smp/preempt.h"
#include "vm/uma_private.h"

static void *item_miss(uma_zone_t zone, int flags)
{
	void *item;

	CHECK_NE(flags & (M_NOWAIT | M_WAITOK), M_NOWAIT | M_WAITOK);
	if (flags & M_WAITOK)
		sleep_check("uma_zalloc(M_WAITOK)");
	item = mag_cache_alloc_slow(&zone->cache, flags);
	if (item == NULL)
		atomic64_add(&zone->fails, 1, MO_RELAXED);
	else if (zone->cache.lines == 0)
		atomic64_add(&zone->uncached_allocs, 1, MO_RELAXED);
	return item;
}

static inline void *item_take(uma_zone_t zone, int flags)
{
	void *item = mag_cache_alloc(&zone->cache);

	return likely(item != NULL) ? item : item_miss(zone, flags);
}

static void free_miss(uma_zone_t zone, void *item)
{
	mag_cache_free_slow(&zone->cache, item);
	if (zone->cache.lines == 0)
		atomic64_add(&zone->uncached_frees, 1, MO_RELAXED);
}

static inline void item_give(uma_zone_t zone, void *item)
{
	if (unlikely(!mag_cache_free(&zone->cache, item)))
		free_miss(zone, item);
}

/* Each turn takes a damaged item out of use, so it ends. */
static void *item_take_sound(uma_zone_t zone, void *arg, int flags, const void *site)
{
	const char *const *owner = zone->head.any_size != 0 ? (const char *const *)arg : NULL;
	void *item;

	do {
		item = item_take(zone, flags);
	} while (item != NULL && (uma_special(zone) & UMA_SPECIAL_DEBUG) != 0 &&
		 !uma_debug_alloc(zone, item, owner, site));
	return item;
}

static bool item_construct(uma_zone_t zone, void *item, void *arg, int flags)
{
	if (zone->ctor == NULL || zone->ctor(item, (int)zone->shape.size, arg, flags) == 0)
		return true;
	atomic64_add(&zone->fails, 1, MO_RELAXED);
	return false;
}

/* Back into the cache, and its place to others. */
static void item_return(uma_zone_t zone, void *item)
{
	unsigned special = uma_special(zone);

	if (special & UMA_SPECIAL_DEBUG)
		uma_debug_poison(zone, item);
	item_give(zone, item);
	if (special & UMA_SPECIAL_LIMIT)
		uma_limit_give(zone);
}

static bool place_take(uma_zone_t zone, int flags)
{
	if ((uma_special(zone) & UMA_SPECIAL_LIMIT) == 0 || uma_limit_take(zone, flags))
		return true;
	atomic64_add(&zone->fails, 1, MO_RELAXED);
	return false;
}

static void *alloc_special(uma_zone_t zone, void *arg, int flags, const void *site)
{
	bool limited = (uma_special(zone) & UMA_SPECIAL_LIMIT) != 0;
	void *item;

	if (flags & M_WAITOK)
		sleep_check("uma_zalloc(M_WAITOK)");
	if (!place_take(zone, flags))
		return NULL;
	item = item_take_sound(zone, arg, flags, site);
	if (item == NULL) {
		if (limited)
			uma_limit_give(zone);
		return NULL;
	}
	if (!item_construct(zone, item, arg, flags)) {
		if ((uma_special(zone) & UMA_SPECIAL_DEBUG) == 0 ||
		    uma_debug_free(zone, item, NULL, site))
			item_return(zone, item);
		return NULL;
	}
	if (flags & M_ZERO)
		uma_bytes_fill(item, 0, zone->shape.size, 0);
	return item;
}

static bool free_special(uma_zone_t zone, void *item, void *arg, const void *site)
{
	const char *const *owner = NULL;

	if (zone->head.any_size != 0)
		owner = (const char *const *)arg;
	if ((uma_special(zone) & UMA_SPECIAL_DEBUG) != 0 &&
	    !uma_debug_free(zone, item, owner, site))
		return false;
	if (zone->dtor != NULL)
		zone->dtor(item, (int)zone->shape.size, arg);
	item_return(zone, item);
	return true;
}

void *uma_zalloc_slow(uma_zone_t zone, void *arg, int flags, const void *site)
{
	if (site == NULL)
		site = __builtin_return_address(0);
	if ((((unsigned)flags & M_ZERO) | uma_special(zone)) != 0)
		return alloc_special(zone, arg, flags, site);
	return item_miss(zone, flags);
}

void uma_zfree_slow(uma_zone_t zone, void *item, void *arg, const void *site)
{
	if (site == NULL)
		site = __builtin_return_address(0);
	if (uma_special(zone) != 0)
		(void)free_special(zone, item, arg, site);
	else
		free_miss(zone, item);
}

/* --- By address alone --- */

size_t uma_zfree_any_slow(void *item, const char *const *owner, const void *site)
{
	struct uma_slab *slab = uma_slab_of(item);
	uma_zone_t zone = slab != NULL ? slab->zone : NULL;

	if (zone == NULL || zone->head.any_size == 0)
		return 0;
	/* Not always a miss: the item may only lie in another segment of RAM than most. */
	if (uma_special(zone) == 0)
		item_give(zone, item);
	else if (!free_special(zone, item, (void *)owner, site))
		return UMA_REFUSED;
	return zone->head.any_size;
}
