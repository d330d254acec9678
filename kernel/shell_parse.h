/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shell input, taken apart: commands separated by ';', words separated by blanks. Double quotes
 * hold blanks and ';' together; a backslash keeps the next character as it is. Pure: any bytes
 * of any length are harmless.
 */
#ifndef QUIRE_KERNEL_SHELL_PARSE_H
#define QUIRE_KERNEL_SHELL_PARSE_H

#include "lib/parse.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	SHELL_WORDS_MAX = 16,
	SHELL_BYTES_MAX = 256, /* of one command's words, with a final 0 each */
};

struct shell_command {
	const char *problem;             /* NULL, or why it cannot be executed */
	int argc;                        /* 0: there is nothing to execute */
	char *argv[SHELL_WORDS_MAX + 1]; /* into bytes; the last is NULL */
	char bytes[SHELL_BYTES_MAX];
};

/*
 * Takes the text up to the next ';' off the cursor (see lib/parse.h) and splits it; false at the
 * end of the text.
 */
bool shell_next_command(struct parse_cursor *cursor, struct shell_command *out);

#ifdef __cplusplus
}
#endif

#endif
