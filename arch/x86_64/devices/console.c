/* SPDX-License-Identifier: BSD-2-Clause */
/* All devices as one console. */
#include "arch/console.h"

#include "arch/x86_64/devices/devices.h"
#include "arch/x86_64/devices/display.h"
#include "arch/x86_64/devices/keyboard.h"
#include "arch/x86_64/devices/qemu.h"
#include "arch/x86_64/devices/serial.h"

static struct screen screen;
static bool screen_ready;
static bool keyboard_ready;

void devices_early_init(void)
{
	serial_init();
	qemu_init();
}

void devices_init(const struct boot_info *info)
{
	const struct boot_framebuffer *fb = &info->fb;

	if (fb->kind == BOOT_FB_RGB)
		screen_ready = display_rgb_init(&screen, fb);
	else if (fb->kind == BOOT_FB_TEXT)
		screen_ready = display_text_init(&screen, fb);
	keyboard_init();
	keyboard_ready = true;
}

void arch_console_write(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\n')
			serial_write('\r');
		serial_write((uint8_t)text[i]);
	}
	if (screen_ready)
		screen_write(&screen, text, length);
}

int arch_console_read(void)
{
	int c = serial_read();

	return c >= 0 || !keyboard_ready ? c : keyboard_read();
}
