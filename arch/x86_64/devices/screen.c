/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/devices/screen.h"

#include "lib/string.h"

enum { TAB_COLUMNS = 8 };

static void screen_draw_changes(struct screen *screen)
{
	for (unsigned row = 0; row < screen->rows; row++) {
		for (unsigned column = 0; column < screen->columns; column++) {
			uint16_t cell = screen->wanted[row][column];

			if (row == screen->row && column == screen->column)
				cell |= SCREEN_CURSOR;
			if (cell == screen->shown[row][column])
				continue;
			screen->shown[row][column] = cell;
			screen->draw(screen->ctx, column, row, cell);
		}
	}
}

static void screen_blank(struct screen *screen, unsigned row)
{
	for (unsigned column = 0; column < SCREEN_COLUMNS_MAX; column++)
		screen->wanted[row][column] = ' ';
}

void screen_init(struct screen *screen, unsigned columns, unsigned rows,
		 void (*draw)(void *ctx, unsigned column, unsigned row, uint16_t cell), void *ctx)
{
	memset(screen, 0, sizeof(*screen));
	for (unsigned row = 0; row < SCREEN_ROWS_MAX; row++)
		screen_blank(screen, row);
	screen->columns = columns < SCREEN_COLUMNS_MAX ? columns : SCREEN_COLUMNS_MAX;
	screen->rows = rows < SCREEN_ROWS_MAX ? rows : SCREEN_ROWS_MAX;
	screen->draw = draw;
	screen->ctx = ctx;
	screen_draw_changes(screen);
}

static void screen_jump(struct screen *screen)
{
	unsigned jump = screen->rows > SCREEN_JUMP_ROWS ? SCREEN_JUMP_ROWS : 1;

	memmove(screen->wanted[0], screen->wanted[jump],
		(size_t)(screen->rows - jump) * sizeof(screen->wanted[0]));
	for (unsigned row = screen->rows - jump; row < screen->rows; row++)
		screen_blank(screen, row);
	screen->row = screen->rows - jump;
}

static void screen_newline(struct screen *screen)
{
	screen->column = 0;
	if (++screen->row >= screen->rows)
		screen_jump(screen);
}

static void screen_put(struct screen *screen, uint8_t c)
{
	/* The line is broken only when there is more of it, so that a full one wastes no row. */
	if (screen->column >= screen->columns)
		screen_newline(screen);

	unsigned row = screen->row, column = screen->column;

	if (row >= SCREEN_ROWS_MAX || column >= SCREEN_COLUMNS_MAX)
		return;
	screen->wanted[row][column] = c | screen->style;
	screen->column = column + 1;
}

static void screen_tab(struct screen *screen)
{
	do
		screen_put(screen, ' ');
	while (screen->column % TAB_COLUMNS != 0 && screen->column < screen->columns);
}

static void screen_take(struct screen *screen, char c)
{
	if (screen_csi(screen, c))
		return;
	switch (c) {
	case '\n':
		screen_newline(screen);
		break;
	case '\r':
		screen->column = 0;
		break;
	case '\b':
		if (screen->column > 0)
			screen->column--;
		break;
	case '\t':
		screen_tab(screen);
		break;
	default:
		if ((unsigned char)c >= 0x7f)
			screen_put(screen, '?');
		else if (c >= ' ')
			screen_put(screen, (uint8_t)c);
	}
}

void screen_write(struct screen *screen, const char *text, size_t length)
{
	if (screen->rows == 0 || screen->columns == 0)
		return;
	for (size_t i = 0; i < length; i++)
		screen_take(screen, text[i]);
	screen_draw_changes(screen);
}
