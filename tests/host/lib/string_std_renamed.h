/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions of lib/string_std.c as the test calls them. */
#ifndef QUIRE_TESTS_HOST_LIB_STRING_STD_RENAMED_H
#define QUIRE_TESTS_HOST_LIB_STRING_STD_RENAMED_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

void *quire_memcpy(void *dst, const void *src, size_t n);
void *quire_memmove(void *dst, const void *src, size_t n);
void *quire_memset(void *dst, int byte, size_t n);
int quire_memcmp(const void *a, const void *b, size_t n);
void *quire_memchr(const void *s, int byte, size_t n);
size_t quire_strlen(const char *s);
size_t quire_strnlen(const char *s, size_t max);
int quire_strcmp(const char *a, const char *b);
int quire_strncmp(const char *a, const char *b, size_t n);
char *quire_strchr(const char *s, int c);
char *quire_strrchr(const char *s, int c);
char *quire_strstr(const char *s, const char *what);

#ifdef __cplusplus
}
#endif

#endif
