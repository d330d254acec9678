/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Planted bugs: mistakes that the schedule explorer must find. A search that has never found
 * anything proves nothing; each rule of a protocol that matters has a switch which breaks it.
 *
 *	if (!PLANTED(ack_before_flush))
 *		flush();
 *	acknowledge();
 *	if (PLANTED(ack_before_flush))
 *		flush();
 *
 * Only the build flavour QUIRE_PLANTS has the switches, and there at most one is on, by its name.
 * Everywhere else PLANTED() is the constant 0 and the compiler removes what it guards.
 * tests/explore/README.md says how to add one. Any context.
 */
#ifndef QUIRE_LIB_PLANTED_H
#define QUIRE_LIB_PLANTED_H

#include "lib/types.h"

#ifdef QUIRE_PLANTS

#ifdef __cplusplus
extern "C" {
#endif

/* Supplied by the program that explores. */
bool planted_is_on(const char *name);

#ifdef __cplusplus
}
#endif

#define PLANTED(name) unlikely(planted_is_on(#name))

#else

#define PLANTED(name) 0

#endif

#endif
