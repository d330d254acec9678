/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Magazine caches from inside: a CPU's part, lists of magazines, where magazines come from.
 */
#ifndef QUIRE_VM_MAG_CACHE_PRIVATE_H
#define QUIRE_VM_MAG_CACHE_PRIVATE_H

#include "smp/percpu.h"
#include "vm/mag_cache.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Empty magazines that a CPU keeps to itself: as many as a run of 512 items empties or fills. */
enum { MAG_SPARES_MAX = 8 };

/*
 * A CPU's part of a cache, in its area. Zero: it has no magazine, as at first use.
 * (o) its own CPU, interrupts disabled  (a) the same, read by others for statistics
 */
struct mag_cpu {
	struct arch_stack stack;        /* the loaded magazine's items */
	struct mag *loaded;             /* (o) or NULL: then the stack has no room */
	struct mag *previous;           /* (o) or NULL */
	struct mag *spares;             /* (o) empty ones, linked by next */
	uint32_t spare_count;           /* (o) */
	struct atomic32 previous_count; /* (a) items of `previous` */

	struct atomic64 balance;                   /* (a) items in magazines that came, less gone */
	struct atomic64 alloc_misses, free_misses; /* (a) */
	struct atomic64 allocs_direct, frees_direct; /* (a) past the stack */
	struct atomic64 exchanges, resizes, retries; /* (a) */
} QUIRE_ALIGNED(CACHE_LINE);

enum { MAG_CPU_LINES = sizeof(struct mag_cpu) / CACHE_LINE };

/* Adds to a counter that only this CPU writes. */
static inline void mag_count(struct atomic64 *counter, uint64_t n)
{
	atomic64_store(counter, atomic64_load(counter, MO_RELAXED) + n, MO_RELAXED);
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

/* --- mag_list.c: lists of magazines without locks --- */

/*
 * Puts a magazine on top. With a limit: only if the list holds at most so many items then; false
 * if not. *retries counts other CPUs' changes in between. Any context.
 */
bool mag_list_push(struct atomic64 *list, struct mag *mag, uint32_t limit, unsigned *retries);

/* Takes the top one, or NULL. Any context. */
struct mag *mag_list_pop(struct atomic64 *list, unsigned *retries);

/* Items in all of a list's magazines. */
uint32_t mag_list_items(const struct atomic64 *list);

/* A link to another magazine, outside of lists that several CPUs use. */
void mag_set_next(struct mag *mag, struct mag *next);
struct mag *mag_next(const struct mag *mag);

/* --- mag_pool.c --- */

/* An empty magazine, or NULL when memory is short. Any context below LOCK_RANK_FREE_PAGES. */
struct mag *mag_pool_get(void);
void mag_pool_put(struct mag *mag);

/* Forgets all; with the machine's memory. */
void mag_pool_init(void);

/* Makes so many from boot memory, before vm_phys_init. */
void mag_pool_reserve(unsigned count);

/* --- mag_cache.c: a CPU's own part, interrupts disabled --- */

/* Gives all that the part has to the depot, past its limit. */
void mag_cpu_unload(struct mag_cache *cache, struct mag_cpu *part);

/* An empty magazine for the part, or NULL. */
struct mag *mag_cpu_get_empty(struct mag_cache *cache, struct mag_cpu *part);
void mag_cpu_put_empty(struct mag_cache *cache, struct mag_cpu *part, struct mag *mag);

#ifdef __cplusplus
}
#endif

#endif
