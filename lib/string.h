/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes and strings.
 *
 * Freestanding code gets the standard functions from here, with their standard meaning (C17 7.24;
 * lib/string_std.c defines them for the kernel). On a workstation they are the C library's, so
 * that sanitizers see every call. The functions with names of our own exist on both.
 *
 * Context: any.
 */
#ifndef QUIRE_LIB_STRING_H
#define QUIRE_LIB_STRING_H

#include "lib/types.h"

#if __STDC_HOSTED__
#include <string.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

#if !__STDC_HOSTED__
void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int byte, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strstr(const char *s, const char *what);
#endif

/*
 * Copies the string `src` into `size` bytes, cut where it does not fit and always ended with 0
 * unless `size` is 0. Returns the length of `src`: `size` or more means that it was cut.
 */
size_t str_copy(char *dst, size_t size, const char *src);

/* The same from at most `len` bytes of `src`, up to its first 0 if there is one. */
size_t str_copy_n(char *dst, size_t size, const char *src, size_t len);

/* Whether the `len` bytes at `s` are exactly the string `word`. */
bool str_is(const char *s, size_t len, const char *word);

/* Whether the string `s` begins with `prefix`. */
bool str_begins(const char *s, const char *prefix);

#ifdef __cplusplus
}
#endif

#endif
