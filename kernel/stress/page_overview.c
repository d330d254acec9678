/* SPDX-License-Identifier: BSD-2-Clause */
/* The dashboard's first page: something of everything; and its page of CPUs alone. */
#include "kernel/stress/dashboard.h"
#include "kernel/stress/report.h"
#include "lib/format.h"

enum { CPU_WIDTH = 26, CPU_COLUMNS = 3, CPU_BAR = 10, BAR_WIDTH = 40, BAR_AT = 17, TEXT_AT = 59 };

const char *short_number(uint64_t number, char text[16])
{
	static const char suffixes[] = " kMGTPE";
	unsigned i = 0;

	for (; number > 999999; i++)
		number /= 1000;
	format(text, 16, i == 0 ? "%lu" : "%lu%c", (unsigned long)number, suffixes[i]);
	return text;
}

static void draw_cpu(struct grid *grid, unsigned row, unsigned column, unsigned cpu, uint64_t rate,
		     uint64_t rate_max)
{
	char text[16];

	grid_print(grid, row, column, GRID_PLAIN, "%4u", cpu);
	grid_bar(grid, row, column + 5, CPU_BAR + 2, GRID_GREEN, rate, rate_max);
	grid_print(grid, row, column + 18, GRID_PLAIN, "%7s", short_number(rate, text));
}

unsigned draw_cpus(struct grid *grid, unsigned row, unsigned end, const struct stress_state *state,
		   const struct stress_figures *figures, unsigned part)
{
	unsigned rows = end - row, room = rows * CPU_COLUMNS;
	unsigned parts = (state->workers + room - 1) / room;
	unsigned first = part % parts * room;

	for (unsigned i = 0; i < room && first + i < state->workers; i++)
		draw_cpu(grid, row + i % rows, 1 + i / rows * CPU_WIDTH,
			 stress_worker_of(first + i)->cpu, figures->cpu_rate[first + i],
			 figures->cpu_rate_max);
	return parts;
}

static void draw_memory(struct grid *grid, unsigned row, const struct stress_figures *figures)
{
	uint64_t cached = figures->magazines + figures->kmem_cached;
	uint64_t used = figures->total - figures->free - cached;

	if (figures->total < figures->free + cached)
		used = 0;
	grid_print(grid, row, 1, GRID_PLAIN, "memory in use");
	grid_bar(grid, row, BAR_AT, BAR_WIDTH, GRID_YELLOW, used, figures->total);
	grid_print(grid, row, TEXT_AT, GRID_PLAIN, "%lu of %lu MiB", (unsigned long)(used >> 8),
		   (unsigned long)(figures->total >> 8));
	grid_print(grid, row + 1, 1, GRID_PLAIN, "in caches");
	grid_bar(grid, row + 1, BAR_AT, BAR_WIDTH, GRID_CYAN, cached, figures->total);
	grid_print(grid, row + 1, TEXT_AT, GRID_PLAIN, "%lu MiB", (unsigned long)(cached >> 8));
}

static void draw_rates(struct grid *grid, unsigned row, const struct stress_figures *figures)
{
	char a[16], b[16], c[16];

	grid_print(grid, row, 1, GRID_PLAIN, "steps/s %s   verified %s KiB/s   handed over/s %s",
		   short_number(figures->rate[FIGURE_STEPS], a),
		   short_number(figures->rate[FIGURE_BYTES] >> 10, b),
		   short_number(figures->rate[FIGURE_HANDED], c));
	grid_print(grid, row + 2, 1, GRID_PLAIN,
		   "frees deferred/s %s   TLB generations/s %s   in quarantine %lu KiB",
		   short_number(figures->rate[FIGURE_DEFERRED], a),
		   short_number(figures->rate[FIGURE_GENERATIONS], b),
		   (unsigned long)(figures->quarantined << 2));
	grid_print(grid, row + 1, 1, GRID_PLAIN,
		   "shootdowns/s %s   interrupts sent/s %s   longest wait %lu us",
		   short_number(figures->rate[FIGURE_SHOOTDOWNS], a),
		   short_number(figures->rate[FIGURE_IPIS], b),
		   (unsigned long)(figures->shootdown_wait_ns / 1000));
}

void page_overview(struct grid *grid, const struct stress_state *state,
		   const struct stress_figures *figures, unsigned part)
{
	char text[STRESS_ERROR_MAX];
	unsigned parts;

	draw_memory(grid, PAGE_TOP + 1, figures);
	draw_rates(grid, PAGE_TOP + 4, figures);
	grid_print(grid, PAGE_TOP + 8, 1, GRID_CYAN, "CPUs, steps a second");
	parts = draw_cpus(grid, PAGE_TOP + 9, PAGE_END - 2, state, figures, part);
	if (parts > 1)
		grid_print(grid, PAGE_TOP + 8, 43, GRID_CYAN, "part %u of %u", part % parts + 1,
			   parts);
	if (stress_error_text(0, text))
		grid_print(grid, PAGE_END - 1, 1, GRID_RED, "%s", text);
}

void page_cpus(struct grid *grid, const struct stress_state *state,
	       const struct stress_figures *figures, unsigned part)
{
	unsigned parts = draw_cpus(grid, PAGE_TOP + 2, PAGE_END, state, figures, part);

	grid_print(grid, PAGE_TOP, 1, GRID_CYAN, "CPUs, steps a second: part %u of %u",
		   part % parts + 1, parts);
}
