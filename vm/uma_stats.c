/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a zone has done and what it holds: sums over CPUs and kegs, made when somebody asks.
 */
#include "lib/check.h"
#include "lib/string.h"
#include "smp/smp.h"
#include "vm/uma_private.h"
#include "vm/vm_kern.h"

enum { LEAKS_SHOWN = 8 };

uint64_t uma_zone_out(uma_zone_t zone)
{
	uint64_t out = 0;

	for (unsigned d = 0; d < zone->keg_count; d++) {
		struct uma_keg *keg = &zone->kegs[d];
		struct uma_slab *slab;

		spin_lock(&keg->lock);
		TAILQ_FOREACH (slab, &keg->slabs[UMA_SLAB_PARTIAL], link)
			out += slab->used;
		TAILQ_FOREACH (slab, &keg->slabs[UMA_SLAB_FULL], link)
			out += slab->used;
		spin_unlock(&keg->lock);
	}
	return out;
}

/* Items that are out need not be looked for: allocations and frees say how many are live. */
static void cache_stats(uma_zone_t zone, struct mag_cache_stats *sum)
{
	*sum = (struct mag_cache_stats){.cached = 0};
	for (unsigned cpu = 0; cpu < smp_cpu_count(); cpu++) {
		struct mag_cache_stats stats;

		mag_cache_cpu_stats(&zone->cache, cpu, &stats);
		sum->allocs += stats.allocs;
		sum->frees += stats.frees;
		sum->alloc_misses += stats.alloc_misses;
		sum->free_misses += stats.free_misses;
	}
	sum->allocs += atomic64_load(&zone->uncached_allocs, MO_RELAXED);
	sum->frees += atomic64_load(&zone->uncached_frees, MO_RELAXED);
	sum->cached = mag_cache_cached(&zone->cache);
}

/* Counters of CPUs that go on may be read in the wrong order: never below nothing. */
static uint64_t live_of(uma_zone_t zone, const struct mag_cache_stats *sum)
{
	uint64_t given = sum->allocs + atomic64_load(&zone->late, MO_RELAXED);
	uint64_t back = sum->frees + atomic64_load(&zone->lost, MO_RELAXED);

	return given > back ? given - back : 0;
}

uint64_t uma_zone_live(uma_zone_t zone)
{
	struct mag_cache_stats sum;

	cache_stats(zone, &sum);
	return live_of(zone, &sum);
}

int uma_zone_get_cur(uma_zone_t zone)
{
	uint64_t live = uma_zone_live(zone);

	return live < INT32_MAX ? (int)live : INT32_MAX;
}

static void keg_stats(struct uma_keg *keg, struct uma_zone_stats *stats)
{
	spin_lock(&keg->lock);
	stats->free_items += keg->free_items;
	stats->slabs += keg->slab_count;
	stats->pages += keg->pages;
	spin_unlock(&keg->lock);
}

void uma_zone_stats(uma_zone_t zone, struct uma_zone_stats *stats)
{
	struct mag_cache_stats sum;

	cache_stats(zone, &sum);
	*stats = (struct uma_zone_stats){.size = zone->shape.size, .slot = zone->shape.slot};
	memcpy(stats->name, zone->name, sizeof(stats->name));
	stats->live = live_of(zone, &sum);
	stats->cached = sum.cached;
	stats->allocs = sum.allocs;
	stats->frees = sum.frees;
	stats->misses = sum.alloc_misses + sum.free_misses;
	stats->fails = atomic64_load(&zone->fails, MO_RELAXED);
	stats->refused = atomic64_load(&zone->refused, MO_RELAXED);
	stats->debug = (uma_special(zone) & UMA_SPECIAL_DEBUG) != 0;
	for (unsigned d = 0; d < zone->keg_count; d++)
		keg_stats(&zone->kegs[d], stats);
	spin_lock(&zone->wait_lock);
	stats->limit = zone->limit;
	stats->sleeps = zone->sleeps;
	spin_unlock(&zone->wait_lock);
}

/* --- Leaks --- */

/* Names the items of the slab that are out; the caches are empty. Returns how many were named. */
static unsigned slab_leaks(struct uma_slab *slab, unsigned most)
{
	uma_zone_t zone = slab->zone;
	bool debug = (uma_special(zone) & UMA_SPECIAL_DEBUG) != 0;
	unsigned shown = 0;

	for (unsigned i = 0; i < slab->capacity && shown < most; i++) {
		void *item = uma_slab_item(slab, i);

		if (!uma_slab_is_out(slab, i) || (debug && uma_debug_is_lost(zone, item)))
			continue;
		kprintf("zone %s: %p is still allocated, by %p\n", zone->name, item,
			debug ? uma_debug_alloc_site(zone, item) : NULL);
		shown++;
	}
	return shown;
}

void uma_zone_report_leaks(uma_zone_t zone, uint64_t live)
{
	unsigned shown = 0;

	for (unsigned d = 0; d < zone->keg_count; d++) {
		for (unsigned place = 0; place < UMA_SLAB_PLACES; place++) {
			struct uma_slab *slab;

			TAILQ_FOREACH (slab, &zone->kegs[d].slabs[place], link)
				shown += slab_leaks(slab, LEAKS_SHOWN - shown);
		}
	}
	if (kmem_free_strict())
		panic("uma_zdestroy: zone %s has %lu items allocated", zone->name,
		      (unsigned long)live);
	kprintf("uma_zdestroy: zone %s refused: %lu items are allocated\n", zone->name,
		(unsigned long)live);
}
