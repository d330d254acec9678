/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Zones: their making and unmaking. This is where to begin reading about them.
 *
 * Purpose. Most kernel memory is many things of a few sizes. A zone serves one size: a hit is a
 * dozen instructions without a lock, memory of different things does not mix, and what is wrong
 * with a free can be said. After Bonwick, "The Slab Allocator" (USENIX 1994), and Bonwick and
 * Adams, "Magazines and Vmem" (USENIX 2001), with the interface of FreeBSD's uma(9).
 *
 * Vocabulary. An item is what is allocated; its slot is the place for it, with what surrounds it.
 * A slab is a few slots in neighbouring memory with a header. A keg has one zone's slabs of one
 * memory domain. The cache holds free items for each CPU (mag_cache.h). An item is out when its
 * slab has given it away: it is then live, which is to say allocated, or in the cache, or lost.
 *
 * Structures and what always holds of them.
 * - The slab's bitmap is its free list: the truth about an item lies outside of it, where a write
 *   through a stale pointer cannot reach it and a second free is seen for what it is.
 * - The descriptor of each of a slab's pages points to the slab. So an address leads to its zone
 *   without a search, which free(9) needs, and so a foreign one is recognised.
 * - A keg lists its slabs as partial, full and empty. Items are taken from partial ones first.
 * - out = live + cached + lost; allocations - frees = live + lost; capacity = out + free bits.
 *   uma_audit() checks them, and that no item is in a cache twice.
 * - uminit has been called for every item of a slab, fini for none.
 *
 * Where slabs are. Items of up to a page are in the direct map: no address space, no page table
 * and no TLB entry of their own, nothing to shoot down. Larger ones would need runs of pages, which
 * fragmented memory does not have, so they are ranges of kmem_map (uma_shape.c, uma_slab.c). Slabs
 * begin at changing offsets (colouring) as far as there is room left in them.
 *
 * Locking and contexts. A hit takes nothing. A keg's lock covers one batch of items, and is never
 * held while memory is allocated, given back or waited for: import makes a slab with nothing held,
 * and has its first items before others see it, so that it cannot starve. The list of zones has a
 * lock; who works on a zone in it pins it instead of holding that. Any context may allocate and
 * free; waiting, giving back slabs of kmem_map and asking other CPUs for their items need a thread.
 *
 * Failure. An allocation fails only when there is no page and no CPU has an item (M_NOWAIT where
 * other CPUs cannot be asked: no page, and this CPU and the depot have none). What fails leaves
 * everything as it was. Bad frees change nothing, and are said.
 *
 * Limits. uma_limit.c: only zones that have one pay for it.
 *
 * Empty slabs are kept, up to 1/256 of RAM for each zone, because a batch that was freed is often
 * allocated again; none of them while a thread waits for pages.
 *
 * Debugging. uma_debug.c, in zones that are created while uma_debug() is set: they differ from
 * others in one flag, not in how they were compiled, so tests see both kinds.
 *
 * Rejected. Slab headers found by masking the address: wants aligned slabs, and reads a header that
 * is not there when the pointer is foreign. A free list through the items: see the bitmap. A
 * counter of live items in each zone: a line that all CPUs write; counts follow from the caches'.
 * One bound for all zones' empty slabs: the same line again.
 */
#include "kernel/sched/sleepq.h"
#include "lib/check.h"
#include "lib/format.h"
#include "smp/percpu.h"
#include "vm/uma_private.h"
#include "vm/vm_phys.h"
#include "vm/vm_pool.h"

/* (z) lock  (c) constant after uma_startup  (a) atomic */
static struct {
	struct spinlock lock;
	TAILQ_HEAD(, uma_zone) list; /* (z) by age */
	struct vm_pool pool;         /* of struct uma_zone */
	struct atomic32 debug;       /* (a) */
	bool started;                /* (c) */
} zones = {.lock = SPINLOCK_INIT("zones", LOCK_RANK_ZONES),
	   .list = TAILQ_HEAD_INITIALIZER(zones.list),
#ifdef QUIRE_DEBUG
	   .debug = {1},
#endif
	   .started = false};

void uma_startup(void)
{
	spin_init(&zones.lock, "zones", LOCK_RANK_ZONES, 0);
	TAILQ_INIT(&zones.list);
	vm_pool_init(&zones.pool, "zones", sizeof(struct uma_zone), 0, LOCK_RANK_SLAB);
	uma_slab_startup();
	zones.started = true;
}

