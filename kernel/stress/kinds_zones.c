/* SPDX-License-Identifier: BSD-2-Clause */
/* Small memory: items of zones of several sizes, and malloc. */
#include "kernel/malloc/malloc.h"
#include "kernel/stress/stress.h"
#include "vm/uma.h"

enum { MALLOC_MAX = 40000 };

MALLOC_DEFINE(M_STRESS, "stress", "the stress command");

/* A slab of many, a few to a page, a page each, several pages each. */
static const size_t zone_sizes[] = {64, 256, 1024, 4096, 10240};

/* Made once, when the first stress begins, and kept. */
static uma_zone_t zones[nitems(zone_sizes)];

void stress_zones_make(void)
{
	static const char *const names[nitems(zone_sizes)] = {
	    "stress 64", "stress 256", "stress 1024", "stress 4096", "stress 10240",
	};

	for (unsigned i = 0; i < nitems(zones); i++)
		if (zones[i] == NULL)
			zones[i] = uma_zcreate(names[i], zone_sizes[i], NULL, NULL, NULL, NULL,
					       UMA_ALIGN_PTR, 0);
}

static int request_flags(struct stress_worker *worker)
{
	int flags = stress_wait_flag(worker);

	return stress_random(worker, 4) == 0 ? flags | M_ZERO : flags;
}

static bool zone_make(struct stress_worker *worker, struct stress_item *item)
{
	unsigned which = (unsigned)stress_random(worker, nitems(zones));
	int flags = request_flags(worker);

	if (zones[which] == NULL)
		return false;
	item->extra = zones[which];
	item->addr = (vm_offset_t)uma_zalloc(zones[which], flags);
	item->size = zone_sizes[which];
	if (item->addr == 0)
		return false;
	if (flags & M_ZERO)
		stress_check_zero(item, "zeroed item of a zone");
	return true;
}

static void zone_drop(struct stress_item *item)
{
	uma_zfree((uma_zone_t)item->extra, (void *)item->addr);
}

static bool malloc_make(struct stress_worker *worker, struct stress_item *item)
{
	/* Whole words, small sizes more often than large ones. */
	size_t limit = (size_t)MALLOC_MAX >> stress_random(worker, 10);
	int flags = request_flags(worker);

	item->size = (1 + stress_random(worker, limit / 8)) * 8;
	item->addr = (vm_offset_t)malloc(item->size, M_STRESS, flags);
	if (item->addr == 0)
		return false;
	if (flags & M_ZERO)
		stress_check_zero(item, "zeroed memory of malloc");
	return true;
}

static void malloc_drop(struct stress_item *item)
{
	free((void *)item->addr, M_STRESS);
}

const struct stress_kind stress_kinds_zones[] = {
    {"zone", "items of zones, 64 bytes to 10 KiB", 15, zone_make, zone_drop, NULL},
    {"malloc", "malloc of 8 bytes to 40 KB", 15, malloc_make, malloc_drop, NULL},
    {NULL, NULL, 0, NULL, NULL, NULL},
};
