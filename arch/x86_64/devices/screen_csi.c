/* SPDX-License-Identifier: BSD-2-Clause */
/* Escape sequences of text on its way to the screen (ECMA-48 5.4: ESC [, parameters, a final). */
#include "arch/x86_64/devices/screen.h"

enum { ESCAPE_NONE, ESCAPE_BEGUN, ESCAPE_PARAMETERS };

/* Larger than any screen; what is above it stays there, whatever digits follow. */
enum { PARAMETER_LIMIT = 10000 };

static void erase(struct screen *screen, unsigned row, unsigned from, unsigned end)
{
	if (row >= SCREEN_ROWS_MAX)
		return;
	for (unsigned column = from; column < end && column < SCREEN_COLUMNS_MAX; column++)
		screen->wanted[row][column] = ' ';
}

/* ED: 0 from the cursor on, 1 up to the cursor, 2 all. */
static void erase_page(struct screen *screen, unsigned what)
{
	for (unsigned row = 0; row < screen->rows; row++) {
		unsigned from = 0, end = screen->columns;

		if (what == 0 && row == screen->row)
			from = screen->column;
		if (what == 1 && row == screen->row)
			end = screen->column + 1;
		if ((what == 0 && row < screen->row) || (what == 1 && row > screen->row))
			continue;
		erase(screen, row, from, end);
	}
}

/* EL: the same within the row. */
static void erase_row(struct screen *screen, unsigned what)
{
	erase(screen, screen->row, what == 0 ? screen->column : 0,
	      what == 1 ? screen->column + 1 : screen->columns);
}

/* Counted from 1, and 0 stands for 1. */
static unsigned place(unsigned parameter, unsigned count)
{
	unsigned at = parameter > 0 ? parameter - 1 : 0;

	return at < count ? at : count - 1;
}

static void choose_style(struct screen *screen)
{
	for (unsigned i = 0; i <= screen->parameter && i < SCREEN_PARAMETERS; i++) {
		unsigned value = screen->parameters[i];

		if (value == 0)
			screen->style = 0;
		else if (value == 7)
			screen->style |= SCREEN_REVERSE;
		else if (value == 27)
			screen->style &= (uint16_t)~SCREEN_REVERSE;
		else if (value >= 30 && value <= 37)
			screen->style = (uint16_t)((screen->style & SCREEN_REVERSE) |
						   (value - 30) << SCREEN_COLOUR_SHIFT);
		else if (value == 39)
			screen->style &= SCREEN_REVERSE;
	}
}

static void execute(struct screen *screen, char final)
{
	switch (final) {
	case 'H':
	case 'f':
		screen->row = place(screen->parameters[0], screen->rows);
		screen->column = place(screen->parameters[1], screen->columns);
		break;
	case 'J':
		erase_page(screen, screen->parameters[0]);
		break;
	case 'K':
		erase_row(screen, screen->parameters[0]);
		break;
	case 'm':
		choose_style(screen);
		break;
	default:
		break;
	}
}

static void begin_parameters(struct screen *screen)
{
	for (unsigned i = 0; i < SCREEN_PARAMETERS; i++)
		screen->parameters[i] = 0;
	screen->parameter = 0;
	screen->escape = ESCAPE_PARAMETERS;
}

static void take_parameter(struct screen *screen, char c)
{
	unsigned at = screen->parameter;

	if (c == ';')
		screen->parameter = at < SCREEN_PARAMETERS ? at + 1 : at;
	else if (c >= '0' && c <= '9' && at < SCREEN_PARAMETERS &&
		 screen->parameters[at] < PARAMETER_LIMIT)
		screen->parameters[at] = screen->parameters[at] * 10 + (unsigned)(c - '0');
}

bool screen_csi(struct screen *screen, char c)
{
	switch (screen->escape) {
	case ESCAPE_BEGUN:
		screen->escape = ESCAPE_NONE;
		if (c == '[')
			begin_parameters(screen);
		return true;
	case ESCAPE_PARAMETERS:
		take_parameter(screen, c);
		if (c >= 0x40 && c <= 0x7e) {
			screen->escape = ESCAPE_NONE;
			execute(screen, c);
		}
		return true;
	default:
		if (c != '\033')
			return false;
		screen->escape = ESCAPE_BEGUN;
		return true;
	}
}
