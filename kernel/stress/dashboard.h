/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stress on a terminal: pages that are drawn anew while it runs, and keys. dashboard.c has the
 * keys and the frame, page_*.c one page each.
 */
#ifndef QUIRE_KERNEL_STRESS_DASHBOARD_H
#define QUIRE_KERNEL_STRESS_DASHBOARD_H

#include "kernel/grid.h"
#include "kernel/stress/figures.h"
#include "kernel/stress/run.h"

/* The log is kept off the console in between. Thread context. */
void dashboard_begin(void);
void dashboard_end(void);

/* Takes keys, which may pause or end the stress, and draws when it is time. */
void dashboard_turn(struct stress_state *state);

/* Rows that pages may use: the frame has those above and below. */
enum { PAGE_TOP = 3, PAGE_END = GRID_ROWS - 1, PAGE_ROWS = PAGE_END - PAGE_TOP };

/* Each draws its rows. `part` counts from 0: what does not fit at once. */
void page_overview(struct grid *grid, const struct stress_state *state,
		   const struct stress_figures *figures, unsigned part);
void page_cpus(struct grid *grid, const struct stress_state *state,
	       const struct stress_figures *figures, unsigned part);
void page_memory(struct grid *grid, const struct stress_state *state,
		 const struct stress_figures *figures, unsigned part);
void page_tlb(struct grid *grid, const struct stress_state *state,
	      const struct stress_figures *figures, unsigned part);
void page_errors(struct grid *grid, const struct stress_state *state,
		 const struct stress_figures *figures, unsigned part);

/* CPUs with bars, in rows [row, end); returns how many parts there are. */
unsigned draw_cpus(struct grid *grid, unsigned row, unsigned end, const struct stress_state *state,
		   const struct stress_figures *figures, unsigned part);

/* A number for people, 8 characters at most: 123456, 1234k, 1234M. */
const char *short_number(uint64_t number, char text[16]);

#endif
