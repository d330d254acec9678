/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench/kernel/zones.h"

#include "lib/format.h"

uma_zone_t bench_zones[BENCH_ZONES];

bool bench_zones_setup(struct bench_run *run)
{
	char name[UMA_ZONE_NAME_MAX];

	for (unsigned i = 0; i < BENCH_ZONES; i++) {
		format(name, sizeof(name), "bench %u", (unsigned)bench_zone_size(i));
		/* Redzones and poison are for finding bugs: they have no part in the figures. */
		bench_zones[i] = uma_zcreate(name, bench_zone_size(i), NULL, NULL, NULL, NULL,
					     UMA_ALIGN_PTR, UMA_ZONE_NODEBUG);
		if (bench_zones[i] == NULL)
			return bench_short(run, "for a zone");
	}
	return true;
}

void bench_zones_teardown(struct bench_run *run)
{
	for (unsigned i = 0; i < BENCH_ZONES; i++) {
		if (bench_zones[i] != NULL && !uma_zdestroy(bench_zones[i]))
			bench_fail(run, "items of %u bytes were left in their zone",
				   (unsigned)bench_zone_size(i));
		bench_zones[i] = NULL;
	}
}

static void *zone_get(uint64_t size)
{
	return uma_zalloc(bench_zone(size), M_NOWAIT);
}

static void zone_put(void *memory, uint64_t size)
{
	uma_zfree(bench_zone(size), memory);
}

const struct bench_memory bench_zone_memory = {zone_get, zone_put, false};