bool uma_debug(void)
{
	return atomic32_load(&zones.debug, MO_RELAXED) != 0;
}

void uma_set_debug(bool on)
{
	atomic32_store(&zones.debug, on, MO_RELAXED);
}

/* --- Making --- */

/* How many free items a magazine holds, at most: some 16 KiB of them, and never very few. */
static unsigned rounds_for(size_t slot)
{
	const size_t bytes = 16384;
	size_t rounds = bytes / slot;

	if (rounds > MAG_ROUNDS)
		return MAG_ROUNDS;
	return rounds > 4 ? (unsigned)rounds : 4;
}

/* Items in all CPUs' caches: a quarter of the share of RAM that pages may have there. */
static uint64_t cached_items_max(size_t slot)
{
	const uint64_t share = 256;
	uint64_t pages = 0;

	for (unsigned d = 0; d < vm_phys_domain_count(); d++)
		pages += vm_phys_total_pages(d);
	return ptoa(pages) / share / slot;
}

static int cache_init(uma_zone_t zone)
{
	unsigned rounds = rounds_for(zone->shape.slot);
	struct mag_cache_config config = {
	    .name = zone->name,
	    .rounds_min = rounds < 8 ? rounds : 8,
	    .rounds_max = rounds,
	    .items_max = cached_items_max(zone->shape.slot),
	    .stash_max = MAG_STASH_MAX / 2,
	    .import = uma_keg_import,
	    .release = uma_keg_release,
	    .is_short = uma_keg_is_short,
	    .ctx = zone,
	};

	return mag_cache_init(&zone->cache, &config);
}

static void zone_begin(uma_zone_t zone, const char *name)
{
	spin_init(&zone->wait_lock, "zone limit", LOCK_RANK_ZONES, 0);
	TAILQ_INIT(&zone->waiters);
	(void)format(zone->name, sizeof(zone->name), "%s", name);
	zone->keg_count = vm_phys_domain_count();
	for (unsigned d = 0; d < zone->keg_count; d++)
		uma_keg_init(&zone->kegs[d]);
	zone->head.offset = PERCPU_ZERO_OFFSET;
	/* Without room for it every call goes to the kegs: slow, and otherwise the same. */
	if (cache_init(zone) != KERN_SUCCESS)
		kprintf("zone %s has no cache: no room in the CPUs' areas\n", zone->name);
	if (uma_special(zone) == 0)
		zone->head.offset = zone->cache.offset;
}

static bool arguments_good(const char *name, int align, uint32_t flags, uma_init init)
{
	const uint32_t known =
	    UMA_ZONE_ZINIT | UMA_ZONE_NOFREE | UMA_ZONE_MALLOC | UMA_ZONE_NODEBUG;
	const char *wrong = NULL;

	if ((flags & ~known) != 0)
		wrong = "unknown flags";
	else if ((flags & UMA_ZONE_ZINIT) != 0 && init != NULL)
		wrong = "UMA_ZONE_ZINIT and another uminit";
	else if (align < 0)
		wrong = "a negative alignment";
	if (wrong == NULL)
		return true;
	kprintf("uma_zcreate: zone %s refused: %s\n", name, wrong);
	return false;
}

uma_zone_t uma_zcreate(const char *name, size_t size, uma_ctor ctor, uma_dtor dtor, uma_init uminit,
		       uma_fini fini, int align, uint32_t flags)
{
	bool debug = uma_debug() && (flags & UMA_ZONE_NODEBUG) == 0;
	struct uma_shape shape;
	uma_zone_t zone;

	CHECK(zones.started);
	if (name == NULL)
		name = "?";
	if (!arguments_good(name, align, flags, uminit))
		return NULL;
	if (!uma_shape_init(&shape, size, (unsigned)align + 1, debug)) {
		kprintf("uma_zcreate: zone %s refused: items of %lu bytes at multiples of %u\n",
			name, (unsigned long)size, (unsigned)align + 1);
		return NULL;
	}
	zone = (uma_zone_t)vm_pool_alloc(&zones.pool, VM_POOL_NORMAL, "uma_zcreate");
	if (zone == NULL)
		return NULL;
	zone->shape = shape;
	zone->flags = flags;
	zone->ctor = ctor;
	zone->dtor = dtor;
	zone->init = uminit;
	zone->fini = fini;
	zone->head.any_size = flags & UMA_ZONE_MALLOC ? (uint32_t)size : 0;
	/* Poison would undo what uminit made; and who reads items after their free wants it not. */
	zone->poisons =
	    debug && uminit == NULL && (flags & (UMA_ZONE_ZINIT | UMA_ZONE_NOFREE)) == 0;
	atomic32_store(&zone->special,
		       (ctor != NULL || dtor != NULL ? UMA_SPECIAL_CALLS : 0u) |
			   (debug ? UMA_SPECIAL_DEBUG : 0u),
		       MO_RELAXED);
	zone_begin(zone, name);
	spin_lock(&zones.lock);
	TAILQ_INSERT_TAIL(&zones.list, zone, link);
	spin_unlock(&zones.lock);
	return zone;
}

