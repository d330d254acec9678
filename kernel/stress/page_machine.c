/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages of the dashboard about memory, the TLBs, and what went wrong. */
#include "kernel/registry/sysctl.h"
#include "kernel/stress/dashboard.h"
#include "kernel/stress/report.h"
#include "lib/string.h"
#include "smp/shootdown.h"
#include "vm/vm_kern_cache.h"

enum { BAR_AT = 26, BAR_WIDTH = 30, TEXT_AT = 58, HALF = 40 };

/* --- Memory --- */

static void amount(struct grid *grid, unsigned row, const char *what, uint64_t pages,
		   uint64_t total)
{
	grid_print(grid, row, 1, GRID_PLAIN, "%s", what);
	grid_bar(grid, row, BAR_AT, BAR_WIDTH, GRID_YELLOW, pages, total);
	grid_print(grid, row, TEXT_AT, GRID_PLAIN, "%9lu KiB", (unsigned long)(pages << 2));
}

static void draw_kmem_cache(struct grid *grid, unsigned row, unsigned column, unsigned npages)
{
	struct mag_cache_stats stats;
	uint64_t all, misses;

	kmem_cache_stats(npages, MAG_CACHE_ALL, &stats);
	all = stats.allocs + stats.frees;
	misses = stats.alloc_misses + stats.free_misses;
	grid_print(grid, row, column, GRID_PLAIN, "%2u pages %6lu cached %3lu%% hits", npages,
		   (unsigned long)stats.cached,
		   (unsigned long)(all == 0 ? 0 : (all - misses) * 100 / all));
}

void page_memory(struct grid *grid, const struct stress_state *state,
		 const struct stress_figures *figures, unsigned part)
{
	uint64_t kept = figures->free + figures->magazines + figures->kmem_cached;

	(void)state;
	(void)part;
	grid_print(grid, PAGE_TOP, 1, GRID_CYAN, "Memory");
	amount(grid, PAGE_TOP + 1, "free", figures->free, figures->total);
	amount(grid, PAGE_TOP + 2, "in page magazines", figures->magazines, figures->total);
	amount(grid, PAGE_TOP + 3, "in kmem caches", figures->kmem_cached, figures->total);
	amount(grid, PAGE_TOP + 4, "page tables", figures->tables, figures->total);
	amount(grid, PAGE_TOP + 5, "in use", figures->total > kept ? figures->total - kept : 0,
	       figures->total);
	amount(grid, PAGE_TOP + 6, "all", figures->total, figures->total);
	grid_print(grid, PAGE_TOP + 7, 1, GRID_PLAIN, "times short of memory: %lu",
		   (unsigned long)figures->sum[FIGURE_SHORT]);
	grid_print(grid, PAGE_TOP + 9, 1, GRID_CYAN, "Ranges of kmem_map in caches");
	for (unsigned i = 0; i < KMEM_CACHE_PAGES_MAX; i++)
		draw_kmem_cache(grid, PAGE_TOP + 10 + i / 2, 1 + i % 2 * HALF, i + 1);
}

/* --- TLBs --- */

static void draw_count(struct grid *grid, unsigned row, const char *what,
		       const struct stress_figures *figures, enum figure figure)
{
	char rate[16];

	grid_print(grid, row, 1, GRID_PLAIN, "%-28s %14lu %10s/s", what,
		   (unsigned long)figures->sum[figure], short_number(figures->rate[figure], rate));
}

struct listing {
	struct grid *grid;
	unsigned count;
};

/* Two columns, as far as they go. */
static void draw_sysctl(void *ctx, struct sysctl_oid *oid)
{
	struct listing *listing = ctx;
	unsigned row = PAGE_TOP + 12 + listing->count / 2;
	char value[SYSCTL_TEXT_MAX];

	if (row >= PAGE_END || sysctl_read(oid->name, value, sizeof(value)) != SYSCTL_OK)
		return;
	grid_print(listing->grid, row, 1 + listing->count % 2 * HALF, GRID_PLAIN,
		   "%-25.25s %12.12s", oid->name, value);
	listing->count++;
}

