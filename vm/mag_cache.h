/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The magazine cache: items at hand for each CPU, whatever an item is. Pages, ranges of kernel
 * memory and zone items are cached by this one mechanism; its theory is in mag_cache.c.
 *
 * An owner supplies two functions, by which items come and go in batches:
 *
 *	static const struct mag_cache_config config = {
 *		.name = "things", .rounds_min = 8, .rounds_max = MAG_ROUNDS,
 *		.import = things_import, .release = things_release,
 *	};
 *	mag_cache_init(&things, &config);
 *
 * and writes its two hot paths as
 *
 *	item = mag_cache_alloc(&things);
 *	if (unlikely(item == NULL))
 *		item = mag_cache_alloc_slow(&things, flags);
 *
 *	if (unlikely(!mag_cache_free(&things, item)))
 *		mag_cache_free_slow(&things, item);
 *
 * Whatever it does to an item (states, constructors, poison) it does before the item is given to
 * mag_cache_free and after it came from mag_cache_alloc.
 */
#ifndef QUIRE_VM_MAG_CACHE_H
#define QUIRE_VM_MAG_CACHE_H

#include <bsd/sys/queue.h>

#include "arch/restart.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { MAG_ROUNDS = 62, MAG_SIZE = 512 }; /* items that one can hold; bytes */

/* Full magazines that a CPU may keep besides the two that it works with. */
enum { MAG_STASH_MAX = 16 };

/*
 * A magazine. It belongs to one CPU, to a depot, or to nobody; the memory stays one for ever.
 * (a) atomic  (o) whoever has taken it off a list, or the CPU that it is loaded on
 */
struct mag {
	struct atomic64 next;     /* (a) the one below it in a list or chain, by number, 0: none */
	struct atomic32 sum;      /* (a) items in this one and in those below it in a depot */
	uint32_t count;           /* (o) while it is not loaded */
	void *rounds[MAG_ROUNDS]; /* (o) */
};

struct mag_cache_config {
	const char *name; /* for messages; stays the caller's */

	/* A magazine is filled with at least and at most so many; 1 to MAG_ROUNDS. */
	unsigned rounds_min, rounds_max;

	/*
	 * Items in all CPUs' magazines and the depot together, at most; 0: no bound. Magazines get
	 * smaller when there are many CPUs, and with too few items for all of them nothing is
	 * cached.
	 */
	uint64_t items_max;

	/* Full magazines that each CPU keeps in its stash, at most; fewer by items_max. */
	unsigned stash_max;

	/*
	 * Up to `want` (1 to MAG_ROUNDS) fresh items into items[]; returns how many, 0 on failure.
	 * `flags` are those of mag_cache_alloc_slow. items[0] is for the caller of that, the others
	 * are a gain; so an import that is short of memory brings one. Called in the context of
	 * mag_cache_alloc_slow, with none of this cache's means held; so it may sleep if that may.
	 */
	unsigned (*import)(void *ctx, void **items, unsigned want, int flags);

	/* Takes items back for good. In the context of whatever call made it necessary. */
	void (*release)(void *ctx, void **items, unsigned count);

	/*
	 * Optional, any context, cheap: true while nothing shall be kept, because others are short
	 * of what it is made of. Asked by slow paths only: see mag_cache_drain.
	 */
	bool (*is_short)(void *ctx);

	void *ctx;
};

/* (c) constant after init  (a) atomic */
struct mag_cache {
	uint32_t offset;                /* (c) of the running CPU's part in its area */
	uint32_t lines;                 /* (c) percpu lines of that part, 0: none were left */
	struct mag_cache_config config; /* (c) */
	uint32_t rounds_limit;          /* (c) rounds_max, or less by items_max */
	uint32_t depot_limit;           /* (c) items */
	uint32_t stash_limit;           /* (c) magazines of each CPU: stash_max, or less */
	struct atomic32 rounds;         /* (a) what a magazine is filled with, now */
	struct atomic32 age;            /* (a) calls of mag_cache_age */
	struct atomic64 misses_seen;    /* (a) by mag_cache_age */
	struct atomic64 full QUIRE_ALIGNED(CACHE_LINE);  /* (a) depot: magazines with items */
	struct atomic64 empty QUIRE_ALIGNED(CACHE_LINE); /* (a) depot: magazines without */
} QUIRE_ALIGNED(CACHE_LINE);

/*
 * Makes `cache` ready; nothing is allocated but offsets in the CPUs' areas. When those have run
 * out it returns KERN_RESOURCE_SHORTAGE and the cache works without caching: each call goes to
 * import or release. Thread context, or the boot CPU alone after smp_init.
 */
int mag_cache_init(struct mag_cache *cache, const struct mag_cache_config *config);

/* Releases everything in it. Nobody may use it any more. Context of mag_cache_drain. */
void mag_cache_destroy(struct mag_cache *cache);

/* The running CPU's next item, or NULL: then ask mag_cache_alloc_slow. Any context but NMI. */
static inline __attribute__((always_inline)) void *mag_cache_alloc(struct mag_cache *cache)
{
	return arch_stack_pop(cache->offset);
}

