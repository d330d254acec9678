/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 1. Purpose. Whatever is allocated and freed often is kept at hand on the CPU that freed it, so
 *    that the next allocation there shares nothing with any other CPU.
 *
 * 2. Vocabulary. A magazine is an array of items. Each CPU has a part of the cache, with a loaded
 *    magazine, the previous one, and a stash of full ones. The depot, one for each cache, is a list
 *    of magazines with items and one of empty ones. An exchange moves whole magazines to or from
 *    the depot. Items that nobody has cached are imported from the owner, and released to it.
 *    (Bonwick and Adams, "Magazines and Vmem", USENIX 2001, section 3; the stash is not in there.)
 *
 * 3. Structures and invariants. The loaded magazine's items are the CPU's restartable stack
 *    (arch/restart.h), in a line of the CPU's area; hits happen there. A hit costs no lock, no
 *    locked instruction and no interrupt flag. When the loaded magazine is empty, or full, the
 *    two change places if that helps; else a full one goes to the stash, or comes from there. What
 *    was put there last is taken first, so a CPU that frees as many as it allocated before gets the
 *    same ones again, which nobody else has touched. When the stash is full its lower half goes to
 *    the depot, and when it is empty as many come from there, by one exchange. Every magazine is
 *    loaded, previous, in the stash or spare on one CPU, on one list, or in one thread's hands
 * while it empties it. A CPU without a loaded magazine has a stack without room: everything goes
 * the slow way there. That is how a cache begins, and how it is told to keep nothing.
 *
 * 4. Locking and contexts. A part is changed by its own CPU only, with interrupts disabled, or by
 *    the stack's sequences; who wants to change another CPU's part has a function run there
 *    (smp_call), and that takes it while no sequence is under way, as the interrupt sent it back.
 *    Lists are changed by one exchange of their head. There is no lock. import and release are
 *    called with none of this held, interrupts as the caller had them; what was taken off a list
 *    for that is the caller's own.
 *
 * 5. Failure. An allocation fails when import does. A free never fails: what finds no room in a
 *    magazine and no magazine is released at once. Memory for magazines is a gain, not a need.
 *
 * 6. Size. `rounds`, what a magazine is filled with, begins at its limit, falls with idleness and
 *    pressure, and rises by one with each exchange that another CPU got in the way of, with each
 *    import, and with each magazine that goes to a stash, since all of these say that magazines are
 *    too small for what is asked. Of items_max the CPUs' parts may have three quarters, and what
 *    they have stays there until it is drained, or until the CPU is idle (mag_cache_idle).
 *
 * 7. Rejected. A lock for each CPU's part lets others empty it without an interrupt, and costs two
 *    locked instructions on each hit. Filling a fresh magazine from the layer below and handing it
 *    on through the depot makes those wait who could be served already; a miss fills the CPU's own
 *    loaded magazine. Passing items between domains in the depot: an owner with domains has a
 *    cache for each.
 */
#include "vm/mag_cache.h"

#include "lib/check.h"
#include "lib/planted.h"
#include "lib/string.h"
#include "smp/smp.h"
#include "vm/mag_cache_private.h"
#include "vm/vm_param.h"

/* A depot without bound; sums of items are 32 bits wide. */
enum { DEPOT_UNBOUNDED = INT32_MAX };

/* --- A new cache --- */

/*
 * What each CPU may have in a magazine. Two for each come out of items_max. Where there is room for
 * more than small ones, half of it is the depot's, which serves whichever CPUs are busy.
 */
static uint32_t rounds_share(const struct mag_cache_config *config, unsigned cpus)
{
	uint64_t share = config->items_max / (2 * (uint64_t)cpus);

	if (share > 16)
		share = share / 2 > 16 ? share / 2 : 16;
	return (uint32_t)(share < config->rounds_max ? share : config->rounds_max);
}

/*
 * Full magazines in each CPU's stash, so that a quarter of items_max remains for the depot. None
 * where there is too little for magazines of full size: the depot makes better use of it.
 */
static uint32_t stash_share(const struct mag_cache_config *config, unsigned cpus, uint32_t rounds)
{
	uint64_t mags;

	if (rounds < config->rounds_max)
		return 0;
	mags = config->items_max / 4 * 3 / cpus / rounds;
	mags = mags > 2 ? mags - 2 : 0;
	return (uint32_t)(mags < config->stash_max ? mags : config->stash_max);
}

static void limits_set(struct mag_cache *cache, unsigned cpus)
{
	const struct mag_cache_config *config = &cache->config;
	uint64_t left;

	if (config->items_max == 0) {
		cache->rounds_limit = config->rounds_max;
		cache->stash_limit = config->stash_max;
		cache->depot_limit = DEPOT_UNBOUNDED;
		return;
	}
	cache->rounds_limit = rounds_share(config, cpus);
	cache->stash_limit = stash_share(config, cpus, cache->rounds_limit);
	left = config->items_max - (uint64_t)cpus * (2 + cache->stash_limit) * cache->rounds_limit;
	cache->depot_limit = left < DEPOT_UNBOUNDED ? (uint32_t)left : DEPOT_UNBOUNDED;
}

