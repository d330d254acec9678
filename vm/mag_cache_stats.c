/* SPDX-License-Identifier: BSD-2-Clause */
/* Figures of magazine caches: read from outside while the CPUs go on, so exact only at rest. */
#include "smp/smp.h"
#include "vm/mag_cache_private.h"

static const struct mag_cpu *part_of(const struct mag_cache *cache, unsigned cpu)
{
	return cache->lines != 0 ? (const struct mag_cpu *)percpu_at_cpu(cpu, cache->offset) : NULL;
}

void mag_cache_cpu_stats(const struct mag_cache *cache, unsigned cpu, struct mag_cache_stats *stats)
{
	const struct mag_cpu *part = part_of(cache, cpu);

	*stats = (struct mag_cache_stats){0};
	if (part == NULL)
		return;
	stats->cached = (uint64_t)atomic32_load(&part->stack.count, MO_RELAXED) +
			atomic32_load(&part->reserve, MO_RELAXED);
	stats->allocs = atomic64_load(&part->stack.pops, MO_RELAXED) +
			atomic64_load(&part->allocs_direct, MO_RELAXED);
	/* What is in the stack was pushed, less what was popped, or came in a magazine. */
	stats->frees = atomic64_load(&part->stack.pops, MO_RELAXED) +
		       atomic32_load(&part->stack.count, MO_RELAXED) -
		       atomic64_load(&part->balance, MO_RELAXED) +
		       atomic64_load(&part->frees_direct, MO_RELAXED);
	stats->alloc_misses = atomic64_load(&part->alloc_misses, MO_RELAXED);
	stats->free_misses = atomic64_load(&part->free_misses, MO_RELAXED);
	stats->exchanges = atomic64_load(&part->exchanges, MO_RELAXED);
	stats->resizes = atomic32_load(&part->resizes, MO_RELAXED);
	stats->retries = atomic32_load(&part->retries, MO_RELAXED);
}

uint64_t mag_cache_depot_cached(const struct mag_cache *cache)
{
	return mag_list_items(&cache->full);
}

void mag_cache_sum(const struct mag_cache *cache, int cpu, struct mag_cache_stats *sum)
{
	if (cpu != MAG_CACHE_ALL) {
		mag_cache_cpu_stats(cache, (unsigned)cpu, sum);
		return;
	}
	*sum = (struct mag_cache_stats){.cached = mag_cache_depot_cached(cache)};
	for (unsigned i = 0; i < smp_cpu_count(); i++) {
		struct mag_cache_stats one;

		mag_cache_cpu_stats(cache, i, &one);
		sum->cached += one.cached;
		sum->allocs += one.allocs;
		sum->frees += one.frees;
		sum->alloc_misses += one.alloc_misses;
		sum->free_misses += one.free_misses;
		sum->exchanges += one.exchanges;
		sum->resizes += one.resizes;
		sum->retries += one.retries;
	}
}

uint64_t mag_cache_cached(const struct mag_cache *cache)
{
	struct mag_cache_stats sum;

	mag_cache_sum(cache, MAG_CACHE_ALL, &sum);
	return sum.cached;
}

bool mag_cache_has_room(const struct mag_cache *cache)
{
	const struct mag_cpu *part = mag_cpu_self(cache);
	uint32_t rounds = atomic32_load(&cache->rounds, MO_RELAXED);

	if (cache->lines == 0 || rounds == 0)
		return false;
	if (atomic32_load(&part->stack.count, MO_RELAXED) < rounds ||
	    atomic32_load(&part->reserve, MO_RELAXED) < rounds * (1 + cache->stash_limit))
		return true;
	return mag_cache_depot_cached(cache) + rounds <= cache->depot_limit;
}
