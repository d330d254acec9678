/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands that show zones and what malloc's types have in use. */
#include "kernel/command.h"
#include "kernel/console.h"
#include "kernel/malloc/malloc.h"
#include "vm/uma.h"

#define KIB(bytes) ((unsigned long)((bytes) >> 10))

static void show_zone(void *ctx, uma_zone_t zone)
{
	struct uma_zone_stats s;

	(void)ctx;
	uma_zone_stats(zone, &s);
	console_printf("%-16s %6lu %6lu %8lu %8lu %7lu %7lu %6lu %10lu %8lu %6lu %6lu %6lu%s\n",
		       s.name, (unsigned long)s.size, (unsigned long)s.limit, (unsigned long)s.live,
		       (unsigned long)s.cached, (unsigned long)s.free_items, (unsigned long)s.slabs,
		       (unsigned long)s.pages, (unsigned long)s.allocs, (unsigned long)s.misses,
		       (unsigned long)s.fails, (unsigned long)s.sleeps, (unsigned long)s.refused,
		       s.debug ? "  debug" : "");
}

void show_zones(void)
{
	console_printf("%-16s %6s %6s %8s %8s %7s %7s %6s %10s %8s %6s %6s %6s\n", "zone", "size",
		       "limit", "live", "cached", "free", "slabs", "pages", "requests", "misses",
		       "fails", "sleeps", "refus.");
	uma_zone_foreach(show_zone, NULL);
}

static void show_type(void *ctx, struct malloc_type *type)
{
	struct malloc_type_stats s;

	(void)ctx;
	malloc_type_stats(type, &s);
	console_printf("%-16s %10lu %10lu KiB %10lu KiB %12lu\n", type->name,
		       (unsigned long)s.in_use, KIB(s.bytes_in_use), KIB(s.bytes_high),
		       (unsigned long)s.requests);
}

void show_malloc_types(void)
{
	console_printf("%-16s %10s %14s %14s %12s\n", "malloc type", "in use", "memory",
		       "seen most", "requests");
	malloc_type_foreach(show_type, NULL);
	console_printf("malloc: %lu requests failed, %lu frees refused\n",
		       (unsigned long)malloc_fail_count(), (unsigned long)malloc_refused_count());
}

int cmd_zones(int argc, char **argv)
{
	if (argc != 1)
		return command_usage(argv);
	show_zones();
	show_malloc_types();
	return 0;
}
