/* SPDX-License-Identifier: BSD-2-Clause */
/* The shell: commands from a person or from the option run=. */
#ifndef QUIRE_KERNEL_SHELL_H
#define QUIRE_KERNEL_SHELL_H

#include "lib/types.h"

/* Executes `start`, then what a person types, for ever. Thread context. */
QUIRE_NORETURN void shell_interactive(const char *start);

/*
 * Executes all commands of the text, whatever becomes of each, and powers off: with
 * ARCH_EXIT_OK if all succeeded, else ARCH_EXIT_FAILED. Thread context.
 */
QUIRE_NORETURN void shell_run_and_power_off(const char *text);

/* Does somebody sit there, so that output may move about and keys may be asked for? */
bool shell_has_person(void);

/* Powers off with the status that the commands so far deserve; a person always gets OK. */
QUIRE_NORETURN void shell_power_off(void);

#endif
