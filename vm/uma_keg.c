/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kegs: what a zone's cache takes items from and gives them back to. Batches only; the lock is
 * held for the bits of one batch, and never while memory is allocated, given back or waited for.
 */
#include "lib/check.h"
#include "lib/planted.h"
#include "smp/preempt.h"
#include "vm/uma_private.h"
#include "vm/vm_kern_private.h"
#include "vm/vm_magazine.h"
#include "vm/vm_page.h"
#include "vm/vm_pageout_internal.h"
#include "vm/vm_phys.h"

enum {
	KEEP_PAGES_MIN = 32, /* empty pages that every zone may keep */
	KEEP_SHARE = 256,    /* or one in so many of RAM */
};

void uma_keg_init(struct uma_keg *keg)
{
	*keg = (struct uma_keg){.free_items = 0};
	spin_init(&keg->lock, "slabs", LOCK_RANK_KEG, 0);
	for (unsigned i = 0; i < UMA_SLAB_PLACES; i++)
		TAILQ_INIT(&keg->slabs[i]);
}

bool uma_keg_is_short(void *zone)
{
	(void)zone;
	return vm_page_wanted();
}

/* --- Lists; lock held --- */

static enum uma_slab_place place_for(const struct uma_slab *slab)
{
	if (slab->used == 0)
		return UMA_SLAB_EMPTY;
	return slab->used == slab->capacity ? UMA_SLAB_FULL : UMA_SLAB_PARTIAL;
}

static void slab_list(struct uma_keg *keg, struct uma_slab *slab)
{
	slab->place = (uint8_t)place_for(slab);
	TAILQ_INSERT_HEAD(&keg->slabs[slab->place], slab, link);
	if (slab->place == UMA_SLAB_EMPTY)
		keg->empty_pages += slab->pages;
}

static void slab_unlist(struct uma_keg *keg, struct uma_slab *slab)
{
	TAILQ_REMOVE(&keg->slabs[slab->place], slab, link);
	if (slab->place == UMA_SLAB_EMPTY)
		keg->empty_pages -= slab->pages;
}

/* Its count has changed: is it in the right list still? */
static void slab_relist(struct uma_keg *keg, struct uma_slab *slab)
{
	if (slab->place == place_for(slab))
		return;
	slab_unlist(keg, slab);
	slab_list(keg, slab);
}

static void slab_add(struct uma_keg *keg, struct uma_slab *slab)
{
	keg->slab_count++;
	keg->pages += slab->pages;
	keg->free_items += slab->capacity;
	slab_list(keg, slab);
}

static void slab_drop(struct uma_keg *keg, struct uma_slab *slab)
{
	slab_unlist(keg, slab);
	keg->slab_count--;
	keg->pages -= slab->pages;
	keg->free_items -= slab->capacity;
}

/* --- Taking; lock held --- */

static unsigned word_take(struct uma_slab *slab, unsigned word, void **items, unsigned want)
{
	uint64_t unused = ~slab->bitmap[word], taken = 0;
	unsigned n = 0;

	for (; unused != 0 && n < want; unused &= unused - 1) {
		items[n++] = uma_slab_item(slab, word * 64 + (unsigned)__builtin_ctzll(unused));
		taken |= unused & -unused;
	}
	slab->bitmap[word] |= taken;
	return n;
}

/* Up to `want` free items of the slab, the first ones first. */
static unsigned slab_take(struct uma_keg *keg, struct uma_slab *slab, void **items, unsigned want)
{
	unsigned n = 0;

	for (unsigned word = 0; word * 64u < slab->capacity && n < want; word++)
		n += word_take(slab, word, items + n, want - n);
	slab->used = (uint16_t)(slab->used + n);
	keg->free_items -= n;
	slab_relist(keg, slab);
	return n;
}

