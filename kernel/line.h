/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Editing one line of text on a terminal: characters in, what the terminal is to show out.
 *
 * Backspace and Delete, ^U (delete all), ^K (delete to the end), ^W (delete a word), ^L (an empty
 * screen), ^C (give up), ^A ^E and Home End, left and right, up and down through the lines typed
 * before, and tab, which completes a word. Everything else that is not a printable ASCII character
 * is ignored; what does not fit rings the bell. Pure, apart from `show` and `word`.
 */
#ifndef QUIRE_KERNEL_LINE_H
#define QUIRE_KERNEL_LINE_H

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	LINE_MAX = 256, /* bytes with the final 0 */
	LINE_HISTORY = 16,
};

enum line_result {
	LINE_MORE,
	LINE_DONE,     /* the line is complete: `text` */
	LINE_GIVEN_UP, /* ^C: `text` is empty */
};

/* All zero, with `show` set, is an editor without history. */
struct line_editor {
	void (*show)(const char *text, size_t length);
	/*
	 * The index-th word that may stand behind the first `length` bytes of the line, whatever is
	 * typed of it; NULL after the last one. Valid until the next call. NULL: tab does nothing.
	 */
	const char *(*word)(const char *before, size_t length, size_t index);
	const char *prompt;  /* shown again after a list of words; may be NULL */
	char text[LINE_MAX]; /* ended with 0 */
	unsigned length;
	unsigned cursor;                      /* 0 .. length */
	unsigned escape;                      /* how much of an escape sequence was read */
	unsigned parameter;                   /* its number */
	bool after_cr;                        /* a newline that comes now belongs to it */
	unsigned recalled;                    /* 0: the line is new; n: it is the n-th line back */
	unsigned count;                       /* lines remembered */
	char history[LINE_HISTORY][LINE_MAX]; /* newest first */
};

/* A new, empty line; the prompt is the caller's. */
void line_begin(struct line_editor *line);

/* After LINE_DONE or LINE_GIVEN_UP call line_begin() before the next character. */
enum line_result line_input(struct line_editor *line, char c);

#ifdef __cplusplus
}
#endif

#endif
