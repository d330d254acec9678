/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Characters to and from a person: every device that the machine has, as one.
 *
 * Works before any allocator and with any lock held. Callers serialise; two CPUs that write at
 * once mix their characters and lose nothing.
 */
#ifndef QUIRE_ARCH_CONSOLE_H
#define QUIRE_ARCH_CONSOLE_H

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* '\n' is turned into what the device wants. Never sleeps. */
void arch_console_write(const char *text, size_t length);

/* One character, or -1 when none waits. Never waits. */
int arch_console_read(void);

#ifdef __cplusplus
}
#endif

#endif