/* From slabs that are in use before empty ones, so that empty ones can go. */
static unsigned keg_take_locked(struct uma_keg *keg, void **items, unsigned want)
{
	unsigned n = 0;

	while (n < want) {
		struct uma_slab *slab = TAILQ_FIRST(&keg->slabs[UMA_SLAB_PARTIAL]);

		if (slab == NULL)
			slab = TAILQ_FIRST(&keg->slabs[UMA_SLAB_EMPTY]);
		if (slab == NULL)
			break;
		n += slab_take(keg, slab, items + n, want - n);
	}
	return n;
}

/* What planted bugs are made of: others get in between two steps that belong together. */
static inline void lock_pause(struct uma_keg *keg)
{
	spin_unlock(&keg->lock);
	spin_lock(&keg->lock);
}

/* --- Import; nothing held --- */

static unsigned keg_take(struct uma_keg *keg, void **items, unsigned want)
{
	unsigned n;

	spin_lock(&keg->lock);
	n = keg_take_locked(keg, items, want);
	spin_unlock(&keg->lock);
	return n;
}

/* From any domain, the CPU's own first. */
static unsigned kegs_take(uma_zone_t zone, void **items, unsigned want)
{
	unsigned local = vm_magazine_local_domain(), n = 0;

	for (unsigned i = 0; i < zone->keg_count && n == 0; i++)
		n = keg_take(&zone->kegs[(local + i) % zone->keg_count], items, want);
	return n;
}

/* From the CPU's own domain, as long as that has pages for another slab. */
static unsigned kegs_take_near(uma_zone_t zone, void **items, unsigned want)
{
	unsigned local = vm_magazine_local_domain();

	if (zone->keg_count > 1 && local < zone->keg_count &&
	    vm_phys_free_pages(local) > vm_page_limits.free_reserved)
		return keg_take(&zone->kegs[local], items, want);
	return kegs_take(zone, items, want);
}

/* A new slab joins its keg; the first items are the caller's already, whatever others do. */
static unsigned slab_join(uma_zone_t zone, struct uma_slab *slab, void **items, unsigned want)
{
	struct uma_keg *keg = &zone->kegs[slab->domain];
	unsigned n;

	spin_lock(&keg->lock);
	slab_add(keg, slab);
	if (PLANTED(slab_joins_unclaimed))
		lock_pause(keg);
	n = slab_take(keg, slab, items, want);
	spin_unlock(&keg->lock);
	return n;
}

/* Memory is short: items far away, and in caches that can be asked, are as good. */
static unsigned take_anywhere(uma_zone_t zone, void **items, unsigned want)
{
	unsigned n = kegs_take(zone, items, want);

	if (n == 0 && mag_cache_can_drain() && mag_cache_drain(&zone->cache) != 0)
		n = kegs_take(zone, items, want);
	return n;
}

unsigned uma_keg_import(void *ctx, void **items, unsigned want, int flags)
{
	uma_zone_t zone = (uma_zone_t)ctx;
	unsigned n = kegs_take_near(zone, items, want);

	while (n == 0) {
		bool refused;
		struct uma_slab *slab = uma_slab_create(zone, flags, &refused);

		if (slab != NULL)
			return slab_join(zone, slab, items, want);
		if (refused)
			return 0;
		n = take_anywhere(zone, items, want);
		if (n != 0 || (flags & M_WAITOK) == 0)
			return n;
		vm_wait(VM_ALLOC_SYSTEM);
		n = kegs_take(zone, items, want);
	}
	return n;
}

uint64_t uma_keg_fill(uma_zone_t zone, uint64_t items)
{
	for (;;) {
		uint64_t unused = 0;
		struct uma_slab *slab;
		bool refused;

		for (unsigned d = 0; d < zone->keg_count; d++) {
			spin_lock(&zone->kegs[d].lock);
			unused += zone->kegs[d].free_items;
			spin_unlock(&zone->kegs[d].lock);
		}
		if (unused >= items)
			return unused;
		slab = uma_slab_create(zone, M_NOWAIT, &refused);
		if (slab == NULL)
			return unused;
		(void)slab_join(zone, slab, NULL, 0);
	}
}

/* --- Release --- */

