/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 1. Purpose. Whatever is allocated and freed often is kept at hand on the CPU that freed it, so
 *    that the next allocation there shares nothing with any other CPU.
 *
 * 2. Vocabulary. A magazine is an array of items. Each CPU has a part of the cache, with a loaded
 *    magazine and the previous one. The depot, one for each cache, is a list of magazines with
 *    items and one of empty ones. An exchange moves a whole magazine to or from the depot. Items
 *    that nobody has cached are imported from the owner, and released to it. (Bonwick and Adams,
 *    "Magazines and Vmem", USENIX 2001, section 3.)
 *
 * 3. Structures and invariants. The loaded magazine's items are the CPU's restartable stack
 *    (arch/restart.h), in a line of the CPU's area; hits happen there. A hit costs no lock, no
 *    locked instruction and no interrupt flag. When the loaded magazine is empty, or full, the
 *    two change places if that helps, and else one of them is exchanged: so between two exchanges
 *    lie at least as many hits as a magazine has rounds. Every magazine is loaded or previous on
 *    one CPU, spare on one CPU, on one list, or in one thread's hands while it empties it. A CPU
 *    without a loaded magazine has a stack without room: everything goes the slow way there. That
 *    is how a cache begins, and how it is told to keep nothing.
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
 *    pressure, and rises by one with each exchange that another CPU got in the way of, and with
 *    each import, since both say that magazines are too small for what is asked.
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
 * Two magazines for each CPU come out of items_max. Where there is room for more than small ones,
 * half of it is the depot's, which serves whichever CPUs are busy.
 */
static void limits_set(struct mag_cache *cache, unsigned cpus)
{
	const struct mag_cache_config *config = &cache->config;
	uint64_t share = config->items_max / (2 * (uint64_t)cpus), left;

	if (config->items_max == 0) {
		cache->rounds_limit = config->rounds_max;
		cache->depot_limit = DEPOT_UNBOUNDED;
		return;
	}
	if (share > 16)
		share = share / 2 > 16 ? share / 2 : 16;
	if (share > config->rounds_max)
		share = config->rounds_max;
	left = config->items_max - 2 * (uint64_t)cpus * share;
	cache->rounds_limit = (uint32_t)share;
	cache->depot_limit = left < DEPOT_UNBOUNDED ? (uint32_t)left : DEPOT_UNBOUNDED;
}

