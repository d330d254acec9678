/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports and status bits as in the data sheet of Intel's 8242PC, "UPI-C42 keyboard controller". */
#include "arch/x86_64/devices/keyboard.h"

#include "arch/x86_64/devices/io.h"
#include "arch/x86_64/devices/keyboard_decode.h"

enum {
	PORT_DATA = 0x60,
	PORT_STATUS = 0x64,
	STATUS_FULL = 0x01,
	STATUS_MOUSE = 0x20,
	STATUS_NOBODY = 0xff, /* what a port without a device reads as */

	/* Codes taken in one call: more than the controller and the keyboard can hold. */
	POLL_CODES = 64,
};

static struct keyboard_state state;

/* Characters of the last key that are not read yet. */
static char pending[KEYBOARD_CHARS_MAX];
static size_t pending_next, pending_count;

/* The next code from the keyboard, or -1; the mouse's are dropped. */
static int keyboard_code(void)
{
	for (unsigned i = 0; i < POLL_CODES; i++) {
		uint8_t status = io_in8(PORT_STATUS);
		uint8_t code;

		if (status == STATUS_NOBODY || !(status & STATUS_FULL))
			return -1;
		code = io_in8(PORT_DATA);
		if (!(status & STATUS_MOUSE))
			return code;
	}
	return -1;
}

void keyboard_init(void)
{
	for (unsigned i = 0; i < POLL_CODES; i++)
		if (keyboard_code() < 0)
			return;
}

int keyboard_read(void)
{
	for (unsigned i = 0; i < POLL_CODES && pending_next >= pending_count; i++) {
		int code = keyboard_code();

		if (code < 0)
			return -1;
		pending_next = 0;
		pending_count = keyboard_decode(&state, (uint8_t)code, pending);
	}
	/* Both were read without a lock: the bound is checked against what will be indexed. */
	if (pending_next >= pending_count || pending_next >= sizeof(pending))
		return -1;
	return (unsigned char)pending[pending_next++];
}
