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

	/* A cell is an ASCII character; with this bit the cursor stands on it. */
	SCREEN_CURSOR = 0x80,
};

struct screen {
	/* Shows one cell: a printable character, perhaps with SCREEN_CURSOR. */
	void (*draw)(void *ctx, unsigned column, unsigned row, uint8_t cell);
	void *ctx;
	unsigned columns, rows; /* constant after screen_init() */
	unsigned column, row;   /* of the cursor */
	unsigned escape;        /* enum screen_escape */
	uint8_t wanted[SCREEN_ROWS_MAX][SCREEN_COLUMNS_MAX];
	uint8_t shown[SCREEN_ROWS_MAX][SCREEN_COLUMNS_MAX]; /* 0: unknown, draw it */
};

/* An empty screen, drawn at once. A display larger than the arrays is used in part. */
void screen_init(struct screen *screen, unsigned columns, unsigned rows,
		 void (*draw)(void *ctx, unsigned column, unsigned row, uint8_t cell), void *ctx);

/*
 * Adds text and draws what changed. Understands newline, carriage return, backspace and tab;
 * skips terminal escape sequences and other control characters; shows what is not ASCII as '?'.
 */
void screen_write(struct screen *screen, const char *text, size_t length);

#ifdef __cplusplus
}
#endif

#endif