static void draw_reasons(struct grid *grid, unsigned row)
{
	struct shootdown_stats stats;

	shootdown_stats(&stats);
	for (unsigned i = 0; i < SHOOTDOWN_REASONS; i++)
		grid_print(grid, row + i, 62, GRID_PLAIN, "%-8.8s %8lu", shootdown_reason_name(i),
			   (unsigned long)stats.requests[i]);
}

void page_tlb(struct grid *grid, const struct stress_state *state,
	      const struct stress_figures *figures, unsigned part)
{
	struct listing listing = {grid, 0};

	(void)state;
	(void)part;
	grid_print(grid, PAGE_TOP, 1, GRID_CYAN, "TLB shootdowns since the stress began");
	grid_print(grid, PAGE_TOP, 62, GRID_CYAN, "since the boot");
	draw_count(grid, PAGE_TOP + 1, "requests", figures, FIGURE_SHOOTDOWNS);
	draw_count(grid, PAGE_TOP + 2, "pages in them", figures, FIGURE_PAGES_SHOT);
	draw_count(grid, PAGE_TOP + 3, "that dropped everything", figures, FIGURE_FLUSHES);
	draw_count(grid, PAGE_TOP + 4, "CPUs asked", figures, FIGURE_TARGETS);
	draw_count(grid, PAGE_TOP + 5, "interrupts between CPUs", figures, FIGURE_IPIS);
	draw_count(grid, PAGE_TOP + 6, "frees that were deferred", figures, FIGURE_DEFERRED);
	draw_count(grid, PAGE_TOP + 7, "generations of the TLB", figures, FIGURE_GENERATIONS);
	grid_print(grid, PAGE_TOP + 9, 1, GRID_PLAIN,
		   "longest wait %lu us   in quarantine %lu KiB, at most %lu KiB",
		   (unsigned long)(figures->shootdown_wait_ns / 1000),
		   (unsigned long)(figures->quarantined << 2),
		   (unsigned long)(figures->quarantined_max << 2));
	draw_reasons(grid, PAGE_TOP + 1);
	grid_print(grid, PAGE_TOP + 11, 1, GRID_CYAN, "Values by name");
	sysctl_foreach("vm.quarantine", draw_sysctl, &listing);
	sysctl_foreach("vm.tlb", draw_sysctl, &listing);
}

/* --- Errors --- */

/* Over as many rows as it needs; returns the next one. */
static unsigned draw_text(struct grid *grid, unsigned row, unsigned style, const char *text)
{
	enum { WIDTH = GRID_COLUMNS - 4 };
	size_t length = strlen(text);

	for (size_t at = 0; at < length && row < PAGE_END; at += WIDTH)
		grid_print(grid, row++, 3, style, "%.*s", WIDTH, text + at);
	return row;
}

static void draw_worst(struct grid *grid, unsigned row, const char *what,
		       const struct stress_state *state, enum stress_timed timed)
{
	struct stress_worst worst = figures_worst(state, timed);

	if (worst.name != NULL)
		grid_print(grid, row, 1, GRID_PLAIN, "longest %-10s %10lu us  %s on cpu %u", what,
			   (unsigned long)(worst.ns / 1000), worst.name, worst.cpu);
}

void page_errors(struct grid *grid, const struct stress_state *state,
		 const struct stress_figures *figures, unsigned part)
{
	char text[STRESS_ERROR_MAX];
	unsigned row = PAGE_TOP + 6;

	(void)figures;
	(void)part;
	grid_print(grid, PAGE_TOP, 1, GRID_CYAN, "What took longest");
	draw_worst(grid, PAGE_TOP + 1, "allocation", state, STRESS_MAKE);
	draw_worst(grid, PAGE_TOP + 2, "free", state, STRESS_DROP);
	draw_worst(grid, PAGE_TOP + 3, "act", state, STRESS_ACT);
	grid_print(grid, PAGE_TOP + 5, 1, GRID_CYAN, "Errors: %u", stress_error_count());
	for (unsigned i = 0; stress_error_text(i, text); i++)
		row = draw_text(grid, row, GRID_RED, text);
}
