/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The running CPU's part of a magazine cache: which magazine is loaded, which one comes next, and
 * what goes to the depot. All of it with interrupts disabled; mag_cache.c has the theory.
 */
#include "lib/planted.h"
#include "lib/string.h"
#include "vm/mag_cache_private.h"

_Static_assert(sizeof(struct mag_cpu) == 2 * CACHE_LINE, "what misses work with; figures");
_Static_assert(MAG_SPARES_MAX *MAG_ROUNDS >= 512, "for a run of 512 items");

/* --- Size --- */

static inline void rounds_grow(struct mag_cache *cache, struct mag_cpu *part)
{
	uint32_t rounds = atomic32_load(&cache->rounds, MO_RELAXED);

	if (rounds >= cache->rounds_limit)
		return;
	if (atomic32_cas(&cache->rounds, &rounds, rounds + 1, MO_RELAXED))
		mag_count32(&part->resizes, 1);
}

void mag_rounds_grow(struct mag_cache *cache, struct mag_cpu *part)
{
	rounds_grow(cache, part);
}

static void note_exchange(struct mag_cache *cache, struct mag_cpu *part, unsigned mags,
			  unsigned retries)
{
	mag_count(&part->exchanges, mags);
	if (likely(retries == 0))
		return;
	mag_count32(&part->retries, retries);
	rounds_grow(cache, part);
}

bool mag_cpu_keeps(struct mag_cache *cache)
{
	return (!mag_cache_is_short(cache) || PLANTED(is_short_ignored)) &&
	       atomic32_load(&cache->rounds, MO_RELAXED) != 0;
}

/* --- The loaded magazine and the previous one --- */

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
	uint32_t was = part->previous != NULL ? part->previous->count : 0;
	uint32_t is = mag != NULL ? mag->count : 0;

	part->previous = mag;
	mag_count32(&part->reserve, is - was);
}

static void swap(struct mag_cache *cache, struct mag_cpu *part)
{
	struct mag *mag = part->previous;

	set_previous(part, unload(part));
	load(cache, part, mag);
}

/* --- Empty magazines --- */

static void spare_push(struct mag_cpu *part, struct mag *mag)
{
	mag_set_next(mag, part->spares);
	part->spares = mag;
	part->spare_mags++;
}

/* An empty magazine for the part, or NULL. */
static struct mag *empty_get(struct mag_cache *cache, struct mag_cpu *part)
{
	struct mag *mag = part->spares;
	unsigned retries = 0;

	if (mag != NULL) {
		part->spares = mag_next(mag);
		part->spare_mags--;
		return mag;
	}
	mag = mag_list_pop(&cache->empty, &retries);
	if (mag == NULL)
		return mag_pool_get();
	note_exchange(cache, part, 1, retries);
	return mag;
}

void mag_cpu_put_empty(struct mag_cache *cache, struct mag_cpu *part, struct mag *mag)
{
	unsigned retries = 0;

	mag->count = 0;
	if (part->spare_mags < MAG_SPARES_MAX) {
		spare_push(part, mag);
		return;
	}
	(void)mag_list_push(&cache->empty, mag, 0, &retries);
	note_exchange(cache, part, 1, retries);
}

/* --- The stash --- */

static void stash_push(struct mag_cpu *part, struct mag *mag)
{
	mag_set_next(mag, part->stash);
	part->stash = mag;
	part->stash_mags++;
	mag_count32(&part->reserve, mag->count);
}

static struct mag *stash_pop(struct mag_cpu *part)
{
	struct mag *mag = part->stash;

	if (mag == NULL)
		return NULL;
	part->stash = mag_next(mag);
	part->stash_mags--;
	mag_count32(&part->reserve, -mag->count);
	return mag;
}

/* Those below the `keep` on top, as a chain: what was put there longest ago. */
static struct mag *stash_cut(struct mag_cpu *part, unsigned keep)
{
	struct mag *last = NULL, *cut = part->stash;

	for (; keep != 0 && cut != NULL; keep--) {
		last = cut;
		cut = mag_next(cut);
	}
	if (last != NULL)
		mag_set_next(last, NULL);
	else
		part->stash = NULL;
	for (struct mag *mag = cut; mag != NULL; mag = mag_next(mag)) {
		part->stash_mags--;
		mag_count32(&part->reserve, -mag->count);
	}
	return cut;
}

/* --- The depot --- */

/* As many as the depot has room for; what it refuses is added to *excess. */
static void depot_push_each(struct mag_cache *cache, struct mag_cpu *part, struct mag *chain,
			    unsigned mags, struct mag **excess)
{
	unsigned retries = 0;
	struct mag *mag;

	while (mags-- != 0) {
		mag = chain;
		chain = mag_next(mag);
		if (mag_list_push(&cache->full, mag, cache->depot_limit, &retries)) {
			note_exchange(cache, part, 1, retries);
			continue;
		}
		mag_set_next(mag, *excess);
		*excess = mag;
	}
}

static void depot_push(struct mag_cache *cache, struct mag_cpu *part, struct mag *chain,
		       unsigned mags, struct mag **excess)
{
	unsigned retries = 0;

	if (mag_list_push_chain(&cache->full, chain, cache->depot_limit, &retries))
		note_exchange(cache, part, mags, retries);
	else
		depot_push_each(cache, part, chain, mags, excess);
}

