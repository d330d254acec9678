/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking back what magazine caches hold: all of it, or what they do not need.
 *
 * Nothing is stranded. A part is emptied by its own CPU, in the handler of a cross-CPU call, which
 * an idle CPU takes as well. All of it goes to the depot, and from there to release, by whoever
 * drains. After the last handler has run, what is cached is in the depot, or was cached since.
 *
 * While is_short() is true nothing is cached since: a part that was emptied has no room, so each
 * free takes the slow way, which asks. Whoever makes is_short() true before it drains is seen by
 * every CPU that ran the handler after that, and by slow paths that began on such a CPU. One that
 * had begun before, and imports at that moment, asks again before it keeps anything.
 */
#include "lib/planted.h"
#include "smp/call.h"
#include "smp/preempt.h"
#include "smp/smp.h"
#include "vm/mag_cache_private.h"

/* --- Draining --- */

bool mag_cache_can_drain(void)
{
	return !in_interrupt() && spin_held_count() == 0 && arch_irq_enabled();
}

struct drain {
	struct mag_cache *const *caches;
	unsigned count;
};

static void drain_here(void *arg)
{
	const struct drain *drain = (const struct drain *)arg;

	for (unsigned i = 0; i < drain->count; i++)
		if (drain->caches[i]->lines != 0)
			mag_cpu_unload(drain->caches[i], mag_cpu_self(drain->caches[i]));
}

/* A mistake, see lib/planted.h: empties other CPUs' parts, whatever those CPUs do with them. */
static void drain_others(const struct drain *drain, const struct cpuset *online)
{
	bool irq_was_enabled = arch_irq_save();

	CPUSET_FOREACH (cpu, online)
		for (unsigned i = 0; i < drain->count; i++)
			if (drain->caches[i]->lines != 0)
				mag_cpu_unload(
				    drain->caches[i],
				    (struct mag_cpu *)percpu_at_cpu(cpu, drain->caches[i]->offset));
	arch_irq_restore(irq_was_enabled);
}

static void empty_put(struct mag_cache *cache, struct mag *mag)
{
	unsigned retries = 0;

	mag->count = 0;
	(void)mag_list_push(&cache->empty, mag, 0, &retries);
}

/* A mistake: others may have the magazine while it is being emptied. */
static uint32_t release_listed(struct mag_cache *cache, struct mag *mag)
{
	uint32_t count = mag->count;

	empty_put(cache, mag);
	cache->config.release(cache->config.ctx, mag->rounds, count);
	return count;
}

/* No more items than were there at the beginning, so that it ends while others add some. */
uint64_t mag_cache_trim(struct mag_cache *cache, uint64_t keep)
{
	uint64_t had = mag_cache_depot_cached(cache), taken = 0;
	unsigned retries = 0;

	while (had > keep + taken) {
		struct mag *mag = mag_list_pop(&cache->full, &retries);

		if (mag == NULL)
			break;
		if (PLANTED(magazine_emptied_late)) {
			taken += release_listed(cache, mag);
			continue;
		}
		cache->config.release(cache->config.ctx, mag->rounds, mag->count);
		taken += mag->count;
		empty_put(cache, mag);
	}
	return taken;
}

/* Empty magazines that no CPU of the cache keeps are anybody's. */
static void empties_return(struct mag_cache *cache)
{
	unsigned retries = 0;
	struct mag *mag;

	for (unsigned i = 0; i < 2 * MAXCPU; i++) {
		mag = mag_list_pop(&cache->empty, &retries);
		if (mag == NULL)
			return;
		mag_pool_put(mag);
	}
}

static uint64_t depots_release(struct mag_cache *const *caches, unsigned count)
{
	uint64_t taken = 0;

	for (unsigned i = 0; i < count; i++) {
		taken += mag_cache_trim(caches[i], 0);
		empties_return(caches[i]);
	}
	return taken;
}

uint64_t mag_cache_drain_many(struct mag_cache *const *caches, unsigned count)
{
	struct drain drain = {caches, count};
	struct cpuset online;

	smp_online_set(&online);
	if (PLANTED(drain_without_interrupt))
		drain_others(&drain, &online);
	else
		smp_call(&online, drain_here, &drain);
	return depots_release(caches, count);
}

uint64_t mag_cache_drain(struct mag_cache *cache)
{
	return mag_cache_drain_many(&cache, 1);
}

uint64_t mag_cache_drain_local(struct mag_cache *cache)
{
	bool irq_was_enabled = arch_irq_save();
	struct drain drain = {&cache, 1};

	drain_here(&drain);
	arch_irq_restore(irq_was_enabled);
	return depots_release(&cache, 1);
}

/* --- Size --- */

static void set_rounds(struct mag_cache *cache, uint32_t rounds)
{
	uint32_t least = cache->config.rounds_min;

	if (least > cache->rounds_limit)
		least = cache->rounds_limit;
	atomic32_store(&cache->rounds, rounds > least ? rounds : least, MO_RELAXED);
}

void mag_cache_age(struct mag_cache *cache)
{
	struct mag_cache_stats sum;
	uint64_t now;

	(void)atomic32_add(&cache->age, 1, MO_RELAXED);
	mag_cache_sum(cache, MAG_CACHE_ALL, &sum);
	now = sum.alloc_misses + sum.free_misses;
	if (atomic64_exchange(&cache->misses_seen, now, MO_RELAXED) != now)
		return;
	set_rounds(cache, atomic32_load(&cache->rounds, MO_RELAXED) / 4 * 3);
	(void)mag_cache_trim(cache, mag_cache_depot_cached(cache) / 2);
	empties_return(cache);
}

void mag_cache_shrink(struct mag_cache *cache)
{
	set_rounds(cache, 0);
}

/* Did the part have no misses from one call of mag_cache_age to the next? Interrupts disabled. */
static bool part_rested(const struct mag_cache *cache, struct mag_cpu *part)
{
	uint32_t age = atomic32_load(&cache->age, MO_RELAXED);
	uint32_t misses = (uint32_t)(atomic64_load(&part->alloc_misses, MO_RELAXED) +
				     atomic64_load(&part->free_misses, MO_RELAXED));
	bool rested = part->misses_then == misses;

	part->misses_then = misses;
	part->age = age;
	return rested;
}

bool mag_cache_idle_due(const struct mag_cache *cache)
{
	return cache->stash_limit != 0 && cache->lines != 0 &&
	       mag_cpu_self(cache)->age != atomic32_load(&cache->age, MO_RELAXED);
}

void mag_cache_idle(struct mag_cache *cache)
{
	struct mag *excess = NULL;
	struct mag_cpu *part;
	bool irq_was_enabled;

	if (!mag_cache_idle_due(cache))
		return;
	irq_was_enabled = arch_irq_save();
	part = mag_cpu_self(cache);
	if (part_rested(cache, part))
		mag_cpu_settle(cache, part, &excess);
	arch_irq_restore(irq_was_enabled);
	mag_excess_release(cache, excess);
}
