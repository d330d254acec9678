/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/parse.h"

const char *parse_status_text(enum parse_status status)
{
	switch (status) {
	case PARSE_OK:
		return "ok";
	case PARSE_EMPTY:
		return "empty";
	case PARSE_OVERFLOW:
		return "too large";
	default:
		return "not a number";
	}
}

/* The value of a digit in any base up to 16, or 16. */
static unsigned digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return 16;
}

enum parse_status parse_u64(const char *s, size_t len, uint64_t *out)
{
	unsigned base = 10;
	uint64_t x = 0;
	bool overflow = false;

	if (len == 0)
		return PARSE_EMPTY;
	if (len > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		base = 16;
		s += 2;
		len -= 2;
	}
	/* Read to the end even when it is too large: "99999999999999999999z" is no number. */
	for (size_t i = 0; i < len; i++) {
		unsigned digit = digit_value(s[i]);

		if (digit >= base)
			return PARSE_BAD;
		overflow |= __builtin_mul_overflow(x, (uint64_t)base, &x);
		overflow |= __builtin_add_overflow(x, (uint64_t)digit, &x);
	}
	if (overflow)
		return PARSE_OVERFLOW;
	*out = x;
	return PARSE_OK;
}

static unsigned suffix_shift(char c)
{
	switch (c) {
	case 'K':
	case 'k':
		return 10;
	case 'M':
	case 'm':
		return 20;
	case 'G':
	case 'g':
		return 30;
	case 'T':
	case 't':
		return 40;
	default:
		return 0;
	}
}

enum parse_status parse_size(const char *s, size_t len, uint64_t *out)
{
	unsigned shift = len == 0 ? 0 : suffix_shift(s[len - 1]);
	uint64_t x;

	if (shift != 0)
		len--;

	enum parse_status status = parse_u64(s, len, &x);

	/* A suffix alone is not nothing, it is not a number. */
	if (status == PARSE_EMPTY && shift != 0)
		return PARSE_BAD;
	if (status != PARSE_OK)
		return status;
	if (x > UINT64_MAX >> shift)
		return PARSE_OVERFLOW;
	*out = x << shift;
	return PARSE_OK;
}

bool parse_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

void parse_begin(struct parse_cursor *cursor, const char *s, size_t len)
{
	cursor->next = s;
	cursor->end = len == 0 ? s : s + len;
}

bool parse_next_word(struct parse_cursor *cursor, struct parse_word *out)
{
	const char *p = cursor->next;

	while (p < cursor->end && parse_is_blank(*p))
		p++;
	out->s = p;
	while (p < cursor->end && !parse_is_blank(*p))
		p++;
	out->len = (size_t)(p - out->s);
	cursor->next = p;
	return out->len != 0;
}

bool parse_next_piece(struct parse_cursor *cursor, char separator, struct parse_word *out)
{
	const char *start = cursor->next;
	const char *end = start;

	if (start == cursor->end)
		return false;
	while (end < cursor->end && *end != separator)
		end++;
	cursor->next = end < cursor->end ? end + 1 : end;
	while (start < end && parse_is_blank(*start))
		start++;
	while (end > start && parse_is_blank(end[-1]))
		end--;
	out->s = start;
	out->len = (size_t)(end - start);
	return true;
}
