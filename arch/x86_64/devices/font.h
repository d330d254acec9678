/* SPDX-License-Identifier: BSD-2-Clause */
/* The console font, drawn in font.txt. */
#ifndef QUIRE_ARCH_X86_64_DEVICES_FONT_H
#define QUIRE_ARCH_X86_64_DEVICES_FONT_H

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	FONT_WIDTH = 8,
	FONT_HEIGHT = 16,
	FONT_FIRST = ' ',
	FONT_COUNT = 95,
};

/* Rows from the top; the highest bit of a row is its leftmost pixel. */
extern const uint8_t font_glyphs[FONT_COUNT][FONT_HEIGHT];

#ifdef __cplusplus
}
#endif

#endif