int mag_cache_init(struct mag_cache *cache, const struct mag_cache_config *config)
{
	CHECK(config->rounds_min >= 1 && config->rounds_min <= config->rounds_max);
	CHECK(config->rounds_max <= MAG_ROUNDS && config->stash_max <= MAG_STASH_MAX);
	CHECK(config->release != NULL);
	memset(cache, 0, sizeof(*cache));
	cache->config = *config;
	limits_set(cache, smp_cpu_count());
	atomic32_store(&cache->rounds, cache->rounds_limit, MO_RELAXED);
	cache->offset = percpu_lines_alloc(MAG_CPU_LINES);
	cache->lines = cache->offset != 0 ? MAG_CPU_LINES : 0;
	if (cache->lines == 0)
		cache->offset = PERCPU_ZERO_OFFSET;
	return cache->lines != 0 ? KERN_SUCCESS : KERN_RESOURCE_SHORTAGE;
}

void mag_cache_destroy(struct mag_cache *cache)
{
	unsigned retries = 0;
	struct mag *mag;

	(void)mag_cache_drain(cache);
	while ((mag = mag_list_pop(&cache->empty, &retries)) != NULL)
		mag_pool_put(mag);
	CHECK_EQ(mag_cache_cached(cache), 0);
	if (cache->lines != 0)
		percpu_lines_free(cache->offset, cache->lines);
	cache->offset = PERCPU_ZERO_OFFSET;
	cache->lines = 0;
}

/* --- Slow paths --- */

void *mag_cache_alloc_cached(struct mag_cache *cache)
{
	struct mag_cpu *part;
	bool irq_was_enabled;
	void *item;

	if (cache->lines == 0)
		return NULL;
	irq_was_enabled = arch_irq_save();
	part = mag_cpu_self(cache);
	item = mag_cpu_alloc(cache, part);
	if (item != NULL)
		mag_count(&part->alloc_misses, 1);
	arch_irq_restore(irq_was_enabled);
	return item;
}

/* What one import is to bring; the first step towards a place for it. */
static unsigned import_size(struct mag_cache *cache)
{
	bool irq_was_enabled;
	unsigned want;

	if (cache->lines == 0)
		return 1;
	irq_was_enabled = arch_irq_save();
	mag_rounds_grow(cache, mag_cpu_self(cache));
	want = mag_cpu_room(cache, mag_cpu_self(cache));
	arch_irq_restore(irq_was_enabled);
	return want;
}

/* Items that were imported for later. */
static void keep(struct mag_cache *cache, void **items, unsigned n)
{
	bool irq_was_enabled = arch_irq_save();
	struct mag_cpu *part = mag_cpu_self(cache);
	unsigned kept = n != 0 ? mag_cpu_fill(cache, part, items, n) : 0;

	mag_count(&part->alloc_misses, 1);
	mag_count(&part->allocs_direct, 1);
	arch_irq_restore(irq_was_enabled);
	if (kept < n && !PLANTED(import_rest_lost))
		cache->config.release(cache->config.ctx, items + kept, n - kept);
}

void *mag_cache_alloc_slow(struct mag_cache *cache, int flags)
{
	void *item = mag_cache_alloc_cached(cache);
	void *items[MAG_ROUNDS];
	unsigned n;

	if (item != NULL || cache->config.import == NULL)
		return item;
	n = cache->config.import(cache->config.ctx, items, import_size(cache), flags);
	if (n == 0)
		return NULL;
	if (cache->lines != 0)
		keep(cache, items + 1, n - 1);
	else if (n > 1)
		cache->config.release(cache->config.ctx, items + 1, n - 1);
	return items[0];
}

void mag_excess_release(struct mag_cache *cache, struct mag *chain)
{
	bool irq_was_enabled;
	struct mag *mag;

	while ((mag = chain) != NULL) {
		chain = mag_next(mag);
		cache->config.release(cache->config.ctx, mag->rounds, mag->count);
		irq_was_enabled = arch_irq_save();
		mag_cpu_put_empty(cache, mag_cpu_self(cache), mag);
		arch_irq_restore(irq_was_enabled);
	}
}

void mag_cache_free_slow(struct mag_cache *cache, void *item)
{
	struct mag *excess = NULL;
	bool kept = false;

	if (cache->lines != 0) {
		bool irq_was_enabled = arch_irq_save();
		struct mag_cpu *part = mag_cpu_self(cache);

		if (PLANTED(exchange_interrupted))
			arch_irq_restore(irq_was_enabled);
		kept = mag_cpu_free(cache, part, item, &excess);
		mag_count(&part->free_misses, 1);
		if (!kept)
			mag_count(&part->frees_direct, 1);
		arch_irq_restore(irq_was_enabled);
	}
	if (!kept)
		cache->config.release(cache->config.ctx, &item, 1);
	mag_excess_release(cache, excess);
}
