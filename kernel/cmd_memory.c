/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands that show the memory system. */
#include "kernel/command.h"
#include "kernel/console.h"
#include "kernel/malloc/malloc.h"
#include "lib/string.h"
#include "smp/smp.h"
#include "vm/pmap.h"
#include "vm/vm_audit.h"
#include "vm/vm_kern.h"
#include "vm/vm_magazine.h"
#include "vm/vm_object.h"
#include "vm/vm_pageout.h"
#include "vm/vm_phys.h"

#define KIB(bytes) ((unsigned long)((bytes) >> 10))

/* A map entry, copied while the map was locked. */
struct map_row {
	vm_offset_t start, end;
	vm_prot_t protection; /* of the entry's own pages; none without */
	uint32_t wired;
	const char *kind;
};

enum { MAP_ROWS = 16 };

static const char *entry_kind(const struct vm_map_entry *entry)
{
	if (entry->start >= KERNBASE)
		return "kernel image";
	if (entry->eflags & MAP_ENTRY_IS_SUB_MAP)
		return entry->object.sub_map->name;
	if (entry->object.vm_object != NULL)
		return entry->object.vm_object->name;
	return entry->eflags & MAP_ENTRY_NOFAULT ? "no-fault range" : "reserved";
}

/* Copies entries that end above `from`; returns how many. The map's lock is a spinlock. */
static unsigned map_rows(vm_map_t map, vm_offset_t from, struct map_row *rows)
{
	struct vm_map_entry *entry;
	unsigned n = 0;

	vm_map_lock(map);
	TAILQ_FOREACH (entry, &map->entries, list) {
		if (entry->end <= from)
			continue;
		if (n == MAP_ROWS)
			break;
		rows[n++] = (struct map_row){entry->start, entry->end,
					     entry->object.vm_object != NULL ? entry->protection
									     : VM_PROT_NONE,
					     entry->wired_count, entry_kind(entry)};
	}
	vm_map_unlock(map);
	return n;
}

static void show_map_row(const struct map_row *row)
{
	console_printf("%016lx-%016lx %10lu KiB  %c%c%c  %5u  %s\n", (unsigned long)row->start,
		       (unsigned long)row->end, KIB(row->end - row->start),
		       row->protection & VM_PROT_READ ? 'r' : '-',
		       row->protection & VM_PROT_WRITE ? 'w' : '-',
		       row->protection & VM_PROT_EXECUTE ? 'x' : '-', row->wired, row->kind);
}

int cmd_maps(int argc, char **argv)
{
	struct map_row rows[MAP_ROWS];
	vm_offset_t from = 0;
	unsigned n;

	if (argc != 1)
		return command_usage(argv);
	console_printf("%-33s %14s  %-3s  %5s  %s\n", "range", "size", "may", "wired", "what");
	while ((n = map_rows(kernel_map, from, rows)) > 0) {
		for (unsigned i = 0; i < n; i++)
			show_map_row(&rows[i]);
		from = rows[n - 1].end;
	}
	console_printf("%s: %u entries, %lu KiB in use\n", kernel_map->name, kernel_map->nentries,
		       KIB(kernel_map->size));
	return 0;
}

static void show_amount(const char *what, uint64_t pages)
{
	console_printf("  %-28s %10lu %12lu KiB\n", what, (unsigned long)pages, KIB(ptoa(pages)));
}

static void show_accounting(void)
{
	struct vm_accounting acc;

	vm_accounting(&acc);
	console_printf("  %-28s %10s %16s\n", "memory", "pages", "");
	show_amount("free", acc.free);
	show_amount("in page magazines", acc.magazines);
	show_amount("in kmem caches", acc.kmem_caches);
	show_amount("in quarantine", acc.quarantine);
	show_amount("allocated", acc.allocated);
	show_amount("page tables", acc.tables);
	show_amount("pools of small structures", acc.meta);
	show_amount("slabs of zones", acc.zones);
	show_amount("taken at boot", acc.boot);
	if (acc.retired != 0)
		show_amount("bad, out of use", acc.retired);
	show_amount("total", acc.total);
}