int mag_cache_init(struct mag_cache *cache, const struct mag_cache_config *config)
{
	CHECK(config->rounds_min >= 1 && config->rounds_min <= config->rounds_max);
	CHECK(config->rounds_max <= MAG_ROUNDS);
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

/* --- Size --- */

static void rounds_grow(struct mag_cache *cache, struct mag_cpu *part)
{
	uint32_t rounds = atomic32_load(&cache->rounds, MO_RELAXED);

	if (rounds >= cache->rounds_limit)
		return;
	if (atomic32_cas(&cache->rounds, &rounds, rounds + 1, MO_RELAXED))
		mag_count(&part->resizes, 1);
}

/* --- The running CPU's part; interrupts disabled --- */

static void note_exchange(struct mag_cache *cache, struct mag_cpu *part, unsigned retries)
{
	mag_count(&part->exchanges, 1);
	if (likely(retries == 0))
		return;
	mag_count(&part->retries, retries);
	rounds_grow(cache, part);
}

static void load(struct mag_cache *cache, struct mag_cpu *part, struct mag *mag)
{
	part->loaded = mag;
	mag_count(&part->balance, mag->count);
	part->stack.slots = mag->rounds;
	atomic32_store(&part->stack.count, mag->count, MO_RELAXED);
	atomic32_store(&part->stack.capacity, atomic32_load(&cache->rounds, MO_RELAXED),
		       MO_RELAXED);
}

/* Takes the loaded magazine out, if there is one. */
static struct mag *unload(struct mag_cpu *part)
{
	struct mag *mag = part->loaded;

	if (mag == NULL)
		return NULL;
	mag->count = atomic32_load(&part->stack.count, MO_RELAXED);
	mag_count(&part->balance, -(uint64_t)mag->count);
	atomic32_store(&part->stack.count, 0, MO_RELAXED);
	atomic32_store(&part->stack.capacity, 0, MO_RELAXED);
	part->stack.slots = NULL;
	part->loaded = NULL;
	return mag;
}

static void set_previous(struct mag_cpu *part, struct mag *mag)
{
	part->previous = mag;
	atomic32_store(&part->previous_count, mag != NULL ? mag->count : 0, MO_RELAXED);
}

static void swap(struct mag_cache *cache, struct mag_cpu *part)
{
	struct mag *mag = part->previous;

	set_previous(part, unload(part));
	load(cache, part, mag);
}

struct mag *mag_cpu_get_empty(struct mag_cache *cache, struct mag_cpu *part)
{
	struct mag *mag = part->spares;
	unsigned retries = 0;

	if (mag != NULL) {
		part->spares = mag_next(mag);
		part->spare_count--;
		return mag;
	}
	mag = mag_list_pop(&cache->empty, &retries);
	if (mag == NULL)
		return mag_pool_get();
	note_exchange(cache, part, retries);
	return mag;
}

void mag_cpu_put_empty(struct mag_cache *cache, struct mag_cpu *part, struct mag *mag)
{
	unsigned retries = 0;

	mag->count = 0;
	if (part->spare_count < MAG_SPARES_MAX) {
		mag_set_next(mag, part->spares);
		part->spares = mag;
		part->spare_count++;
		return;
	}
	(void)mag_list_push(&cache->empty, mag, 0, &retries);
	note_exchange(cache, part, retries);
}

/* From the magazines at hand, or the depot's. */
static void *own_alloc(struct mag_cache *cache, struct mag_cpu *part)
{
	void *item = mag_cache_alloc(cache);
	unsigned retries = 0;
	struct mag *full;

	if (item != NULL)
		return item;
	if (part->previous != NULL && part->previous->count != 0) {
		swap(cache, part);
		return mag_cache_alloc(cache);
	}
	full = mag_list_pop(&cache->full, &retries);
	if (full == NULL)
		return NULL;
	note_exchange(cache, part, retries);
	if (part->previous != NULL)
		mag_cpu_put_empty(cache, part, part->previous);
	set_previous(part, unload(part));
	load(cache, part, full);
	return mag_cache_alloc(cache);
}

/* Makes room by an exchange. False: there is no magazine. *excess: one that the depot refused. */
static bool own_exchange_full(struct mag_cache *cache, struct mag_cpu *part, struct mag **excess)
{
	struct mag *empty = mag_cpu_get_empty(cache, part), *full = part->previous;
	unsigned retries = 0;

	if (empty == NULL)
		return false;
	if (full != NULL && !mag_list_push(&cache->full, full, cache->depot_limit, &retries))
		*excess = full;
	else if (full != NULL)
		note_exchange(cache, part, retries);
	set_previous(part, unload(part));
	load(cache, part, empty);
	return true;
}

static bool own_free(struct mag_cache *cache, struct mag_cpu *part, void *item, struct mag **excess)
{
	uint32_t rounds = atomic32_load(&cache->rounds, MO_RELAXED);

	if ((mag_cache_is_short(cache) && !PLANTED(is_short_ignored)) || rounds == 0)
		return false;
	if (mag_cache_free(cache, item))
		return true;
	if (part->previous != NULL && part->previous->count < rounds)
		swap(cache, part);
	else if (!own_exchange_full(cache, part, excess))
		return false;
	return mag_cache_free(cache, item);
}

/* How many items to import, the caller's own included: what the loaded magazine has room for. */
static unsigned own_room(struct mag_cache *cache, struct mag_cpu *part)
{
	uint32_t rounds = atomic32_load(&cache->rounds, MO_RELAXED), count;
	struct mag *empty;

	if (mag_cache_is_short(cache) || rounds == 0)
		return 1;
	if (part->loaded == NULL) {
		empty = mag_cpu_get_empty(cache, part);
		if (empty == NULL)
			return 1;
		load(cache, part, empty);
	}
	count = atomic32_load(&part->stack.count, MO_RELAXED);
	return count + 1 < rounds ? rounds - count : 1;
}

/* Puts items into the loaded magazine; returns how many fit. They were never the caller's. */
static unsigned own_fill(struct mag_cache *cache, struct mag_cpu *part, void **items, unsigned n)
{
	uint32_t count = atomic32_load(&part->stack.count, MO_RELAXED);
	unsigned fit = MAG_ROUNDS - count;

	if (part->loaded == NULL || mag_cache_is_short(cache))
		return 0;
	if (fit > n)
		fit = n;
	memcpy(&part->loaded->rounds[count], items, fit * sizeof(*items));
	atomic32_store(&part->stack.count, count + fit, MO_RELAXED);
	mag_count(&part->balance, fit);
	return fit;
}

void mag_cpu_unload(struct mag_cache *cache, struct mag_cpu *part)
{
	struct mag *mags[2] = {unload(part),
			       PLANTED(drain_forgets_previous) ? NULL : part->previous};
	unsigned retries = 0;
	struct mag *mag;

	set_previous(part, NULL);
	for (unsigned i = 0; i < nitems(mags); i++)
		if (mags[i] != NULL)
			(void)mag_list_push(mags[i]->count != 0 ? &cache->full : &cache->empty,
					    mags[i], UINT32_MAX, &retries);
	while ((mag = part->spares) != NULL) {
		part->spares = mag_next(mag);
		mag_pool_put(mag);
	}
	part->spare_count = 0;
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
	item = own_alloc(cache, part);
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
	rounds_grow(cache, mag_cpu_self(cache));
	want = own_room(cache, mag_cpu_self(cache));
	arch_irq_restore(irq_was_enabled);
	return want;
}

/* Items that were imported for later. */
static void keep(struct mag_cache *cache, void **items, unsigned n)
{
	bool irq_was_enabled = arch_irq_save();
	struct mag_cpu *part = mag_cpu_self(cache);
	unsigned kept = n != 0 ? own_fill(cache, part, items, n) : 0;

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

/* Releases what a magazine that is in nobody's way holds, and keeps the magazine. */
static void excess_release(struct mag_cache *cache, struct mag *mag)
{
	bool irq_was_enabled;

	cache->config.release(cache->config.ctx, mag->rounds, mag->count);
	irq_was_enabled = arch_irq_save();
	mag_cpu_put_empty(cache, mag_cpu_self(cache), mag);
	arch_irq_restore(irq_was_enabled);
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
		kept = own_free(cache, part, item, &excess);
		mag_count(&part->free_misses, 1);
		if (!kept)
			mag_count(&part->frees_direct, 1);
		arch_irq_restore(irq_was_enabled);
	}
	if (!kept)
		cache->config.release(cache->config.ctx, &item, 1);
	if (excess != NULL)
		excess_release(cache, excess);
}
