/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console as the kernel writes to it: one writer at a time, and no line that two CPUs wrote.
 *
 * Text that ends without a newline leaves its line open for the CPU that wrote it; when another
 * CPU writes meanwhile, the line is ended first. Any context; nothing sleeps, except where said.
 */
#ifndef QUIRE_KERNEL_CONSOLE_H
#define QUIRE_KERNEL_CONSOLE_H

#include <stdarg.h>

#include "lib/types.h"

/* Shows text that is not part of the log: what commands print. */
void console_printf(const char *fmt, ...) QUIRE_PRINTF(1, 2);
void console_write(const char *text, size_t length);

/*
 * Sends what the calling thread prints with the two functions above through `filter`, which shows
 * it with console_show, now or later or not at all; NULL ends that. One thread at a time; thread
 * context.
 */
void console_set_filter(void (*filter)(const char *text, size_t length));
void console_show(const char *text, size_t length);

/*
 * For the log: several pieces that belong together. Between begin and end the console's lock is
 * held. console_at_line_start tells
 * whether the next character begins a line.
 */
void console_begin(void);
void console_put(const char *text, size_t length);
bool console_at_line_start(void);
void console_end(void);

/* Waits for a character; sleeps meanwhile. Thread context. */
char console_getchar(void);

/* The same without waiting: -1 when none is there. Any context; one reader at a time. */
int console_poll(void);

#endif