/* --- Visiting --- */

static void unpin_locked(uma_zone_t zone)
{
	CHECK_NE(zone->pins, 0);
	if (--zone->pins == 0 && zone->dying)
		wakeup(&zone->pins);
}

uma_zone_t uma_zone_next(uma_zone_t zone)
{
	uma_zone_t next;

	spin_lock(&zones.lock);
	next = zone == NULL ? TAILQ_FIRST(&zones.list) : TAILQ_NEXT(zone, link);
	while (next != NULL && next->dying)
		next = TAILQ_NEXT(next, link);
	if (next != NULL)
		next->pins++;
	if (zone != NULL)
		unpin_locked(zone);
	spin_unlock(&zones.lock);
	return next;
}

void uma_zone_pin(uma_zone_t zone)
{
	spin_lock(&zones.lock);
	zone->pins++;
	spin_unlock(&zones.lock);
}

void uma_zone_unpin(uma_zone_t zone)
{
	spin_lock(&zones.lock);
	unpin_locked(zone);
	spin_unlock(&zones.lock);
}

void uma_zone_foreach(void (*visit)(void *ctx, uma_zone_t zone), void *ctx)
{
	for (uma_zone_t zone = uma_zone_next(NULL); zone != NULL; zone = uma_zone_next(zone))
		visit(ctx, zone);
}

/* --- Unmaking --- */

/* Nobody finds it any more, and nobody is at work on it. */
static void zone_hide(uma_zone_t zone)
{
	spin_lock(&zones.lock);
	if (zone->dying)
		panic("zone %s is destroyed twice", zone->name);
	zone->dying = true;
	while (zone->pins != 0)
		(void)sleep_on_spin(&zone->pins, &zones.lock, "zonepins", SLEEP_FOREVER);
	spin_unlock(&zones.lock);
}

static void zone_show(uma_zone_t zone)
{
	spin_lock(&zones.lock);
	zone->dying = false;
	spin_unlock(&zones.lock);
}

/* All items are in the slabs, but those that are live or lost. */
static void caches_empty(uma_zone_t zone)
{
	(void)mag_cache_drain(&zone->cache);
	(void)uma_keg_trim(zone, 0, true);
}

static void slabs_destroy(uma_zone_t zone)
{
	zone->flags &= ~UMA_ZONE_NOFREE;
	(void)uma_keg_trim(zone, 0, true);
	/* What is left has lost items in it, which nobody will ever free. */
	for (unsigned d = 0; d < zone->keg_count; d++)
		uma_keg_abandon(&zone->kegs[d]);
}

bool uma_zdestroy(uma_zone_t zone)
{
	uint64_t live;

	zone_hide(zone);
	caches_empty(zone);
	live = uma_zone_live(zone);
	if (live != 0) {
		uma_zone_report_leaks(zone, live);
		zone_show(zone);
		return false;
	}
	mag_cache_destroy(&zone->cache);
	slabs_destroy(zone);
	spin_lock(&zones.lock);
	TAILQ_REMOVE(&zones.list, zone, link);
	spin_unlock(&zones.lock);
	vm_pool_free(&zones.pool, zone);
	return true;
}

/* --- Small things --- */

int uma_prealloc(uma_zone_t zone, int items)
{
	uint64_t made = items > 0 ? uma_keg_fill(zone, (uint64_t)items) : 0;

	return made < INT32_MAX ? (int)made : INT32_MAX;
}

size_t uma_zone_item_size(uma_zone_t zone)
{
	return zone->shape.size;
}
