/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/stress/scenario.h"

static const char *const pages[] = {"page", "run", "grab", NULL};
static const char *const ranges[] = {"kmem", "large", "bulk", "pageable", "protect", NULL};
static const char *const slabs[] = {"zone", "malloc", "drain", NULL};
static const char *const contiguous[] = {"contig", "run", "grab", NULL};
static const char *const rights[] = {"kmem", "large", "protect", "revoke", "look", NULL};
static const char *const remaps[] = {"kmem", "large", "remap", "look", NULL};
static const char *const exchange[] = {"page", "kmem", "zone", "malloc", "pageable", NULL};
static const char *const pressure[] = {"hoard", "large", "kmem", "page",   "malloc",
				       "drain", "grab",  "look", "lowmem", NULL};
static const char *const bursts[] = {"kmem", "page", "zone", "burst", "idle", "look", NULL};

/* Name, help, members, per cent of memory, acts times, one hand-over in, may wait. */
const struct stress_scenario stress_scenarios[] = {
    {"mixed", "all kinds of memory and all acts, by their weights", NULL, 25, 1, 4, true},
    {"pages", "single pages and runs of pages", pages, 25, 1, 4, true},
    {"ranges", "kernel memory of all sizes, 4 KiB to 16 MiB", ranges, 25, 1, 4, true},
    {"slabs", "zones and malloc", slabs, 25, 1, 4, true},
    {"contiguous", "physically contiguous memory, while others take pages", contiguous, 25, 1, 4,
     true},
    {"rights", "rights are taken away and given back all the time", rights, 15, 8, 6, true},
    {"remaps", "shared windows get other pages all the time", remaps, 15, 8, 6, true},
    {"exchange", "whatever is made is handed to another CPU", exchange, 25, 1, 1, true},
    {"pressure", "most of memory in use, caches emptied", pressure, 85, 4, 4, false},
    {"bursts", "all CPUs idle, and begin again at the same moment", bursts, 25, 4, 4, true},
    {NULL, NULL, NULL, 0, 0, 0, false},
};