/* Gives one item's bit back; what is wrong with it otherwise. Lock held. */
static const char *item_give(struct uma_keg *keg, struct uma_slab *slab, const void *item)
{
	unsigned index = uma_slab_index(slab, item);

	if (index >= slab->capacity)
		return "it is not the start of an item";
	if (!uma_slab_is_out(slab, index))
		return "it is free already";
	slab->bitmap[index / 64] &= ~(UINT64_C(1) << index % 64);
	slab->used--;
	keg->free_items++;
	slab_relist(keg, slab);
	return NULL;
}

/* Pages that the zone may keep in empty slabs. */
static uint64_t keep_pages(void)
{
	uint64_t share = 0;

	if (vm_page_wanted())
		return 0;
	for (unsigned d = 0; d < vm_phys_domain_count(); d++)
		share += vm_phys_total_pages(d) / KEEP_SHARE;
	return share > KEEP_PAGES_MIN ? share : KEEP_PAGES_MIN;
}

/* Each item goes to the domain that it came from; the lock stays while that is the same one. */
void uma_keg_release(void *ctx, void **items, unsigned count)
{
	uma_zone_t zone = (uma_zone_t)ctx;
	struct uma_keg *keg = NULL;
	uint64_t empty_pages = 0;

	for (unsigned i = 0; i < count; i++) {
		struct uma_slab *slab = uma_slab_of(items[i]);
		const char *wrong = "it is no item of this zone";

		if (slab != NULL && slab->zone == zone) {
			if (keg != &zone->kegs[slab->domain]) {
				if (keg != NULL)
					spin_unlock(&keg->lock);
				keg = &zone->kegs[slab->domain];
				spin_lock(&keg->lock);
			}
			wrong = item_give(keg, slab, items[i]);
			empty_pages = keg->empty_pages;
		}
		if (unlikely(wrong != NULL)) {
			atomic64_add(&zone->late, 1, MO_RELAXED);
			uma_free_refuse(zone, items[i], wrong, NULL);
		}
	}
	if (keg != NULL)
		spin_unlock(&keg->lock);
	if (unlikely(empty_pages > KEEP_PAGES_MIN || vm_page_wanted()))
		(void)uma_keg_trim(zone, keep_pages(), zone->shape.kmem);
}

/* --- Giving slabs back --- */

/* The oldest one that may go. */
static struct uma_slab *empty_slab_locked(struct uma_keg *keg, bool kmem)
{
	struct uma_slab *slab;

	TAILQ_FOREACH_REVERSE(slab, &keg->slabs[UMA_SLAB_EMPTY], uma_slab_list, link)
	if (kmem || !uma_in_kmem(slab->data))
		return slab;
	return NULL;
}

static struct uma_slab *empty_slab_take(struct uma_keg *keg, uint64_t keep, bool kmem)
{
	struct uma_slab *slab = NULL;

	spin_lock(&keg->lock);
	if (keg->empty_pages > keep)
		slab = empty_slab_locked(keg, kmem);
	if (slab != NULL)
		slab_drop(keg, slab);
	spin_unlock(&keg->lock);
	return slab;
}

uint64_t uma_keg_trim(uma_zone_t zone, uint64_t keep, bool kmem)
{
	uint64_t pages = 0;

	if ((zone->flags & UMA_ZONE_NOFREE) != 0)
		return 0;
	kmem = kmem && sleep_allowed();
	for (unsigned d = 0; d < zone->keg_count; d++) {
		struct uma_slab *slab;

		while ((slab = empty_slab_take(&zone->kegs[d], keep, kmem)) != NULL) {
			pages += slab->pages;
			uma_slab_destroy(slab);
		}
	}
	return pages;
}

void uma_keg_abandon(struct uma_keg *keg)
{
	for (unsigned place = 0; place < UMA_SLAB_PLACES; place++) {
		struct uma_slab *slab;

		while ((slab = TAILQ_FIRST(&keg->slabs[place])) != NULL) {
			slab_drop(keg, slab);
			slab->used = 0;
			uma_slab_destroy(slab);
		}
	}
}
