/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What must hold of zones, checked: counts equal recomputed ones, every slab is in the list where
 * it belongs and is found from its pages, no item is in two places, what is out is live, cached or
 * lost and nothing else, and in debug zones nobody wrote where he must not.
 */
#include "arch/physmap.h"
#include "smp/smp.h"
#include "vm/uma_private.h"
#include "vm/vm_page.h"
#include "vm/vm_phys.h"

/* One zone's figures, recomputed. */
struct zone_audit {
	uma_zone_t zone;
	vm_report_fn *report;
	unsigned broken;
	uint64_t cached;          /* items that the cache showed */
	uint64_t out, live, lost; /* by the bitmaps */
	uint64_t pages;           /* of slabs in the direct map */
};

static bool is_debug(uma_zone_t zone)
{
	return (uma_special(zone) & UMA_SPECIAL_DEBUG) != 0;
}

/* --- Slabs; the keg's lock held --- */

static void check_item(struct zone_audit *audit, struct uma_slab *slab, unsigned i)
{
	uma_zone_t zone = audit->zone;
	void *item = uma_slab_item(slab, i);
	bool seen = (uma_slab_seen(slab)[i / 64] >> (i % 64) & 1) != 0;
	enum uma_item_state state = UMA_ITEM_FREE;

	if (uma_slab_is_out(slab, i)) {
		audit->out++;
		if (!seen)
			state = is_debug(zone) && uma_debug_is_lost(zone, item) ? UMA_ITEM_LOST
										: UMA_ITEM_LIVE;
	}
	audit->live += state == UMA_ITEM_LIVE;
	audit->lost += state == UMA_ITEM_LOST;
	if (is_debug(zone))
		audit->broken += uma_debug_audit(zone, item, state, audit->report);
}

static unsigned bits_set(const struct uma_slab *slab)
{
	unsigned n = 0;

	for (unsigned i = 0; i < slab->capacity; i++)
		n += uma_slab_is_out(slab, i);
	return n;
}

static void check_slab(struct zone_audit *audit, struct uma_slab *slab, unsigned place,
		       unsigned domain)
{
	const char *name = audit->zone->name;
	unsigned set = bits_set(slab);

	if (slab->zone != audit->zone || slab->domain != domain || slab->place != place)
		audit->broken +=
		    vm_report(audit->report, "zone %s: slab %p is in a list that is not its own",
			      name, (void *)slab);
	if (set != slab->used)
		audit->broken +=
		    vm_report(audit->report, "zone %s: slab %p has %u items out, counts %u", name,
			      (void *)slab, set, slab->used);
	if ((place == UMA_SLAB_EMPTY) != (set == 0) ||
	    (place == UMA_SLAB_FULL) != (set == slab->capacity))
		audit->broken += vm_report(audit->report,
					   "zone %s: slab %p with %u of %u items out is in list %u",
					   name, (void *)slab, set, slab->capacity, place);
	for (unsigned i = 0; i < slab->capacity; i++) {
		if (uma_slab_of(uma_slab_item(slab, i)) != slab)
			audit->broken +=
			    vm_report(audit->report, "zone %s: item %p does not lead to its slab",
				      name, (void *)uma_slab_item(slab, i));
		check_item(audit, slab, i);
	}
}

static void check_keg(struct zone_audit *audit, unsigned domain)
{
	struct uma_keg *keg = &audit->zone->kegs[domain];
	uint64_t slabs = 0, pages = 0, capacity = 0, empty = 0, out = audit->out;

	spin_lock(&keg->lock);
	for (unsigned place = 0; place < UMA_SLAB_PLACES; place++) {
		struct uma_slab *slab;

		TAILQ_FOREACH (slab, &keg->slabs[place], link) {
			slabs++;
			pages += slab->pages;
			audit->pages += uma_in_kmem(slab->data) ? 0 : slab->pages;
			capacity += slab->capacity;
			empty += place == UMA_SLAB_EMPTY ? slab->pages : 0;
			check_slab(audit, slab, place, domain);
		}
	}
	out = audit->out - out;
	if (slabs != keg->slab_count || pages != keg->pages || empty != keg->empty_pages)
		audit->broken +=
		    vm_report(audit->report,
			      "zone %s: %lu slabs, %lu pages, %lu empty, counted %lu, %lu, %lu",
			      audit->zone->name, (unsigned long)slabs, (unsigned long)pages,
			      (unsigned long)empty, (unsigned long)keg->slab_count,
			      (unsigned long)keg->pages, (unsigned long)keg->empty_pages);
	if (out + keg->free_items != capacity)
		audit->broken += vm_report(audit->report,
					   "zone %s: %lu items out and %lu free, but room for %lu",
					   audit->zone->name, (unsigned long)out,
					   (unsigned long)keg->free_items, (unsigned long)capacity);
	spin_unlock(&keg->lock);
}

/* --- Caches --- */

static void forget_seen(uma_zone_t zone)
{
	for (unsigned d = 0; d < zone->keg_count; d++) {
		struct uma_keg *keg = &zone->kegs[d];

		spin_lock(&keg->lock);
		for (unsigned place = 0; place < UMA_SLAB_PLACES; place++) {
			struct uma_slab *slab;

			TAILQ_FOREACH (slab, &keg->slabs[place], link)
				for (unsigned i = 0; i < uma_slab_words(slab); i++)
					uma_slab_seen(slab)[i] = 0;
		}
		spin_unlock(&keg->lock);
	}
}

