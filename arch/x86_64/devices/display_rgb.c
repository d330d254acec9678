/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A linear framebuffer of 16, 24 or 32 bits a pixel, with the colour fields where the loader says
 * (Multiboot2 3.6.12). On displays that are too fine to read 8 pixel characters, each pixel of
 * the font is a square of several.
 */
#include "arch/physmap.h"
#include "arch/x86_64/devices/display.h"
#include "arch/x86_64/devices/font.h"

enum {
	/* A display at least this wide has room for two pixels per pixel of the font. */
	WIDTH_PER_SCALE = 1600,

	COLOURS = 8,

	/* Of eight bits: what a colour has, and what it has of the other two. Plain is light grey
	 * on black. */
	INTENSITY_PLAIN = 0xd0,
	INTENSITY_FULL = 0xf0,
	INTENSITY_REST = 0x50,
};

/* Constant after display_rgb_init(). */
static struct {
	uint8_t *base;
	uint32_t pitch;
	unsigned pixel_bytes;
	unsigned scale;
	uint32_t inks[COLOURS];
} rgb;

/* The highest bits of an 8-bit intensity, at the place where the pixel has them. */
static uint32_t rgb_field(uint32_t intensity, unsigned shift, unsigned bits)
{
	return (bits >= 8 ? intensity << (bits - 8) : intensity >> (8 - bits)) << shift;
}

static uint32_t rgb_intensity(unsigned colour, unsigned bit)
{
	if (colour == 0)
		return INTENSITY_PLAIN;
	return colour & bit ? INTENSITY_FULL : INTENSITY_REST;
}

static void rgb_mix_inks(const struct boot_framebuffer *fb)
{
	for (unsigned colour = 0; colour < COLOURS; colour++)
		rgb.inks[colour] =
		    rgb_field(rgb_intensity(colour, 1), fb->red_shift, fb->red_bits) |
		    rgb_field(rgb_intensity(colour, 2), fb->green_shift, fb->green_bits) |
		    rgb_field(rgb_intensity(colour, 4), fb->blue_shift, fb->blue_bits);
}

static void rgb_store(uint8_t *at, uint32_t pixel)
{
	switch (rgb.pixel_bytes) {
	case 4:
		*(volatile uint32_t *)at = pixel;
		break;
	case 3:
		((volatile uint8_t *)at)[2] = (uint8_t)(pixel >> 16);
		((volatile uint8_t *)at)[1] = (uint8_t)(pixel >> 8);
		((volatile uint8_t *)at)[0] = (uint8_t)pixel;
		break;
	default:
		*(volatile uint16_t *)at = (uint16_t)pixel;
	}
}

/* One row of a character, `scale` lines high. */
static void rgb_draw_row(uint8_t *at, uint8_t bits, uint32_t ink)
{
	for (unsigned line = 0; line < rgb.scale; line++) {
		uint8_t *pixel = at + (size_t)line * rgb.pitch;

		for (unsigned x = 0; x < FONT_WIDTH * rgb.scale; x++) {
			bool set = bits & (0x80u >> (x / rgb.scale));

			rgb_store(pixel, set ? ink : 0);
			pixel += rgb.pixel_bytes;
		}
	}
}

static void rgb_draw(void *ctx, unsigned column, unsigned row, uint16_t cell)
{
	unsigned glyph = (cell & (unsigned)SCREEN_CHARACTER) - FONT_FIRST;
	bool reverse = ((cell & SCREEN_CURSOR) != 0) != ((cell & SCREEN_REVERSE) != 0);
	uint32_t ink = rgb.inks[(cell & SCREEN_COLOUR) >> SCREEN_COLOUR_SHIFT];
	uint8_t invert = reverse ? 0xff : 0;
	uint8_t *at = rgb.base + (size_t)row * FONT_HEIGHT * rgb.scale * rgb.pitch +
		      (size_t)column * FONT_WIDTH * rgb.scale * rgb.pixel_bytes;

	(void)ctx;
	if (glyph >= FONT_COUNT)
		glyph = '?' - FONT_FIRST;
	for (unsigned i = 0; i < FONT_HEIGHT; i++) {
		rgb_draw_row(at, font_glyphs[glyph][i] ^ invert, ink);
		at += (size_t)rgb.scale * rgb.pitch;
	}
}

static bool rgb_field_fits(unsigned shift, unsigned bits, unsigned bpp)
{
	return bits > 0 && bits <= 16 && shift + bits <= bpp;
}

static bool rgb_supported(const struct boot_framebuffer *fb)
{
	unsigned bytes = (fb->bpp + 7u) / 8;

	return bytes >= 2 && bytes <= 4 && fb->pitch >= (uint64_t)fb->width * bytes &&
	       rgb_field_fits(fb->red_shift, fb->red_bits, fb->bpp) &&
	       rgb_field_fits(fb->green_shift, fb->green_bits, fb->bpp) &&
	       rgb_field_fits(fb->blue_shift, fb->blue_bits, fb->bpp);
}

bool display_rgb_init(struct screen *screen, const struct boot_framebuffer *fb)
{
	if (!rgb_supported(fb))
		return false;
	rgb.base = arch_physmap(fb->base);
	rgb.pitch = fb->pitch;
	rgb.pixel_bytes = (fb->bpp + 7u) / 8;
	rgb.scale = 1 + fb->width / (WIDTH_PER_SCALE + FONT_WIDTH);
	rgb_mix_inks(fb);
	screen_init(screen, fb->width / (FONT_WIDTH * rgb.scale),
		    fb->height / (FONT_HEIGHT * rgb.scale), rgb_draw, NULL);
	return true;
}
