/* SPDX-License-Identifier: BSD-2-Clause */
/* The display that the loader set up: pixels (display_rgb.c) or the characters of a VGA
 * (display_text.c). */
#ifndef QUIRE_ARCH_X86_64_DEVICES_DISPLAY_H
#define QUIRE_ARCH_X86_64_DEVICES_DISPLAY_H

#include "arch/bootinfo.h"
#include "arch/x86_64/devices/screen.h"

/* Both return false, and leave the screen alone, when they cannot drive what `fb` describes. */
bool display_rgb_init(struct screen *screen, const struct boot_framebuffer *fb);
bool display_text_init(struct screen *screen, const struct boot_framebuffer *fb);

#endif
