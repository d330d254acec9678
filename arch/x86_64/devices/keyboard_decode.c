/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/devices/keyboard_decode.h"

enum {
	CODE_RELEASED = 0x80,
	CODE_EXTENDED = 0xe0,
	CODE_PAUSE = 0xe1, /* two more codes follow, at press and at release */

	CODE_CTRL = 0x1d,
	CODE_SHIFT_LEFT = 0x2a,
	CODE_SHIFT_RIGHT = 0x36,
	CODE_CAPS_LOCK = 0x3a,
	CODE_SLASH = 0x35,
	CODE_ENTER = 0x1c,
};

/* Keys 0x00 to 0x39, without and with shift; 0 for keys that give no character. */
static const char plain[] = "\0\033"
			    "1234567890-=\b"
			    "\tqwertyuiop[]\n"
			    "\0asdfghjkl;'`"
			    "\0\\zxcvbnm,./"
			    "\0*\0 ";
static const char shifted[] = "\0\033"
			      "!@#$%^&*()_+\b"
			      "\tQWERTYUIOP{}\n"
			      "\0ASDFGHJKL:\"~"
			      "\0|ZXCVBNM<>?"
			      "\0*\0 ";

/*
 * Keys 0x47 to 0x53 of the number pad, which the grey keys repeat with a prefix. A digit is one
 * that terminals send with a '~' behind it.
 */
enum { KEYPAD_FIRST = 0x47 };
static const char keypad_finals[] = "HA5\0D\0C\0FB623";

static bool keyboard_modifier(struct keyboard_state *state, uint8_t key, bool down)
{
	switch (key) {
	case CODE_SHIFT_LEFT:
		state->shift_left = down;
		return true;
	case CODE_SHIFT_RIGHT:
		state->shift_right = down;
		return true;
	case CODE_CTRL:
		state->ctrl_left = down;
		return true;
	case CODE_CAPS_LOCK:
		state->caps_lock ^= down;
		return true;
	default:
		return false;
	}
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static char keyboard_char(const struct keyboard_state *state, uint8_t key)
{
	bool shift = state->shift_left || state->shift_right;
	bool ctrl = state->ctrl_left || state->ctrl_right;
	char c;

	if (key >= sizeof(plain) - 1)
		return 0;
	if (state->caps_lock && is_letter(plain[key]))
		shift = !shift;
	c = shift ? shifted[key] : plain[key];
	return ctrl && is_letter(c) ? (char)(c & 0x1f) : c;
}

static size_t keyboard_cursor_key(uint8_t key, char out[KEYBOARD_CHARS_MAX])
{
	unsigned index = key - KEYPAD_FIRST;

	if (key < KEYPAD_FIRST || index >= sizeof(keypad_finals) - 1 || keypad_finals[index] == 0)
		return 0;
	out[0] = '\033';
	out[1] = '[';
	out[2] = keypad_finals[index];
	out[3] = '~';
	return out[2] <= '9' ? 4 : 3;
}

static size_t keyboard_extended(struct keyboard_state *state, uint8_t key, bool down, char *out)
{
	if (key == CODE_CTRL)
		state->ctrl_right = down;
	if (!down)
		return 0;
	if (key == CODE_SLASH || key == CODE_ENTER) {
		out[0] = plain[key];
		return 1;
	}
	return keyboard_cursor_key(key, out);
}

size_t keyboard_decode(struct keyboard_state *state, uint8_t code, char out[KEYBOARD_CHARS_MAX])
{
	uint8_t key = code & ~CODE_RELEASED;
	bool down = !(code & CODE_RELEASED);
	bool extended = state->extended;

	state->extended = false;
	if (state->ignore > 0) {
		state->ignore--;
		return 0;
	}
	if (code == CODE_PAUSE) {
		state->ignore = 2;
		return 0;
	}
	if (code == CODE_EXTENDED) {
		state->extended = true;
		return 0;
	}
	if (extended)
		return keyboard_extended(state, key, down, out);
	if (keyboard_modifier(state, key, down) || !down)
		return 0;
	out[0] = keyboard_char(state, key);
	return out[0] != 0 ? 1 : keyboard_cursor_key(key, out);
}
