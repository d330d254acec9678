/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Debug zones: behind each item lie a redzone, which the owner must not write, and a tag that
 * says whether the item is allocated, and who did that and who freed it last. Free items are
 * filled with poison, unless uminit made something in them that must stay.
 *
 *	| what the owner asked for | redzone, 8 bytes or more | tag | next item
 *
 * A write behind the end is found when the item is freed; one before the beginning, by the tag of
 * the item before; one after the free, when the item is allocated again; all of them by an audit.
 */
#include "lib/check.h"
#include "lib/format.h"
#include "vm/uma_private.h"
#include "vm/vm_kern.h"

/* Arbitrary words, none like an address or a small number. */
#define TAG_FREE  UINT64_C(0x6672656581c3a5e7)
#define TAG_LIVE  UINT64_C(0x6c69766543b99d15)
#define TAG_LOST  UINT64_C(0x6c6f737485f76b21)
#define TAG_GUARD UINT64_C(0x677561726497d35b)

enum { POISON_BYTE = 0xdb, REDZONE_BYTE = 0x5e, REASON_SIZE = 160 };

static struct atomic64 refused_total;

uint64_t uma_free_refused_count(void)
{
	return atomic64_load(&refused_total, MO_RELAXED);
}

static struct uma_tag *tag_of(uma_zone_t zone, void *item)
{
	size_t n, slot = zone->shape.slot;

	return (struct uma_tag *)uma_bytes(item, slot - sizeof(struct uma_tag), slot, &n);
}

static size_t redzone_end(uma_zone_t zone)
{
	return zone->shape.slot - sizeof(struct uma_tag);
}

/* The address is mixed in, so that a copied tag is no good. */
static uint64_t mixed(uint64_t word, const void *item)
{
	return word ^ (uint64_t)(uintptr_t)item;
}

static uint64_t tag_state(const struct uma_tag *tag, const void *item)
{
	return mixed(atomic64_load(&tag->state, MO_RELAXED), item);
}

/* --- What is said --- */

void uma_free_refuse(uma_zone_t zone, const void *item, const char *why, const void *site)
{
	if (kmem_free_strict())
		panic("zone %s: %p is freed by %p, but %s", zone->name, item, site, why);
	atomic64_add(&zone->refused, 1, MO_RELAXED);
	atomic64_add(&refused_total, 1, MO_RELAXED);
	kprintf("zone %s: free of %p by %p refused: %s\n", zone->name, item, site, why);
}

/* "SOMETHING, allocated by A, freed by B" */
static void refuse_tagged(uma_zone_t zone, void *item, const char *what, size_t offset,
			  const void *site)
{
	const struct uma_tag *tag = tag_of(zone, item);
	char why[REASON_SIZE];

	format(why, sizeof(why), "%s (offset %lu of %u bytes), allocated by %p, freed last by %p",
	       what, (unsigned long)offset, zone->shape.size, tag->alloc_site, tag->free_site);
	uma_free_refuse(zone, item, why, site);
}

static void item_lost(uma_zone_t zone, void *item, const char *what, size_t offset)
{
	struct uma_tag *tag = tag_of(zone, item);

	if (kmem_free_strict())
		panic("zone %s: free item %p was %s at offset %lu of %u bytes; it was allocated "
		      "by %p and freed by %p",
		      zone->name, item, what, (unsigned long)offset, zone->shape.size,
		      tag->alloc_site, tag->free_site);
	kprintf("zone %s: free item %p was %s at offset %lu of %u bytes; it was allocated by %p "
		"and freed by %p; it is taken out of use\n",
		zone->name, item, what, (unsigned long)offset, zone->shape.size, tag->alloc_site,
		tag->free_site);
	tag->guard = mixed(TAG_GUARD, item);
	atomic64_store(&tag->state, mixed(TAG_LOST, item), MO_RELAXED);
	atomic64_add(&zone->lost, 1, MO_RELAXED);
}

/* --- Items come and go --- */

void uma_debug_poison(uma_zone_t zone, void *item)
{
	if (zone->poisons)
		uma_bytes_fill(item, 0, zone->shape.size, POISON_BYTE);
}

void uma_debug_init(uma_zone_t zone, void *item)
{
	struct uma_tag *tag = tag_of(zone, item);

	*tag = (struct uma_tag){.guard = mixed(TAG_GUARD, item)};
	atomic64_store(&tag->state, mixed(TAG_FREE, item), MO_RELAXED);
	uma_bytes_fill(item, zone->shape.size, redzone_end(zone), REDZONE_BYTE);
	uma_debug_poison(zone, item);
}

