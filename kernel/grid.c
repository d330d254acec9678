/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/grid.h"

#include <stdarg.h>

#include "lib/format.h"
#include "lib/string.h"

enum { COLOUR_MASK = 7, SEQUENCE_MAX = 24 };

/* --- The page that is wanted --- */

void grid_clear(struct grid *grid)
{
	for (unsigned row = 0; row < GRID_ROWS; row++)
		for (unsigned column = 0; column < GRID_COLUMNS; column++)
			grid->wanted[row][column] = (struct grid_cell){' ', GRID_PLAIN};
}

void grid_forget(struct grid *grid)
{
	grid->known = false;
}

static void cell_put(struct grid *grid, unsigned row, unsigned column, char c, unsigned style)
{
	if (row >= GRID_ROWS || column >= GRID_COLUMNS)
		return;
	if (c < ' ' || c >= 0x7f)
		c = '?';
	grid->wanted[row][column] = (struct grid_cell){c, (uint8_t)style};
}

void grid_print(struct grid *grid, unsigned row, unsigned column, unsigned style, const char *fmt,
		...)
{
	char text[GRID_COLUMNS + 1];
	va_list args;

	va_start(args, fmt);
	format_v(text, sizeof(text), fmt, args);
	va_end(args);
	for (unsigned i = 0; text[i] != '\0'; i++)
		cell_put(grid, row, column + i, text[i], style);
}

void grid_style_row(struct grid *grid, unsigned row, unsigned style)
{
	if (row >= GRID_ROWS)
		return;
	for (unsigned column = 0; column < GRID_COLUMNS; column++)
		grid->wanted[row][column].style = (uint8_t)style;
}

void grid_bar(struct grid *grid, unsigned row, unsigned column, unsigned width, unsigned style,
	      uint64_t part, uint64_t whole)
{
	unsigned room = width > 2 ? width - 2 : 0, filled;

	if (part > whole)
		part = whole;
	/* Both below 2^64 / GRID_COLUMNS, so that the product cannot overflow. */
	while (whole > UINT64_MAX / GRID_COLUMNS) {
		whole >>= 1;
		part >>= 1;
	}
	filled = whole == 0 ? 0 : (unsigned)(part * room / whole);
	cell_put(grid, row, column, '[', GRID_PLAIN);
	for (unsigned i = 0; i < room; i++)
		cell_put(grid, row, column + 1 + i, i < filled ? '#' : ' ', style);
	cell_put(grid, row, column + 1 + room, ']', GRID_PLAIN);
}

/* --- What changed --- */

struct piece {
	void (*emit)(const char *text, size_t length);
	char text[GRID_PIECE_MAX];
	size_t length;
	unsigned style;
};

static void piece_send(struct piece *piece)
{
	if (piece->length > 0)
		piece->emit(piece->text, piece->length);
	piece->length = 0;
}

static void piece_add(struct piece *piece, const char *text)
{
	size_t length = strlen(text);

	if (piece->length + length > sizeof(piece->text))
		piece_send(piece);
	memcpy(&piece->text[piece->length], text, length);
	piece->length += length;
}

static void piece_style(struct piece *piece, unsigned style)
{
	char text[SEQUENCE_MAX];
	unsigned colour = style & COLOUR_MASK;

	if (style == piece->style)
		return;
	piece->style = style;
	piece_add(piece, "\033[0");
	if (style & GRID_REVERSE)
		piece_add(piece, ";7");
	format(text, sizeof(text), ";3%u", colour);
	if (colour != GRID_PLAIN)
		piece_add(piece, text);
	piece_add(piece, "m");
}

static void piece_position(struct piece *piece, unsigned row, unsigned column)
{
	char text[SEQUENCE_MAX];

	format(text, sizeof(text), "\033[%u;%uH", row + 1, column + 1);
	piece_add(piece, text);
}

static bool cell_differs(const struct grid *grid, unsigned row, unsigned column)
{
	const struct grid_cell *wanted = &grid->wanted[row][column];
	const struct grid_cell *shown = &grid->shown[row][column];

	return wanted->c != shown->c || wanted->style != shown->style;
}

static void show_cell(struct grid *grid, struct piece *piece, unsigned row, unsigned column)
{
	const struct grid_cell *cell = &grid->wanted[row][column];
	char text[2] = {cell->c, '\0'};

	piece_style(piece, cell->style);
	piece_add(piece, text);
	grid->shown[row][column] = *cell;
}

/* From the first cell that differs to the last one. */
static void show_row(struct grid *grid, struct piece *piece, unsigned row)
{
	unsigned first = 0, end = GRID_COLUMNS;

	while (first < GRID_COLUMNS && !cell_differs(grid, row, first))
		first++;
	if (first == GRID_COLUMNS)
		return;
	while (!cell_differs(grid, row, end - 1))
		end--;
	piece_position(piece, row, first);
	for (unsigned column = first; column < end; column++)
		show_cell(grid, piece, row, column);
	piece_send(piece);
}

void grid_show(struct grid *grid, void (*emit)(const char *text, size_t length))
{
	struct piece piece = {.emit = emit};

	if (!grid->known) {
		piece_add(&piece, "\033[0m\033[2J");
		for (unsigned row = 0; row < GRID_ROWS; row++)
			for (unsigned column = 0; column < GRID_COLUMNS; column++)
				grid->shown[row][column] = (struct grid_cell){' ', GRID_PLAIN};
		grid->known = true;
	}
	for (unsigned row = 0; row < GRID_ROWS; row++)
		show_row(grid, &piece, row);
	piece_style(&piece, GRID_PLAIN);
	piece_position(&piece, GRID_ROWS - 1, 0);
	piece_send(&piece);
}
