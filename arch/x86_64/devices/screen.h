/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A screen of characters, whatever shows it.
 *
 * Text goes into an array of cells, and a second array remembers what the display shows, so that
 * only cells that differ are drawn: display memory is slow to write and slower to read, and is
 * never read. When the last line is full the text jumps up by a few lines at once, because every
 * jump redraws most of the screen.
 *
 * Two CPUs that write at once (after a panic) may spoil each other's text, never other memory:
 * every index is checked against the constant sizes of the arrays.
 *
 * Escape sequences (ECMA-48 8.3) that place the cursor, erase and choose colours are obeyed, those
 * that a dashboard needs: CUP, ED, EL and SGR. All others are skipped.
 */
#ifndef QUIRE_ARCH_X86_64_DEVICES_SCREEN_H
#define QUIRE_ARCH_X86_64_DEVICES_SCREEN_H

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	SCREEN_COLUMNS_MAX = 256,
	SCREEN_ROWS_MAX = 96,
	SCREEN_JUMP_ROWS = 4,

	SCREEN_PARAMETERS = 4, /* of an escape sequence that are kept; the others mean nothing */

	/* A cell is an ASCII character; with this bit the cursor stands on it, */
	SCREEN_CURSOR = 0x80,
	SCREEN_CHARACTER = 0x7f,
	/* and these are its colour: red 1, green 2, blue 4; 0 is plain. */
	SCREEN_COLOUR_SHIFT = 8,
	SCREEN_COLOUR = 0x700,
	SCREEN_REVERSE = 0x800, /* paper and ink change places */
};

struct screen {
	/* Shows one cell: a printable character, perhaps with SCREEN_CURSOR. */
	void (*draw)(void *ctx, unsigned column, unsigned row, uint16_t cell);
	void *ctx;
	unsigned columns, rows; /* constant after screen_init() */
	unsigned column, row;   /* of the cursor */
	uint16_t style;         /* of what is written next: SCREEN_COLOUR, SCREEN_REVERSE */
	unsigned escape;        /* how far into an escape sequence the text is, screen_csi.c */
	unsigned parameters[SCREEN_PARAMETERS];
	unsigned parameter; /* which one is being read */
	uint16_t wanted[SCREEN_ROWS_MAX][SCREEN_COLUMNS_MAX];
	uint16_t shown[SCREEN_ROWS_MAX][SCREEN_COLUMNS_MAX]; /* 0: unknown, draw it */
};

/* An empty screen, drawn at once. A display larger than the arrays is used in part. */
void screen_init(struct screen *screen, unsigned columns, unsigned rows,
		 void (*draw)(void *ctx, unsigned column, unsigned row, uint16_t cell), void *ctx);

/*
 * Adds text and draws what changed. Understands newline, carriage return, backspace, tab and
 * the escape sequences above; skips others and control characters; shows what is not ASCII as '?'.
 */
void screen_write(struct screen *screen, const char *text, size_t length);

/* screen_csi.c: takes a character that belongs to an escape sequence; false if it does not. */
bool screen_csi(struct screen *screen, char c);

#ifdef __cplusplus
}
#endif

#endif
