/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two ways in which any layer speaks to a person. The layers below the kernel declare no
 * console of their own: whoever links them supplies these two functions (kernel/ on the machine,
 * arch/host in a test program).
 */
#ifndef QUIRE_LIB_PANIC_H
#define QUIRE_LIB_PANIC_H

#include <stdarg.h>

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Prints the message with registers, locks and a backtrace, stops every CPU, and never returns.
 * Callable from any context, with any lock held.
 */
QUIRE_NORETURN void panic(const char *fmt, ...) QUIRE_PRINTF(1, 2);

/* Adds to the log and the console. Any context but an NMI; never sleeps. */
void kprintf(const char *fmt, ...) QUIRE_PRINTF(1, 2);

#ifdef __cplusplus
}
#endif

#endif