/* False when there is no room: then give it to mag_cache_free_slow. Any context but NMI. */
static inline __attribute__((always_inline)) bool mag_cache_free(struct mag_cache *cache,
								 void *item)
{
	return arch_stack_push(cache->offset, item);
}

/*
 * From the CPU's other magazine, the depot, or import; NULL when that fails. Any context that
 * import can stand with these flags. Spinlocks may be held if import takes none below them.
 */
void *mag_cache_alloc_slow(struct mag_cache *cache, int flags);

/* The same without import: NULL when neither the CPU nor the depot has one. Any context. */
void *mag_cache_alloc_cached(struct mag_cache *cache);

/* Never fails: what finds no magazine is released. Any context that release can stand. */
void mag_cache_free_slow(struct mag_cache *cache, void *item);

/*
 * Many at once, for less than one by one. Up to `want` items from the CPU and the depot, without
 * import; returns how many. Freeing never fails. Interrupts are disabled for one magazine's worth
 * at a time. Contexts of mag_cache_alloc_cached and of mag_cache_free_slow.
 */
unsigned mag_cache_alloc_many(struct mag_cache *cache, void **items, unsigned want);
void mag_cache_free_many(struct mag_cache *cache, void **items, unsigned count);

/* Would the running CPU or the depot keep one more? True or false a moment later. Any context. */
bool mag_cache_has_room(const struct mag_cache *cache);

/*
 * What is in the caches is given to release: every CPU's part, idle ones included, and the depots.
 * Returns how many items. Others go on meanwhile and may fill their parts again, except while
 * is_short() says true: then each CPU whose part was emptied keeps nothing from then on.
 *
 * Where smp_call is permitted (interrupts on, no spinlock held, not in an interrupt). One
 * interrupt for each CPU, however many caches.
 */
uint64_t mag_cache_drain(struct mag_cache *cache);
uint64_t mag_cache_drain_many(struct mag_cache *const *caches, unsigned count);

/* Can the above be called here? */
bool mag_cache_can_drain(void);

/* The running CPU's part and the depot only. Any context that release can stand. */
uint64_t mag_cache_drain_local(struct mag_cache *cache);

/* The depot only, down to `keep` items. Any context that release can stand. */
uint64_t mag_cache_trim(struct mag_cache *cache, uint64_t keep);

/*
 * Once in a while (seconds): a cache that had no misses since the last time gets smaller
 * magazines, and its depot shrinks. Context of mag_cache_trim. Contention and misses make them
 * larger again.
 */
void mag_cache_age(struct mag_cache *cache);

/*
 * From a CPU that has nothing to do, as often as it likes: if its part had no misses between the
 * last two calls of mag_cache_age, half of its stash goes to the depot, for others. Context of
 * mag_cache_trim.
 */
void mag_cache_idle(struct mag_cache *cache);

/* Would it look at the part? Once after each mag_cache_age. Thread context. */
bool mag_cache_idle_due(const struct mag_cache *cache);

/* Under pressure: magazines are as small as they may be, until misses make them larger. */
void mag_cache_shrink(struct mag_cache *cache);

/* In place of a CPU's number. */
enum { MAG_CACHE_DEPOT = -1, MAG_CACHE_ALL = -2 };

struct mag_cache_stats {
	uint64_t cached;                    /* items held now */
	uint64_t allocs, frees;             /* served, hits and misses together */
	uint64_t alloc_misses, free_misses; /* of them, went the slow way */
	uint64_t exchanges;                 /* magazines that went to or came from the depot */
	uint64_t resizes;                   /* changes of `rounds` that this CPU made */
	uint64_t retries;                   /* exchanges that another CPU got in the way of */
};

/* One CPU's figures. Read while that CPU goes on, so exact only at rest. Any context. */
void mag_cache_cpu_stats(const struct mag_cache *cache, unsigned cpu,
			 struct mag_cache_stats *stats);

/* The same, or, when cpu is MAG_CACHE_ALL, of all CPUs and the depot together. */
void mag_cache_sum(const struct mag_cache *cache, int cpu, struct mag_cache_stats *sum);

/* Items in the depot, and in all of the cache; exact at rest. Any context. */
uint64_t mag_cache_depot_cached(const struct mag_cache *cache);
uint64_t mag_cache_cached(const struct mag_cache *cache);

/*
 * Calls visit(arg, item, cpu) for each item: of CPU `cpu`, or of the depot (MAG_CACHE_DEPOT). For
 * audits: items may move while it goes on. A CPU's items are visited on that CPU with interrupts
 * disabled. Context of mag_cache_drain; where that is not permitted, only the running CPU's and
 * the depot's items are visited.
 */
void mag_cache_visit(struct mag_cache *cache, void (*visit)(void *arg, void *item, int cpu),
		     void *arg);

/*
 * Checks counts and that no magazine is in two places; reports each broken rule in a line and
 * returns how many. Context of mag_cache_visit.
 */
unsigned mag_cache_audit(struct mag_cache *cache, void (*report)(const char *line));

/* Pages that magazines of all caches are made of. */
uint64_t mag_pool_pages(void);

#ifdef __cplusplus
}
#endif

#endif
