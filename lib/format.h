/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Formatted text into a bounded buffer or into a sink.
 *
 * Understood: %d %i %u %x %X %o %c %s %p %%, the flags - 0 + space #, width and precision (also
 * as *), and the lengths hh h l ll z j t. There is no floating point and no %n: an unknown
 * conversion is printed as it stands and takes no argument. A null string prints as (null).
 * Widths and precisions above FORMAT_WIDTH_MAX count as FORMAT_WIDTH_MAX, so that a wrong one
 * cannot keep a console busy for minutes.
 *
 * Context: any; nothing is allocated, locked or kept between calls.
 */
#ifndef QUIRE_LIB_FORMAT_H
#define QUIRE_LIB_FORMAT_H

#include <stdarg.h>

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { FORMAT_WIDTH_MAX = 4096 };

/* Takes the next `n` bytes of the text, which end with no 0; `n` is never 0. */
typedef void (*format_put_t)(void *ctx, const char *s, size_t n);

/* Hands the text to `put` piece by piece; returns its length in bytes. */
size_t format_sink(format_put_t put, void *ctx, const char *fmt, va_list args) QUIRE_PRINTF(3, 0);

/*
 * Both return the length that the whole text has, without the final 0. What does not fit into
 * `size` bytes is cut; the result always ends with 0 unless `size` is 0 (then `buf` may be NULL).
 */
size_t format_v(char *buf, size_t size, const char *fmt, va_list args) QUIRE_PRINTF(3, 0);
size_t format(char *buf, size_t size, const char *fmt, ...) QUIRE_PRINTF(3, 4);

#ifdef __cplusplus
}
#endif

#endif
