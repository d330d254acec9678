/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command top: which CPUs and threads are busy. Some fifty times a second it looks which
 * thread each CPU runs; a part of these looks is a part of the time. Its own CPU always runs the
 * one who looks, so there the scheduler's own count of time is used, which is exact wherever
 * threads change that often.
 */
#include "arch/clock.h"
#include "kernel/command.h"
#include "kernel/console.h"
#include "kernel/grid.h"
#include "kernel/kthread.h"
#include "kernel/shell.h"
#include "lib/string.h"
#include "smp/patience.h"
#include "smp/smp.h"
#include "vm/vm_page.h"

enum {
	LOOK_NS = 20 * 1000 * 1000,
	DRAW_NS = 1000 * 1000 * 1000,
	THREADS_MAX = 600, /* a row each, most of them never shown */
	CPU_COLUMNS = 3,
	CPU_WIDTH = 26,
	CPU_ROWS_MAX = 8,
};

struct row {
	const struct thread *thread; /* only compared: it may be gone */
	char name[THREAD_NAME_MAX];
	unsigned cpu, state;
	bool idle;
	uint64_t looks, run_ns, run_ns_before, switches;
	bool seen;
};

/* The shell's thread only. */
static struct grid grid;
static struct row rows[THREADS_MAX];
static unsigned row_count;
static uint64_t looks, since_ns;

static struct row *row_of(const struct thread *thread)
{
	for (unsigned i = 0; i < row_count; i++)
		if (rows[i].thread == thread && strcmp(rows[i].name, thread->name) == 0)
			return &rows[i];
	if (row_count == THREADS_MAX)
		return NULL;
	rows[row_count] = (struct row){.thread = thread, .run_ns_before = thread->run_ns};
	str_copy(rows[row_count].name, sizeof(rows[row_count].name), thread->name);
	return &rows[row_count++];
}

static void look_at(const struct thread *thread)
{
	const struct percpu *area = percpu_of(thread->cpu);
	struct row *row = row_of(thread);

	if (row == NULL)
		return;
	row->seen = true;
	row->cpu = thread->cpu;
	row->state = thread->state;
	row->idle = thread->priority == THREAD_PRIO_IDLE;
	row->run_ns = thread->run_ns;
	row->switches = thread->switches;
	if (area != NULL && area->arch.thread == thread)
		row->looks++;
}

/* Those that were not seen in this period are gone. */
static void period_begin(void)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < row_count; i++)
		if (rows[i].seen)
			rows[kept++] = rows[i];
	row_count = kept;
	for (unsigned i = 0; i < row_count; i++) {
		rows[i].looks = 0;
		rows[i].seen = false;
		rows[i].run_ns_before = rows[i].run_ns;
	}
	looks = 0;
	since_ns = arch_clock_ns();
}

/* Of a thousand. */
static unsigned share(const struct row *row)
{
	uint64_t ns = arch_clock_ns() - since_ns;
	uint64_t part = row->looks, whole = looks;

	if (row->cpu == arch_cpu_id()) {
		part = row->run_ns - row->run_ns_before;
		whole = ns;
	}
	if (whole == 0)
		return 0;
	return part >= whole ? 1000 : (unsigned)(part * 1000 / whole);
}

/* --- Drawing --- */

static void draw_cpu(unsigned index, unsigned cpu, unsigned busy)
{
	unsigned at = 2 + index % CPU_ROWS_MAX, column = 1 + index / CPU_ROWS_MAX * CPU_WIDTH;

	grid_print(&grid, at, column, GRID_PLAIN, "%4u", cpu);
	grid_bar(&grid, at, column + 5, 12, GRID_GREEN, busy, 1000);
	grid_print(&grid, at, column + 18, GRID_PLAIN, "%3u.%u%%", busy / 10, busy % 10);
}

/* As many CPUs as there is room for, from the first. Returns the rows that were used. */
static unsigned draw_cpus(void)
{
	unsigned index = 0;

	for (unsigned i = 0; i < row_count; i++)
		if (rows[i].idle && index < CPU_ROWS_MAX * CPU_COLUMNS)
			draw_cpu(index++, rows[i].cpu, 1000 - share(&rows[i]));
	return index < CPU_ROWS_MAX ? index : CPU_ROWS_MAX;
}

static struct row *busiest(const bool *drawn)
{
	struct row *best = NULL;

	for (unsigned i = 0; i < row_count; i++)
		if (!drawn[i] && !rows[i].idle && (best == NULL || share(&rows[i]) > share(best)))
			best = &rows[i];
	return best;
}

static void draw_threads(unsigned at)
{
	static const char *const states[] = {"new", "ready", "running", "sleeping", "dead"};
	static bool drawn[THREADS_MAX];
	struct row *row;

	memset(drawn, 0, sizeof(drawn));
	grid_print(&grid, at++, 1, GRID_CYAN, "%4s  %-24s %-9s %7s %12s", "cpu", "thread", "state",
		   "busy", "switches");
	for (; at < GRID_ROWS - 1 && (row = busiest(drawn)) != NULL; at++) {
		unsigned busy = share(row);

		drawn[row - rows] = true;
		grid_print(&grid, at, 1, GRID_PLAIN, "%4u  %-24s %-9s %3u.%u%% %13lu", row->cpu,
			   row->name, row->state < nitems(states) ? states[row->state] : "?",
			   busy / 10, busy % 10, (unsigned long)row->switches);
	}
}

static void draw(void)
{
	unsigned used;

	grid_clear(&grid);
	grid_print(&grid, 0, 1, GRID_PLAIN, "top   %u CPUs, %u threads, %lu MiB free, up %lu s",
		   smp_online_count(), row_count, (unsigned long)(vm_page_free_count() >> 8),
		   (unsigned long)(arch_clock_ns() / NS_PER_SECOND));
	grid_style_row(&grid, 0, GRID_REVERSE | GRID_CYAN);
	used = draw_cpus();
	draw_threads(3 + used);
	grid_print(&grid, GRID_ROWS - 1, 1, GRID_PLAIN, "q end");
	grid_style_row(&grid, GRID_ROWS - 1, GRID_REVERSE);
	grid_show(&grid, console_write);
}

/* Without a person: the same, as lines. */
static void print(void)
{
	for (unsigned i = 0; i < row_count; i++) {
		unsigned busy = share(&rows[i]);

		if (rows[i].idle)
			console_printf("cpu %u: %u.%u%% busy\n", rows[i].cpu, (1000 - busy) / 10,
				       (1000 - busy) % 10);
		else if (busy > 0)
			console_printf("  %-24s cpu %u, %u.%u%%\n", rows[i].name, rows[i].cpu,
				       busy / 10, busy % 10);
	}
}

/* Looks for one period; false when a person has seen enough. */
static bool watch(void)
{
	int c;

	period_begin();
	while (arch_clock_ns() - since_ns < DRAW_NS) {
		thread_sleep_ns(LOOK_NS);
		looks++;
		kthread_foreach(look_at);
		c = shell_has_person() ? console_poll() : -1;
		if (c == 'q' || c == 'Q' || c == 'C' - 'A' + 1)
			return false;
		if (c == ' ')
			break;
	}
	return true;
}

int cmd_top(int argc, char **argv)
{
	static const char clear[] = "\033[0m\033[2J\033[1;1H";

	if (argc != 1)
		return command_usage(argv);
	row_count = 0;
	kthread_foreach(look_at);
	if (!shell_has_person()) {
		watch();
		print();
		return 0;
	}
	grid_forget(&grid);
	while (watch())
		draw();
	console_write(clear, sizeof(clear) - 1);
	return 0;
}
