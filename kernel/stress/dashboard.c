/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/stress/dashboard.h"

#include "arch/clock.h"
#include "arch/system.h"
#include "kernel/console.h"
#include "kernel/log.h"
#include "kernel/stress/report.h"
#include "kernel/stress/scenario.h"
#include "lib/format.h"
#include "smp/patience.h"

typedef void page_draw(struct grid *grid, const struct stress_state *state,
		       const struct stress_figures *figures, unsigned part);

static const struct {
	char key;
	const char *name;
	page_draw *draw;
} pages[] = {
    {'1', "overview", page_overview}, {'2', "cpus", page_cpus},     {'3', "memory", page_memory},
    {'4', "tlb", page_tlb},           {'5', "errors", page_errors},
};

enum { DRAW_NS = 500 * 1000 * 1000, KEYS_MAX = 16 };

/* The shell's thread only. */
static struct grid grid;
static unsigned page, part, escape;
static uint64_t drawn_ns, sampled_ns;
static bool log_was_quiet;

/* --- The frame --- */

static void draw_time(const struct stress_state *state, unsigned row)
{
	uint64_t s = state->elapsed_ns / NS_PER_SECOND, all = state->options.seconds;

	grid_print(&grid, row, 1, GRID_PLAIN, "%02lu:%02lu:%02lu", (unsigned long)(s / 3600),
		   (unsigned long)(s / 60 % 60), (unsigned long)(s % 60));
	if (all == 0) {
		grid_print(&grid, row, 10, GRID_PLAIN, "until q is pressed");
	} else {
		grid_print(&grid, row, 10, GRID_PLAIN, "of %lu s", (unsigned long)all);
		grid_bar(&grid, row, 21, 20, GRID_CYAN, state->elapsed_ns, all * NS_PER_SECOND);
	}
	grid_print(&grid, row, 43, GRID_PLAIN, "pass %lu, %u of %u: %s",
		   (unsigned long)(state->passes + 1), state->scenario + 1,
		   stress_programme_count(), stress_programme_at(state->scenario)->scenario.name);
}

static void draw_head(const struct stress_state *state)
{
	uint32_t errors = stress_error_count();

	grid_print(&grid, 0, 1, GRID_PLAIN, "Quire stress  %.62s", arch_cpu_description());
	grid_style_row(&grid, 0, GRID_REVERSE | GRID_CYAN);
	draw_time(state, 1);
	if (errors != 0)
		grid_print(&grid, 2, 1, GRID_RED | GRID_REVERSE, " ERRORS %u ", errors);
	else
		grid_print(&grid, 2, 1, GRID_GREEN, "no errors");
	if (state->paused)
		grid_print(&grid, 2, 15, GRID_YELLOW | GRID_REVERSE, " PAUSED ");
	grid_print(&grid, 2, 43, GRID_PLAIN, "%u CPUs, seed %lu", state->workers,
		   (unsigned long)state->options.seed);
}

static void draw_keys(void)
{
	unsigned column = 1;

	for (unsigned i = 0; i < nitems(pages); i++) {
		char text[24];
		size_t length = format(text, sizeof(text), "%c %s", pages[i].key, pages[i].name);

		grid_print(&grid, GRID_ROWS - 1, column, GRID_PLAIN, "%s", text);
		column += (unsigned)length + 2;
	}
	grid_print(&grid, GRID_ROWS - 1, column, GRID_PLAIN, "n next  p pause  q end");
	grid_style_row(&grid, GRID_ROWS - 1, GRID_REVERSE);
}

static void draw(const struct stress_state *state)
{
	grid_clear(&grid);
	draw_head(state);
	pages[page].draw(&grid, state, figures_now(state), part);
	draw_keys();
	grid_show(&grid, console_write);
}

/* --- Keys --- */

/* Takes a character that belongs to the escape sequence of a cursor key; those mean nothing. */
static bool skip_escape(char c)
{
	switch (escape) {
	case 1:
		escape = c == '[' || c == 'O' ? 2 : 0;
		return escape == 2;
	case 2:
		if (c >= 0x40 && c <= 0x7e)
			escape = 0;
		return true;
	default:
		escape = c == '\033' ? 1 : 0;
		return escape == 1;
	}
}

static void key_page(char c)
{
	for (unsigned i = 0; i < nitems(pages); i++)
		if (pages[i].key == c) {
			page = i;
			part = 0;
		}
}

static void key(struct stress_state *state, char c)
{
	if (skip_escape(c))
		return;
	drawn_ns = 0;
	switch (c) {
	case 'q':
	case 'Q':
	case 'C' - 'A' + 1:
		state->ended_by_key = true;
		stress_stop();
		break;
	case 'p':
	case ' ':
		state->paused = !state->paused;
		stress_pause(state->paused);
		break;
	case '\t':
		page = (page + 1) % nitems(pages);
		part = 0;
		break;
	case 'n':
		part++;
		break;
	case 'L' - 'A' + 1:
		grid_forget(&grid);
		break;
	default:
		key_page(c);
	}
}

/* --- */

void dashboard_begin(void)
{
	page = part = escape = 0;
	drawn_ns = 0;
	sampled_ns = arch_clock_ns();
	log_was_quiet = log_is_quiet();
	log_set_quiet(true);
	grid_forget(&grid);
}

void dashboard_turn(struct stress_state *state)
{
	uint64_t now = arch_clock_ns();
	int c;

	for (unsigned i = 0; i < KEYS_MAX && (c = console_poll()) >= 0; i++)
		key(state, (char)c);
	if (now - sampled_ns >= NS_PER_SECOND) {
		figures_sample(state);
		sampled_ns = now;
	}
	if (drawn_ns == 0 || now - drawn_ns >= DRAW_NS) {
		draw(state);
		drawn_ns = now;
	}
}

/* What remains is the summary, on an empty screen. */
void dashboard_end(void)
{
	static const char clear[] = "\033[0m\033[2J\033[1;1H";

	console_write(clear, sizeof(clear) - 1);
	log_set_quiet(log_was_quiet);
}