/* One to be loaded, and half a stash, which is empty. Only the one while others are short. */
static unsigned depot_want(const struct mag_cache *cache)
{
	if (cache->stash_limit == 0 || mag_cache_is_short(cache))
		return 1;
	return 1 + cache->stash_limit / 2;
}

static struct mag *depot_pop(struct mag_cache *cache, struct mag_cpu *part)
{
	unsigned taken, retries = 0;
	struct mag *top, *mag;

	if (mag_list_is_empty(&cache->full))
		return NULL;
	top = mag_list_pop_chain(&cache->full, depot_want(cache), &taken, &retries);
	if (top == NULL)
		return NULL;
	note_exchange(cache, part, taken, retries);
	part->stash = mag_next(top);
	part->stash_mags = (uint16_t)(taken - 1);
	for (mag = part->stash; mag != NULL; mag = mag_next(mag))
		mag_count32(&part->reserve, mag->count);
	return top;
}

/* Keeps a full magazine: in the stash, whose lower half makes room for it. */
static void full_put(struct mag_cache *cache, struct mag_cpu *part, struct mag *full,
		     struct mag **excess)
{
	if (cache->stash_limit == 0) {
		depot_push_each(cache, part, full, 1, excess);
		return;
	}
	if (part->stash_mags >= cache->stash_limit)
		mag_cpu_settle(cache, part, excess);
	stash_push(part, full);
	rounds_grow(cache, part);
}

void mag_cpu_settle(struct mag_cache *cache, struct mag_cpu *part, struct mag **excess)
{
	unsigned keep = part->stash_mags / 2, cut = part->stash_mags - keep;

	if (cut != 0)
		depot_push(cache, part, stash_cut(part, keep), cut, excess);
}

/* --- Allocation --- */

bool mag_cpu_reload(struct mag_cache *cache, struct mag_cpu *part)
{
	struct mag *full;

	if (part->previous != NULL && part->previous->count != 0) {
		swap(cache, part);
		return true;
	}
	full = part->stash != NULL ? stash_pop(part) : depot_pop(cache, part);
	if (full == NULL)
		return false;
	if (part->previous != NULL)
		mag_cpu_put_empty(cache, part, part->previous);
	part->previous = NULL;
	set_previous(part, unload(part));
	load(cache, part, full);
	return true;
}

void *mag_cpu_alloc(struct mag_cache *cache, struct mag_cpu *part)
{
	void *item = mag_cache_alloc(cache);

	if (item != NULL || !mag_cpu_reload(cache, part))
		return item;
	return mag_cache_alloc(cache);
}

/* --- Free --- */

bool mag_cpu_make_room(struct mag_cache *cache, struct mag_cpu *part, struct mag **excess)
{
	struct mag *empty, *full = part->previous;

	if (full != NULL && full->count < atomic32_load(&cache->rounds, MO_RELAXED)) {
		swap(cache, part);
		return true;
	}
	empty = empty_get(cache, part);
	if (empty == NULL)
		return false;
	set_previous(part, unload(part));
	if (full != NULL)
		full_put(cache, part, full, excess);
	load(cache, part, empty);
	return true;
}

bool mag_cpu_free(struct mag_cache *cache, struct mag_cpu *part, void *item, struct mag **excess)
{
	if (!mag_cpu_keeps(cache))
		return false;
	if (mag_cache_free(cache, item))
		return true;
	return mag_cpu_make_room(cache, part, excess) && mag_cache_free(cache, item);
}

/* --- Import --- */

unsigned mag_cpu_room(struct mag_cache *cache, struct mag_cpu *part)
{
	uint32_t rounds = atomic32_load(&cache->rounds, MO_RELAXED), count;
	struct mag *empty;

	if (mag_cache_is_short(cache) || rounds == 0)
		return 1;
	if (part->loaded == NULL) {
		empty = empty_get(cache, part);
		if (empty == NULL)
			return 1;
		load(cache, part, empty);
	}
	count = atomic32_load(&part->stack.count, MO_RELAXED);
	return count + 1 < rounds ? rounds - count : 1;
}

unsigned mag_cpu_fill(struct mag_cache *cache, struct mag_cpu *part, void **items, unsigned n)
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

/* --- Giving up all --- */

/* A magazine that was loaded or previous. */
static void put_aside(struct mag_cpu *part, struct mag *mag)
{
	if (mag == NULL)
		return;
	if (mag->count != 0)
		stash_push(part, mag);
	else
		spare_push(part, mag);
}

void mag_cpu_unload(struct mag_cache *cache, struct mag_cpu *part)
{
	struct mag *loaded = unload(part), *previous = part->previous, *chain;
	unsigned retries = 0;

	set_previous(part, NULL);
	if (PLANTED(drain_forgets_stash))
		(void)stash_cut(part, 0);
	if (!PLANTED(drain_forgets_previous))
		put_aside(part, previous);
	put_aside(part, loaded);
	chain = stash_cut(part, 0);
	(void)mag_list_push_chain(&cache->full, chain, UINT32_MAX, &retries);
	mag_pool_put_chain(part->spares);
	part->spares = NULL;
	part->spare_mags = 0;
}
