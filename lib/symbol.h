/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Code addresses in messages, with a name where somebody knows it. Any context; nothing is locked.
 */
#ifndef QUIRE_LIB_SYMBOL_H
#define QUIRE_LIB_SYMBOL_H

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { SYMBOL_TEXT_SIZE = 64 };

/*
 * "function+0x1f" of a code address, or the address as a number when nobody knows better; cut to
 * `size` bytes with the final 0. Returns text.
 */
const char *symbol_text(uintptr_t pc, char *text, size_t size);

/* Tells who knows the names; once, by whoever has them. NULL: nobody. */
void symbol_set_resolver(void (*resolve)(uintptr_t pc, char *text, size_t size));

#ifdef __cplusplus
}
#endif

#endif