static void show_magazine(unsigned cpu)
{
	struct vm_magazine_stats stats;

	vm_magazine_stats(cpu, &stats);
	console_printf("  %4u %10lu %12lu %12lu %12lu %12lu\n", cpu, (unsigned long)stats.cached,
		       (unsigned long)stats.alloc_hits, (unsigned long)stats.alloc_misses,
		       (unsigned long)stats.free_hits, (unsigned long)stats.free_misses);
}

static void show_reclaim(void)
{
	struct vm_pageout_stats stats;

	vm_pageout_stats(&stats);
	console_printf("  page waits: %lu, %u threads wait now\n", (unsigned long)stats.waits,
		       vm_pageout_waiters());
	console_printf("  page daemon: %lu rounds, %lu vm_lowmem events, %lu pages from magazines, "
		       "%lu of %lu pageable pages taken back\n",
		       (unsigned long)stats.wakeups, (unsigned long)stats.lowmem_events,
		       (unsigned long)stats.drained_pages, (unsigned long)stats.taken_pages,
		       (unsigned long)stats.aged_pages);
}

int cmd_vmstat(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "-z") == 0) {
		show_zones();
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "-m") == 0) {
		show_malloc_types();
		return 0;
	}
	if (argc != 1)
		return command_usage(argv);
	show_accounting();
	console_printf("  %4s %10s %12s %12s %12s %12s\n", "cpu", "cached", "alloc hits", "misses",
		       "free hits", "misses");
	for (unsigned cpu = 0; cpu < smp_cpu_count(); cpu++)
		if (smp_cpu_online(cpu))
			show_magazine(cpu);
	console_printf("  kernel page table: %lu pages, %lu large mappings, %lu split\n",
		       (unsigned long)kernel_pmap->table_pages,
		       (unsigned long)kernel_pmap->large_mapped,
		       (unsigned long)kernel_pmap->demotions);
	show_reclaim();
	return 0;
}

static void show_segments(void)
{
	console_printf("%-33s %14s  %s\n", "physical range", "size", "domain");
	for (unsigned i = 0; i < vm_phys_segment_count(); i++) {
		const struct vm_phys_segment *seg = vm_phys_segment(i);

		console_printf("%016lx-%016lx %10lu KiB  %u\n", (unsigned long)seg->start,
			       (unsigned long)seg->end, KIB(seg->end - seg->start), seg->domain);
	}
}

static void show_blocks(unsigned domain)
{
	uint64_t counts[VM_PHYS_ORDERS];

	vm_phys_free_blocks(domain, counts);
	console_printf("domain %u: %lu of %lu pages free, in blocks of\n", domain,
		       (unsigned long)vm_phys_free_pages(domain),
		       (unsigned long)vm_phys_total_pages(domain));
	for (unsigned order = 0; order < VM_PHYS_ORDERS; order++)
		if (counts[order] != 0)
			console_printf("  %8lu KiB %8lu\n", KIB(ptoa(1ul << order)),
				       (unsigned long)counts[order]);
}

int cmd_pages(int argc, char **argv)
{
	if (argc != 1)
		return command_usage(argv);
	show_segments();
	for (unsigned domain = 0; domain < vm_phys_domain_count(); domain++)
		show_blocks(domain);
	return 0;
}

static void report_audit(const char *line)
{
	console_printf("audit: %s\n", line);
}

int cmd_audit(int argc, char **argv)
{
	unsigned broken;

	if (argc != 1)
		return command_usage(argv);
	broken = vm_audit(report_audit) + malloc_audit(report_audit);
	if (broken == 0)
		console_printf("audit: ok\n");
	else
		console_printf("audit: %u broken\n", broken);
	return broken != 0;
}
