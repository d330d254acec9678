/* SPDX-License-Identifier: BSD-2-Clause */
/* What help says about a command beyond its one line, and whether its output is paged. */
#ifndef QUIRE_KERNEL_MANUAL_H
#define QUIRE_KERNEL_MANUAL_H

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct manual {
	const char *name;
	bool paged;          /* a list: a person reads it a page at a time */
	const char *more;    /* lines, each with its newline; "" without */
	const char *example; /* what to type */
	const char *effect;  /* what it does then */
};

/* The entry of a command, or NULL. */
const struct manual *manual_find(const char *name);

#ifdef __cplusplus
}
#endif

#endif
