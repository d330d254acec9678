/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers and words out of text with a length; nothing is read past it and no 0 is needed.
 * Context: any.
 */
#ifndef QUIRE_LIB_PARSE_H
#define QUIRE_LIB_PARSE_H

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum parse_status {
	PARSE_OK,
	PARSE_EMPTY,    /* no characters at all */
	PARSE_BAD,      /* something that is not part of a number */
	PARSE_OVERFLOW, /* a number, but above 2^64 - 1 */
};

/* For messages: "empty", "not a number", "too large". */
const char *parse_status_text(enum parse_status status);

/*
 * The whole of `s` as an unsigned number, decimal or hexadecimal with 0x. No sign, no blanks.
 * *out is written only with PARSE_OK.
 */
enum parse_status parse_u64(const char *s, size_t len, uint64_t *out);

/* The same with an optional binary suffix K, M, G or T (either case): bytes. */
enum parse_status parse_size(const char *s, size_t len, uint64_t *out);

/* Text that is being split, and a word in it. Words point into the text. */
struct parse_cursor {
	const char *next;
	const char *end;
};

struct parse_word {
	const char *s;
	size_t len;
};

void parse_begin(struct parse_cursor *cursor, const char *s, size_t len);

/* The next word between blanks (space, tab, CR, LF); false when only blanks are left. */
bool parse_next_word(struct parse_cursor *cursor, struct parse_word *out);

/* The next piece up to `separator`, with blanks around it cut off; it may be empty. False at the
 * end of the text. */
bool parse_next_piece(struct parse_cursor *cursor, char separator, struct parse_word *out);

bool parse_is_blank(char c);

#ifdef __cplusplus
}
#endif

#endif
