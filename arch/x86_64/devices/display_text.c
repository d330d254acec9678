/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VGA text mode: two bytes a character, code and attribute (IBM VGA technical reference, text
 * modes). The hardware's cursor is switched off: the screen draws its own.
 */
#include "arch/physmap.h"
#include "arch/x86_64/devices/display.h"
#include "arch/x86_64/devices/io.h"

enum {
	PORT_CRTC_INDEX = 0x3d4,
	PORT_CRTC_DATA = 0x3d5,
	CRTC_CURSOR_START = 0x0a,
	CURSOR_OFF = 0x20,

	INK_PLAIN = 0x07, /* light grey on black */
	INK_BRIGHT = 0x08,
	BYTES_PER_CELL = 2,
};

static uint32_t text_pitch; /* bytes */

/* A VGA counts blue 1, green 2, red 4: the other way round. */
static unsigned text_attribute(uint16_t cell)
{
	unsigned colour = (cell & SCREEN_COLOUR) >> SCREEN_COLOUR_SHIFT;
	unsigned ink = INK_BRIGHT | (colour & 1) << 2 | (colour & 2) | (colour & 4) >> 2;
	bool reverse = ((cell & SCREEN_CURSOR) != 0) != ((cell & SCREEN_REVERSE) != 0);

	if (colour == 0)
		ink = INK_PLAIN;
	/* Bright paper would blink. */
	return reverse ? (ink & ~(unsigned)INK_BRIGHT) << 4 : ink;
}

static void text_draw(void *ctx, unsigned column, unsigned row, uint16_t cell)
{
	volatile uint16_t *line = (volatile uint16_t *)((char *)ctx + (size_t)row * text_pitch);

	line[column] = (uint16_t)(text_attribute(cell) << 8 | (cell & SCREEN_CHARACTER));
}

bool display_text_init(struct screen *screen, const struct boot_framebuffer *fb)
{
	uint32_t pitch = fb->pitch != 0 ? fb->pitch : fb->width * BYTES_PER_CELL;

	if (fb->width == 0 || fb->height == 0 || pitch < fb->width * BYTES_PER_CELL)
		return false;
	text_pitch = pitch;
	io_out8(PORT_CRTC_INDEX, CRTC_CURSOR_START);
	io_out8(PORT_CRTC_DATA, CURSOR_OFF);
	screen_init(screen, fb->width, fb->height, text_draw, arch_physmap(fb->base));
	return true;
}
