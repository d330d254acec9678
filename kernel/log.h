/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's log: every line of kprintf (lib/panic.h) with the time since boot, kept in a ring
 * and shown on the console. Any context, from the first instruction of kernel_main on.
 */
#ifndef QUIRE_KERNEL_LOG_H
#define QUIRE_KERNEL_LOG_H

#include "lib/types.h"

/* While quiet, the console shows nothing of the log; the ring has it all. */
void log_set_quiet(bool quiet);
bool log_is_quiet(void);

/* Shows the log on the console. Thread context. */
void log_show(void);

#endif
