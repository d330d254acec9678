/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking back what magazine caches hold, and looking at it.
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
#include "lib/check.h"
#include "lib/planted.h"
#include "smp/call.h"
#include "smp/preempt.h"
#include "smp/smp.h"
#include "vm/mag_cache_private.h"
#include "vm/vm_report.h"

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

static const struct mag_cpu *part_of(const struct mag_cache *cache, unsigned cpu)
{
	return cache->lines != 0 ? (const struct mag_cpu *)percpu_at_cpu(cpu, cache->offset) : NULL;
}

void mag_cache_age(struct mag_cache *cache)
{
	struct mag_cache_stats sum;
	uint64_t now;

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

/* --- Statistics --- */

void mag_cache_cpu_stats(const struct mag_cache *cache, unsigned cpu, struct mag_cache_stats *stats)
{
	const struct mag_cpu *part = part_of(cache, cpu);

	*stats = (struct mag_cache_stats){0};
	if (part == NULL)
		return;
	stats->cached = (uint64_t)atomic32_load(&part->stack.count, MO_RELAXED) +
			atomic32_load(&part->previous_count, MO_RELAXED);
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
	stats->resizes = atomic64_load(&part->resizes, MO_RELAXED);
	stats->retries = atomic64_load(&part->retries, MO_RELAXED);
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

/* --- Visits --- */

struct visit {
	struct mag_cache *cache;
	void (*visit)(void *arg, void *item, int cpu);
	void *arg;
};

static void visit_items(const struct visit *visit, void *const *items, unsigned count, int cpu)
{
	for (unsigned i = 0; i < count; i++)
		visit->visit(visit->arg, items[i], cpu);
}

static void visit_here(void *arg)
{
	const struct visit *visit = (const struct visit *)arg;
	const struct mag_cpu *part = mag_cpu_self(visit->cache);
	int cpu = (int)arch_cpu_id();

	if (part->loaded != NULL)
		visit_items(visit, part->loaded->rounds,
			    atomic32_load(&part->stack.count, MO_RELAXED), cpu);
	if (part->previous != NULL)
		visit_items(visit, part->previous->rounds, part->previous->count, cpu);
}

/* Each CPU after the other, so that the visits do not run beside each other. */
static void visit_cpus(struct visit *visit)
{
	struct cpuset online;
	bool irq_was_enabled;

	if (mag_cache_can_drain()) {
		smp_online_set(&online);
		CPUSET_FOREACH (cpu, &online)
			smp_call_one(cpu, visit_here, visit);
		return;
	}
	irq_was_enabled = arch_irq_save();
	visit_here(visit);
	arch_irq_restore(irq_was_enabled);
}

/*
 * Takes the magazines off the list, looks, and puts them back: or gives up what they hold, if
 * somebody came meanwhile who needs it and did not find it.
 */
static void visit_depot(const struct visit *visit)
{
	struct mag *chain = NULL, *mag;
	unsigned retries = 0;

	while ((mag = mag_list_pop(&visit->cache->full, &retries)) != NULL) {
		visit_items(visit, mag->rounds, mag->count, MAG_CACHE_DEPOT);
		mag_set_next(mag, chain);
		chain = mag;
	}
	while ((mag = chain) != NULL) {
		chain = mag_next(mag);
		(void)mag_list_push(&visit->cache->full, mag, UINT32_MAX, &retries);
	}
	if (mag_cache_is_short(visit->cache))
		(void)mag_cache_trim(visit->cache, 0);
}

void mag_cache_visit(struct mag_cache *cache, void (*visit)(void *arg, void *item, int cpu),
		     void *arg)
{
	struct visit v = {cache, visit, arg};

	if (cache->lines == 0)
		return;
	visit_cpus(&v);
	visit_depot(&v);
}

/* --- Audit --- */

struct audit {
	struct mag_cache *cache;
	void (*report)(const char *line);
	unsigned broken;
};

static void audit_here(void *arg)
{
	struct audit *audit = (struct audit *)arg;
	const char *name = audit->cache->config.name;
	const struct mag_cpu *part = mag_cpu_self(audit->cache);
	uint32_t count = atomic32_load(&part->stack.count, MO_RELAXED);
	uint32_t capacity = atomic32_load(&part->stack.capacity, MO_RELAXED);
	unsigned cpu = arch_cpu_id();

	if (count > MAG_ROUNDS || capacity > MAG_ROUNDS)
		audit->broken += vm_report(audit->report, "%s: CPU %u has %u of %u items", name,
					   cpu, count, capacity);
	if (part->loaded == NULL && (count != 0 || capacity != 0 || part->stack.slots != NULL))
		audit->broken += vm_report(audit->report, "%s: CPU %u has %u items and no magazine",
					   name, cpu, count);
	if (part->loaded != NULL && part->stack.slots != part->loaded->rounds)
		audit->broken +=
		    vm_report(audit->report, "%s: CPU %u uses a magazine not its own", name, cpu);
	if (part->loaded != NULL && part->loaded == part->previous)
		audit->broken +=
		    vm_report(audit->report, "%s: CPU %u has one magazine twice", name, cpu);
	if (part->previous != NULL &&
	    (part->previous->count > MAG_ROUNDS ||
	     part->previous->count != atomic32_load(&part->previous_count, MO_RELAXED)))
		audit->broken += vm_report(audit->report, "%s: CPU %u has %u items in reserve",
					   name, cpu, part->previous->count);
}

unsigned mag_cache_audit(struct mag_cache *cache, void (*report)(const char *line))
{
	struct audit audit = {cache, report, 0};
	struct cpuset online;
	bool irq_was_enabled;

	if (cache->lines == 0)
		return 0;
	if (mag_cache_can_drain()) {
		smp_online_set(&online);
		CPUSET_FOREACH (cpu, &online)
			smp_call_one(cpu, audit_here, &audit);
	} else {
		irq_was_enabled = arch_irq_save();
		audit_here(&audit);
		arch_irq_restore(irq_was_enabled);
	}
	return audit.broken;
}
