/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A page of text that is drawn again and again: 24 rows of 80 cells, which every terminal has.
 *
 * The owner writes a whole page into `wanted`; grid_show sends what differs from what the terminal
 * shows, as cursor positions, colours and characters (ECMA-48), in short pieces, so that a slow
 * line is never occupied for long. Pure, apart from `emit`.
 */
#ifndef QUIRE_KERNEL_GRID_H
#define QUIRE_KERNEL_GRID_H

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	GRID_COLUMNS = 80,
	GRID_ROWS = 24,
	GRID_PIECE_MAX = 128, /* bytes that emit gets at once */
};

/* A colour of ECMA-48, perhaps with GRID_REVERSE. */
enum grid_style {
	GRID_PLAIN = 0,
	GRID_RED = 1,
	GRID_GREEN = 2,
	GRID_YELLOW = 3,
	GRID_BLUE = 4,
	GRID_CYAN = 6,
	GRID_REVERSE = 8,
};

struct grid_cell {
	char c;
	uint8_t style;
};

struct grid {
	bool known; /* the terminal shows `shown` */
	struct grid_cell wanted[GRID_ROWS][GRID_COLUMNS];
	struct grid_cell shown[GRID_ROWS][GRID_COLUMNS];
};

/* An empty page is wanted. All zero bytes become a grid by this call. */
void grid_clear(struct grid *grid);

/* What the terminal shows is unknown: the next grid_show draws everything. */
void grid_forget(struct grid *grid);

/* Writes text from a cell on; what does not fit into the row is cut, what is not ASCII is '?'. */
void grid_print(struct grid *grid, unsigned row, unsigned column, unsigned style, const char *fmt,
		...) QUIRE_PRINTF(5, 6);

/* The style of a whole row, whatever stands there. */
void grid_style_row(struct grid *grid, unsigned row, unsigned style);

/* A bar of `width` cells with brackets, filled to part / whole; part above whole is full. */
void grid_bar(struct grid *grid, unsigned row, unsigned column, unsigned width, unsigned style,
	      uint64_t part, uint64_t whole);

/* Sends what changed, and leaves the cursor at the beginning of the last row. */
void grid_show(struct grid *grid, void (*emit)(const char *text, size_t length));

#ifdef __cplusplus
}
#endif

#endif