/* NULL, or what is wrong with an item that is in a cache. Lock held. */
static const char *see(struct uma_slab *slab, const void *item)
{
	unsigned index = uma_slab_index(slab, item);
	uint64_t bit = UINT64_C(1) << index % 64;

	if (index >= slab->capacity)
		return "is not the start of an item";
	if (!uma_slab_is_out(slab, index))
		return "is free in its slab as well";
	if (uma_slab_seen(slab)[index / 64] & bit)
		return "is in two places";
	uma_slab_seen(slab)[index / 64] |= bit;
	return NULL;
}

static void check_cached(void *arg, void *item, int cpu)
{
	struct zone_audit *audit = (struct zone_audit *)arg;
	struct uma_slab *slab = uma_slab_of(item);
	const char *wrong = "is no item of it";

	audit->cached++;
	if (slab != NULL && slab->zone == audit->zone) {
		struct uma_keg *keg = &audit->zone->kegs[slab->domain];

		spin_lock(&keg->lock);
		wrong = see(slab, item);
		spin_unlock(&keg->lock);
	}
	if (wrong != NULL)
		audit->broken += vm_report(audit->report, "zone %s: %p in the cache of CPU %d %s",
					   audit->zone->name, item, cpu, wrong);
}

/* --- All of it --- */

static void check_sums(struct zone_audit *audit)
{
	uma_zone_t zone = audit->zone;
	uint64_t live = uma_zone_live(zone), counted;

	if (audit->live != live)
		audit->broken +=
		    vm_report(audit->report, "zone %s: %lu items are live, allocs - frees is %lu",
			      zone->name, (unsigned long)audit->live, (unsigned long)live);
	if (audit->out != audit->live + audit->cached + audit->lost)
		audit->broken += vm_report(
		    audit->report, "zone %s: %lu items out, but %lu live, %lu cached, %lu lost",
		    zone->name, (unsigned long)audit->out, (unsigned long)audit->live,
		    (unsigned long)audit->cached, (unsigned long)audit->lost);
	if (audit->lost != atomic64_load(&zone->lost, MO_RELAXED))
		audit->broken += vm_report(audit->report, "zone %s: %lu items lost, counted %lu",
					   zone->name, (unsigned long)audit->lost,
					   (unsigned long)atomic64_load(&zone->lost, MO_RELAXED));
	spin_lock(&zone->wait_lock);
	counted = zone->counted;
	if ((uma_special(zone) & UMA_SPECIAL_LIMIT) != 0 && counted != audit->live)
		audit->broken +=
		    vm_report(audit->report, "zone %s: %lu items are live, its limit counts %lu",
			      zone->name, (unsigned long)audit->live, (unsigned long)counted);
	if (!TAILQ_EMPTY(&zone->waiters) && (zone->limit == 0 || counted < zone->limit))
		audit->broken += vm_report(
		    audit->report, "zone %s: a thread waits although there is room", zone->name);
	spin_unlock(&zone->wait_lock);
}

static void check_zone(void *ctx, uma_zone_t zone)
{
	struct zone_audit *total = (struct zone_audit *)ctx;
	struct zone_audit audit = {.zone = zone, .report = total->report};

	audit.broken = mag_cache_audit(&zone->cache, total->report);
	forget_seen(zone);
	mag_cache_visit(&zone->cache, check_cached, &audit);
	for (unsigned d = 0; d < zone->keg_count; d++)
		check_keg(&audit, d);
	check_sums(&audit);
	total->broken += audit.broken;
	total->pages += audit.pages;
}

/* Pages of slabs, and no others, have a zone; what lies in kmem_map is allocated as anything there.
 */
static void check_page(struct zone_audit *total, vm_page_t m)
{
	bool has_zone = atomic_ptr_load(&m->zone, MO_RELAXED) != NULL;

	if (has_zone ? m->state != VM_PAGE_SLAB && m->state != VM_PAGE_ALLOCATED
		     : m->state == VM_PAGE_SLAB)
		total->broken += vm_report(total->report, "zones: page %#lx of state %u %s",
					   (unsigned long)VM_PAGE_TO_PHYS(m), m->state,
					   has_zone ? "still has a zone" : "has no zone");
}

static void check_descriptors(struct zone_audit *total)
{
	uint64_t slabs = 0;

	for (unsigned i = 0; i < vm_phys_segment_count(); i++) {
		const struct vm_phys_segment *segment = vm_phys_segment(i);
		vm_page_t end = segment->first + atop(segment->end - segment->start);

		for (vm_page_t m = segment->first; m < end; m++) {
			slabs += m->state == VM_PAGE_SLAB;
			check_page(total, m);
		}
	}
	if (slabs != total->pages)
		total->broken += vm_report(total->report, "zones: slabs have %lu pages, %lu say so",
					   (unsigned long)total->pages, (unsigned long)slabs);
}

unsigned uma_audit(void (*report)(const char *line))
{
	struct zone_audit total = {.report = report};

	uma_zone_foreach(check_zone, &total);
	check_descriptors(&total);
	return total.broken;
}
