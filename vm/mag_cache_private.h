/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Magazine caches from inside: a CPU's part, lists of magazines, where magazines come from.
 */
#ifndef QUIRE_VM_MAG_CACHE_PRIVATE_H
#define QUIRE_VM_MAG_CACHE_PRIVATE_H

#include "arch/physmap.h"
#include "smp/percpu.h"
#include "vm/mag_cache.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Empty magazines that a CPU keeps to itself: as many as a run of 512 items empties or fills, and
 * as a stash has full ones.
 */
enum { MAG_SPARES_MAX = MAG_STASH_MAX };

/*
 * A CPU's part of a cache, in its area. Zero: it has no magazine, as at first use.
 * (o) its own CPU, interrupts disabled  (a) the same, read by others for statistics
 */
struct mag_cpu {
	struct arch_stack stack; /* the loaded magazine's items */
	struct mag *loaded;      /* (o) or NULL: then the stack has no room */
	struct mag *previous;    /* (o) or NULL */
	struct mag *stash;       /* (o) chain of full ones, the last one put there first */
	struct mag *spares;      /* (o) chain of empty ones */
	uint16_t stash_mags;     /* (o) */
	uint16_t spare_mags;     /* (o) */
	struct atomic32 reserve; /* (a) items of `previous` and of the stash */

	struct atomic64 balance; /* (a) items in magazines that were loaded, less unloaded */
	struct atomic64 alloc_misses, free_misses;   /* (a) */
	struct atomic64 allocs_direct, frees_direct; /* (a) past the stack */
	struct atomic64 exchanges;                   /* (a) */
	struct atomic32 resizes, retries;            /* (a) */
	uint32_t age;         /* (o) of the cache, at the last mag_cache_idle */
	uint32_t misses_then; /* (o) low bits */
} QUIRE_ALIGNED(CACHE_LINE);

enum { MAG_CPU_LINES = sizeof(struct mag_cpu) / CACHE_LINE };

/* Adds to a counter that only this CPU writes. */
static inline void mag_count(struct atomic64 *counter, uint64_t n)
{
	atomic64_store(counter, atomic64_load(counter, MO_RELAXED) + n, MO_RELAXED);
}

static inline void mag_count32(struct atomic32 *counter, uint32_t n)
{
	atomic32_store(counter, atomic32_load(counter, MO_RELAXED) + n, MO_RELAXED);
}

static inline struct mag_cpu *mag_cpu_self(const struct mag_cache *cache)
{
	return (struct mag_cpu *)percpu_at(cache->offset);
}

/* Is nothing to be kept now? */
static inline bool mag_cache_is_short(const struct mag_cache *cache)
{
	return cache->config.is_short != NULL && cache->config.is_short(cache->config.ctx);
}

/* --- mag_list.c: lists of magazines without locks, and chains --- */

/*
 * A magazine's number is its physical address in units of its size. The direct map is 64 TiB,
 * 2^46 bytes, so 37 bits are enough; no RAM that is used lies at address 0.
 */
enum { MAG_NUMBER_BITS = 37, MAG_SHIFT = 9 };

#define MAG_NUMBER_MASK (((uint64_t)1 << MAG_NUMBER_BITS) - 1)

static inline uint64_t mag_number(const struct mag *mag)
{
	return mag != NULL ? arch_physmap_paddr(mag) >> MAG_SHIFT : 0;
}

/* The one that a link or the head of a list names, or NULL. */
static inline struct mag *mag_at(uint64_t head)
{
	uint64_t number = head & MAG_NUMBER_MASK;

	return number != 0 ? (struct mag *)arch_physmap(number << MAG_SHIFT) : NULL;
}

/*
 * A chain is magazines of one owner, linked by `next`; the last one has none. NULL is the empty
 * one.
 */
static inline void mag_set_next(struct mag *mag, struct mag *next)
{
	atomic64_store(&mag->next, mag_number(next), MO_RELAXED);
}

static inline struct mag *mag_next(const struct mag *mag)
{
	return mag_at(atomic64_load(&mag->next, MO_RELAXED));
}

/*
 * Puts a chain of magazines on top, in its order. With a limit: only if the list holds at most so
 * many items then; false if not, and the chain is as it was. *retries counts other CPUs' changes in
 * between. Any context.
 */
bool mag_list_push_chain(struct atomic64 *list, struct mag *chain, uint32_t limit,
			 unsigned *retries);

/* The same for one magazine, whatever its link is. */
bool mag_list_push(struct atomic64 *list, struct mag *mag, uint32_t limit, unsigned *retries);

/* Takes up to `want` (at least 1) from the top, as a chain; *taken says how many. Any context. */
struct mag *mag_list_pop_chain(struct atomic64 *list, unsigned want, unsigned *taken,
			       unsigned *retries);

/* Takes the top one, or NULL. */
struct mag *mag_list_pop(struct atomic64 *list, unsigned *retries);

static inline bool mag_list_is_empty(const struct atomic64 *list)
{
	return (atomic64_load(list, MO_RELAXED) & MAG_NUMBER_MASK) == 0;
}

/* Items in all of a list's magazines. */
uint32_t mag_list_items(const struct atomic64 *list);

/* --- mag_pool.c --- */

/* An empty magazine, or NULL when memory is short. Any context below LOCK_RANK_FREE_PAGES. */
struct mag *mag_pool_get(void);
void mag_pool_put(struct mag *mag);
void mag_pool_put_chain(struct mag *chain);

/* Forgets all; with the machine's memory. */
void mag_pool_init(void);

/* Makes so many from boot memory, before vm_phys_init. */
void mag_pool_reserve(unsigned count);

/* --- mag_cpu.c: the running CPU's part, interrupts disabled --- */

/* An item from the part or the depot, or NULL. */
void *mag_cpu_alloc(struct mag_cache *cache, struct mag_cpu *part);

/*
 * Puts an item into the part; false if it keeps none now. *excess: a chain of magazines that the
 * depot refused, to be given to mag_excess_release once interrupts are as they were.
 */
bool mag_cpu_free(struct mag_cache *cache, struct mag_cpu *part, void *item, struct mag **excess);

/* The loaded magazine has an item after this, or room; false if that cannot be. */
bool mag_cpu_reload(struct mag_cache *cache, struct mag_cpu *part);
bool mag_cpu_make_room(struct mag_cache *cache, struct mag_cpu *part, struct mag **excess);

/* Does the part keep what is freed now? */
bool mag_cpu_keeps(struct mag_cache *cache);

/* How many items to import, the caller's own included: what the loaded magazine has room for. */
unsigned mag_cpu_room(struct mag_cache *cache, struct mag_cpu *part);

/* Puts imported items into the loaded magazine, which were nobody's; returns how many fit. */
unsigned mag_cpu_fill(struct mag_cache *cache, struct mag_cpu *part, void **items, unsigned n);

/* The lower half of the stash to the depot, or all that the part has, past the depot's limit. */
void mag_cpu_settle(struct mag_cache *cache, struct mag_cpu *part, struct mag **excess);
void mag_cpu_unload(struct mag_cache *cache, struct mag_cpu *part);

/* An emptied magazine. */
void mag_cpu_put_empty(struct mag_cache *cache, struct mag_cpu *part, struct mag *mag);

/* After what says that magazines are too small for what is asked. */
void mag_rounds_grow(struct mag_cache *cache, struct mag_cpu *part);

/* --- mag_cache.c --- */

/* Releases what the magazines of a chain hold, and keeps the magazines. Interrupts may be enabled.
 */
void mag_excess_release(struct mag_cache *cache, struct mag *chain);

#ifdef __cplusplus
}
#endif

#endif
