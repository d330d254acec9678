/* SPDX-License-Identifier: BSD-2-Clause */
/* From a code address to the function that it lies in. Any context; nothing is locked. */
#ifndef QUIRE_KERNEL_SYMBOLS_H
#define QUIRE_KERNEL_SYMBOLS_H

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct symbol_table {
	uint32_t count;
	const uint32_t *offsets; /* of the functions from the image's base, ascending */
	const uint32_t *names;   /* where their names begin in strings */
	const char *strings;
};

/* The function at or below `offset`, and the distance from its start; NULL if there is none. */
const char *symbol_lookup(const struct symbol_table *table, uint64_t offset, uint64_t *distance);

enum { SYMBOL_TEXT_MAX = 96 };

/* "name+0x1f", or "?" for an address outside of the image's functions; cut to `size` bytes. */
void symbol_format(const struct symbol_table *table, uint64_t base, uint64_t pc, char *buf,
		   size_t size);

/* Makes this image's names known to messages (lib/symbol.h). */
void symbols_init(void);

/* The table that the build put into this image; see bazel/kernel.bzl. */
struct symbol_table kernel_symbols(void);

#ifdef __cplusplus
}
#endif

#endif
