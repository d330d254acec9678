/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many items at once to and from a magazine cache: what fits is copied from and to the loaded
 * magazine, and a full or empty one is exchanged as ever. Each magazine is a turn of its own, with
 * interrupts as the caller had them in between.
 */
#include "lib/string.h"
#include "vm/mag_cache_private.h"

/* From the loaded magazine; interrupts disabled. Counts as if they had been taken one by one. */
static unsigned loaded_take(struct mag_cpu *part, void **items, unsigned want)
{
	uint32_t count = atomic32_load(&part->stack.count, MO_RELAXED);
	unsigned n = count < want ? count : want;

	if (n == 0)
		return 0;
	memcpy(items, part->stack.slots + count - n, n * sizeof(*items));
	atomic32_store(&part->stack.count, count - n, MO_RELAXED);
	mag_count(&part->stack.pops, n);
	return n;
}

static unsigned loaded_give(struct mag_cpu *part, void *const *items, unsigned count)
{
	uint32_t have = atomic32_load(&part->stack.count, MO_RELAXED);
	uint32_t capacity = atomic32_load(&part->stack.capacity, MO_RELAXED);
	unsigned room = capacity > have ? capacity - have : 0, n = count < room ? count : room;

	if (n == 0)
		return 0;
	memcpy(part->stack.slots + have, items, n * sizeof(*items));
	atomic32_store(&part->stack.count, have + n, MO_RELAXED);
	return n;
}

/* What one magazine has; 0: there are no more. */
static unsigned some_take(struct mag_cache *cache, void **items, unsigned want)
{
	bool irq_was_enabled = arch_irq_save();
	struct mag_cpu *part = mag_cpu_self(cache);
	unsigned n = loaded_take(part, items, want);

	if (n == 0 && mag_cpu_reload(cache, part)) {
		n = loaded_take(part, items, want);
		mag_count(&part->alloc_misses, 1);
	}
	arch_irq_restore(irq_was_enabled);
	return n;
}

unsigned mag_cache_alloc_many(struct mag_cache *cache, void **items, unsigned want)
{
	unsigned got = 0, n = 1;

	while (cache->lines != 0 && got < want && n != 0) {
		n = some_take(cache, items + got, want - got);
		got += n;
	}
	return got;
}

/* What one magazine has room for; 0: nothing is kept. */
static unsigned some_give(struct mag_cache *cache, void *const *items, unsigned count)
{
	bool irq_was_enabled = arch_irq_save();
	struct mag_cpu *part = mag_cpu_self(cache);
	struct mag *excess = NULL;
	unsigned n = 0;

	if (mag_cpu_keeps(cache)) {
		n = loaded_give(part, items, count);
		if (n == 0 && mag_cpu_make_room(cache, part, &excess)) {
			n = loaded_give(part, items, count);
			mag_count(&part->free_misses, 1);
		}
	}
	arch_irq_restore(irq_was_enabled);
	mag_excess_release(cache, excess);
	return n;
}

/* Past the cache, in pieces as they would come out of magazines. */
static void release_directly(struct mag_cache *cache, void **items, unsigned count)
{
	bool irq_was_enabled;

	if (cache->lines != 0) {
		irq_was_enabled = arch_irq_save();
		mag_count(&mag_cpu_self(cache)->free_misses, count);
		mag_count(&mag_cpu_self(cache)->frees_direct, count);
		arch_irq_restore(irq_was_enabled);
	}
	for (unsigned n; count != 0; items += n, count -= n) {
		n = count < MAG_ROUNDS ? count : MAG_ROUNDS;
		cache->config.release(cache->config.ctx, items, n);
	}
}

void mag_cache_free_many(struct mag_cache *cache, void **items, unsigned count)
{
	unsigned given = 0, n = 1;

	while (cache->lines != 0 && given < count && n != 0) {
		n = some_give(cache, items + given, count - given);
		given += n;
	}
	release_directly(cache, items + given, count - given);
}
