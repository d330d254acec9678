/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/string.h"

size_t str_copy(char *dst, size_t size, const char *src)
{
	return str_copy_n(dst, size, src, strlen(src));
}

size_t str_copy_n(char *dst, size_t size, const char *src, size_t len)
{
	size_t whole = strnlen(src, len);

	if (size != 0) {
		size_t fits = whole < size ? whole : size - 1;

		if (fits != 0)
			memcpy(dst, src, fits);
		dst[fits] = '\0';
	}
	return whole;
}

bool str_is(const char *s, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(s, word, len) == 0;
}

bool str_begins(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}
