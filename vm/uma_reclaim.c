/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Giving back what zones keep. Other CPUs are asked for the items of many zones at once, since
 * asking is what costs.
 */
#include "vm/uma_private.h"

enum { TOGETHER = 16 };

static uint64_t caches_drain(struct mag_cache *const *caches, unsigned count)
{
	uint64_t items = 0;

	if (mag_cache_can_drain())
		return mag_cache_drain_many(caches, count);
	for (unsigned i = 0; i < count; i++)
		items += mag_cache_drain_local(caches[i]);
	return items;
}

/* Up to TOGETHER zones after `zone`, each pinned; *last is the last one, pinned once more. */
static unsigned zones_gather(uma_zone_t *last, uma_zone_t *group)
{
	unsigned n = 0;

	while (n < TOGETHER && (*last = uma_zone_next(*last)) != NULL) {
		uma_zone_pin(*last);
		group[n++] = *last;
	}
	return n;
}

static uint64_t group_reclaim(uma_zone_t *group, unsigned count)
{
	struct mag_cache *caches[TOGETHER];
	uint64_t pages = 0;

	for (unsigned i = 0; i < count; i++)
		caches[i] = &group[i]->cache;
	(void)caches_drain(caches, count);
	for (unsigned i = 0; i < count; i++) {
		pages += uma_keg_trim(group[i], 0, true);
		uma_zone_unpin(group[i]);
	}
	return pages;
}

uint64_t uma_zones_reclaim(void)
{
	uma_zone_t last = NULL, group[TOGETHER];
	uint64_t pages = 0;
	unsigned n;

	do {
		n = zones_gather(&last, group);
		pages += group_reclaim(group, n);
	} while (n == TOGETHER && last != NULL);
	return pages;
}

uint64_t uma_zone_reclaim(uma_zone_t zone)
{
	struct mag_cache *cache = &zone->cache;

	(void)caches_drain(&cache, 1);
	return uma_keg_trim(zone, 0, true);
}
