/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scan codes of set 1 to characters, for a keyboard with the US layout. Pure: one scan code in,
 * none or a few characters out. Cursor keys give what a serial terminal sends for them.
 */
#ifndef QUIRE_ARCH_X86_64_DEVICES_KEYBOARD_DECODE_H
#define QUIRE_ARCH_X86_64_DEVICES_KEYBOARD_DECODE_H

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { KEYBOARD_CHARS_MAX = 4 }; /* most characters that one key gives */

/* All zero is a keyboard with no key held. */
struct keyboard_state {
	bool shift_left, shift_right, ctrl_left, ctrl_right, caps_lock;
	bool extended;  /* the last code was the prefix 0xe0 */
	uint8_t ignore; /* codes left of a sequence that means nothing here */
};

/* Takes any byte; returns how many characters were written to `out`. */
size_t keyboard_decode(struct keyboard_state *state, uint8_t code, char out[KEYBOARD_CHARS_MAX]);

#ifdef __cplusplus
}
#endif

#endif
