/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands that show what is kept at hand for each CPU. */
#include "kernel/command.h"
#include "kernel/console.h"
#include "lib/format.h"
#include "smp/smp.h"
#include "vm/vm_kern_cache.h"
#include "vm/vm_magazine.h"
#include "vm/vm_phys.h"

/* Of `all`, so many per cent missed; two digits after the point. */
static void show_row(const char *name, const struct mag_cache_stats *stats)
{
	uint64_t all = stats->allocs + stats->frees;
	uint64_t misses = stats->alloc_misses + stats->free_misses;
	uint64_t per_10000 = all == 0 ? 0 : (all - misses) * 10000 / all;

	console_printf("  %-10s %9lu %12lu %12lu %4lu.%02lu%% %10lu %8lu %8lu\n", name,
		       (unsigned long)stats->cached, (unsigned long)stats->allocs,
		       (unsigned long)stats->frees, (unsigned long)(per_10000 / 100),
		       (unsigned long)(per_10000 % 100), (unsigned long)misses,
		       (unsigned long)stats->exchanges, (unsigned long)stats->resizes);
}

static void show_head(const char *what)
{
	console_printf("  %-10s %9s %12s %12s %8s %10s %8s %8s\n", what, "cached", "allocs",
		       "frees", "hits", "misses", "depot", "resizes");
}

static void show_kmem(int cpu)
{
	struct mag_cache_stats stats;
	char name[16];

	for (unsigned npages = 1; npages <= KMEM_CACHE_PAGES_MAX; npages++) {
		kmem_cache_stats(npages, cpu, &stats);
		if (stats.allocs + stats.frees + stats.cached == 0)
			continue;
		format(name, sizeof(name), "%u page%s", npages, npages == 1 ? "" : "s");
		show_row(name, &stats);
		kmem_cache_zeroed_stats(npages, cpu, &stats);
		if (stats.allocs + stats.frees + stats.cached != 0)
			show_row("  zeroed", &stats);
	}
}

static void show_pages(int cpu)
{
	struct mag_cache_stats stats;
	char name[16];

	for (unsigned domain = 0; domain < vm_phys_domain_count(); domain++) {
		const struct mag_cache *any = vm_magazine_cache(domain, VM_MAGAZINE_ANY);
		const struct mag_cache *zero = vm_magazine_cache(domain, VM_MAGAZINE_ZERO);

		if (any == NULL || zero == NULL)
			continue;
		format(name, sizeof(name), "%u any", domain);
		mag_cache_sum(any, cpu, &stats);
		show_row(name, &stats);
		format(name, sizeof(name), "%u zero", domain);
		mag_cache_sum(zero, cpu, &stats);
		show_row(name, &stats);
	}
}

static void show_all(int cpu)
{
	char name[16];

	if (cpu < 0)
		format(name, sizeof(name), "all CPUs");
	else
		format(name, sizeof(name), "cpu %d", cpu);
	console_printf("%s: pages, by domain\n", name);
	show_head("pages");
	show_pages(cpu);
	console_printf("%s: ranges of kmem_map%s\n", name,
		       kmem_cache_enabled() ? "" : " (the caches are off: sysctl kmem.cache)");
	show_head("size");
	show_kmem(cpu);
}

int cmd_magazines(int argc, char **argv)
{
	uint64_t cpu;

	if (argc == 1) {
		show_all(MAG_CACHE_ALL);
		return 0;
	}
	if (argc != 2)
		return command_usage(argv);
	if (!command_number(argv, argv[1], &cpu))
		return 1;
	if (cpu >= smp_cpu_count() || !smp_cpu_online((unsigned)cpu)) {
		console_printf("quire: %s: there is no CPU %lu\n", argv[0], (unsigned long)cpu);
		return 1;
	}
	show_all((int)cpu);
	return 0;
}
