/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel options from the command line that a loader passed.
 *
 *	smp=4 verbose name="two words" "name=two words" run=cpus; selftest
 *
 * Options are separated by blanks: a bare `key`, or `key=value`. Double quotes hold blanks, around
 * the value or around the whole option as GRUB writes it (grub_create_loader_cmdline), and inside
 * them a backslash keeps the next character. Keys are letters, digits, '_', '-' and '.'.
 * `run=` and `start=` take all the rest of the line, so that commands need no quotes; if the value
 * (or the whole option) is in quotes it ends with them.
 *
 * What is malformed is returned as such, for a message, and reading goes on behind it. Any bytes
 * of any length are harmless. Context: any; slices point into the caller's line.
 */
#ifndef QUIRE_LIB_CMDLINE_H
#define QUIRE_LIB_CMDLINE_H

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cmdline_iter {
	const char *next;
	const char *end;
};

struct cmdline_option {
	const char *problem; /* NULL when well-formed; else why not, and only `text` is set */
	const char *text;    /* the option as it stands on the line */
	size_t text_len;
	const char *key;
	size_t key_len;
	const char *value; /* still with its backslashes if `quoted`: see cmdline_value() */
	size_t value_len;
	bool has_value;
	bool quoted;
};

enum cmdline_found {
	CMDLINE_MISSING = 0,
	CMDLINE_FOUND = 1,
	CMDLINE_CUT = 2, /* found, but the value did not fit */
};

/* Reads `len` bytes of `line`, less if there is a 0 among them. */
void cmdline_begin(struct cmdline_iter *iter, const char *line, size_t len);

/* The next option, well-formed or not; false at the end. */
bool cmdline_next(struct cmdline_iter *iter, struct cmdline_option *out);

bool cmdline_key_is(const struct cmdline_option *option, const char *key);

/*
 * Copies the value without its backslashes into `size` bytes, cut if need be and ended with 0
 * unless `size` is 0. Returns the whole length; a bare key has the empty value.
 */
size_t cmdline_value(const struct cmdline_option *option, char *buf, size_t size);

/*
 * Looks up one key in a whole line (a string); the last one counts when it stands there twice.
 * `buf` is the empty string when the key is missing or bare. May be tested as a boolean.
 */
enum cmdline_found cmdline_get(const char *line, const char *key, char *buf, size_t size);

#ifdef __cplusplus
}
#endif

#endif
