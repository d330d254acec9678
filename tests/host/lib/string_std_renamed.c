/* SPDX-License-Identifier: BSD-2-Clause */
#define memcpy  quire_memcpy
#define memmove quire_memmove
#define memset  quire_memset
#define memcmp  quire_memcmp
#define memchr  quire_memchr
#define strlen  quire_strlen
#define strnlen quire_strnlen
#define strcmp  quire_strcmp
#define strncmp quire_strncmp
#define strchr  quire_strchr
#define strrchr quire_strrchr
#define strstr  quire_strstr

/* NOLINTNEXTLINE(bugprone-suspicious-include) */
#include "lib/string_std.c"