/* Where something was written that must not be, or slot when nothing was. */
static size_t damage(uma_zone_t zone, void *item, bool poisoned)
{
	size_t size = zone->shape.size, end = redzone_end(zone);
	size_t at = uma_bytes_differ(item, poisoned ? 0 : size, size, POISON_BYTE);

	if (at < size)
		return at;
	at = uma_bytes_differ(item, size, end, REDZONE_BYTE);
	if (at < end)
		return at;
	if (tag_of(zone, item)->guard != mixed(TAG_GUARD, item))
		return zone->shape.slot - sizeof(uint64_t);
	return zone->shape.slot;
}

bool uma_debug_alloc(uma_zone_t zone, void *item, const char *const *owner, const void *site)
{
	struct uma_tag *tag = tag_of(zone, item);
	uint64_t expected = mixed(TAG_FREE, item);
	size_t at = damage(zone, item, zone->poisons);

	if (at < zone->shape.slot) {
		item_lost(zone, item, "written", at);
		return false;
	}
	if (!atomic64_cas(&tag->state, &expected, mixed(TAG_LIVE, item), MO_RELAXED)) {
		item_lost(zone, item, "marked as something else", redzone_end(zone));
		return false;
	}
	tag->owner = owner;
	tag->alloc_site = site;
	return true;
}

/* NULL, or why this address cannot be freed to the zone. */
static const char *wrong_address(uma_zone_t zone, void *item, char *why, size_t why_size)
{
	struct uma_slab *slab = uma_slab_of(item);
	size_t offset;

	if (slab == NULL)
		return "it is no item of any zone";
	if (slab->zone != zone) {
		format(why, why_size, "it belongs to zone %s", slab->zone->name);
		return why;
	}
	offset = (size_t)((char *)item - slab->data);
	if (uma_slab_index(slab, item) < slab->capacity)
		return NULL;
	if ((char *)item < slab->data || offset / zone->shape.slot >= slab->capacity)
		return "no item is there";
	format(why, why_size, "it lies %lu bytes inside of item %p",
	       (unsigned long)(offset % zone->shape.slot),
	       (void *)((char *)item - offset % zone->shape.slot));
	return why;
}

bool uma_debug_free(uma_zone_t zone, void *item, const char *const *owner, const void *site)
{
	char buffer[REASON_SIZE];
	const char *why = wrong_address(zone, item, buffer, sizeof(buffer));
	uint64_t expected = mixed(TAG_LIVE, item);
	struct uma_tag *tag;
	size_t at;

	if (why != NULL) {
		uma_free_refuse(zone, item, why, site);
		return false;
	}
	tag = tag_of(zone, item);
	if (tag_state(tag, item) == TAG_FREE || tag_state(tag, item) == TAG_LOST) {
		refuse_tagged(zone, item, "it is free already", 0, site);
		return false;
	}
	at = damage(zone, item, false);
	if (at == zone->shape.slot && owner != NULL && tag->owner != owner) {
		format(buffer, sizeof(buffer), "it was allocated as %s by %p, not as %s",
		       tag->owner != NULL ? *tag->owner : "nothing", tag->alloc_site, *owner);
		uma_free_refuse(zone, item, buffer, site);
		return false;
	}
	if (at < zone->shape.slot) {
		refuse_tagged(zone, item, "it was written behind its end", at, site);
		return false;
	}
	if (!atomic64_cas(&tag->state, &expected, mixed(TAG_FREE, item), MO_RELAXED)) {
		refuse_tagged(zone, item, "its tag was written, or it is being freed",
			      redzone_end(zone), site);
		return false;
	}
	tag->free_site = site;
	return true;
}

/* --- For the audit --- */

bool uma_debug_is_lost(uma_zone_t zone, void *item)
{
	return tag_state(tag_of(zone, item), item) == TAG_LOST;
}

const void *uma_debug_alloc_site(uma_zone_t zone, void *item)
{
	return tag_of(zone, item)->alloc_site;
}

unsigned uma_debug_audit(uma_zone_t zone, void *item, enum uma_item_state state,
			 vm_report_fn *report)
{
	static const uint64_t states[] = {TAG_FREE, TAG_LIVE, TAG_LOST};
	static const char *const names[] = {"free", "allocated", "lost"};
	size_t at;

	if (tag_state(tag_of(zone, item), item) != states[state])
		return vm_report(report, "zone %s: item %p is %s, but its tag says otherwise",
				 zone->name, item, names[state]);
	if (state == UMA_ITEM_LOST)
		return 0;
	at = damage(zone, item, state == UMA_ITEM_FREE && zone->poisons);
	if (at < zone->shape.slot)
		return vm_report(report, "zone %s: %s item %p was written at offset %lu",
				 zone->name, names[state], item, (unsigned long)at);
	return 0;
}
