/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel options: a table of names, and what to do with each. Pure, apart from the handlers.
 * The syntax is that of lib/cmdline.h.
 */
#ifndef QUIRE_KERNEL_OPTIONS_H
#define QUIRE_KERNEL_OPTIONS_H

#include "lib/cmdline.h"
#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { OPTION_VALUE_MAX = 1024 }; /* bytes with the final 0; longer values are refused */

struct option {
	const char *name;
	const char *value; /* what follows the '=', for the help; NULL for an option without */
	const char *help;
	/* Takes the value, "" without one. Returns NULL, or why it is not taken. */
	const char *(*set)(const char *value);
};

/*
 * Applies every option of the line, in order. What is unknown or malformed is ignored, with one
 * line through `report` that names it; but unknown dotted names are left to tunables_apply()
 * (kernel/tunables.h).
 */
void options_apply(const struct option *table, size_t count, const char *line,
		   void (*report)(const char *text));

/* The entry of the table that a well-formed option names, or NULL. */
const struct option *option_find(const struct option *table, size_t count,
				 const struct cmdline_option *option);

/* Whether a well-formed option has a name of several words with dots between them. */
bool option_is_dotted(const struct cmdline_option *option);

void option_report_ignored(const struct cmdline_option *option, const char *problem,
			   void (*report)(const char *text));
void option_report_unknown(const struct cmdline_option *option, void (*report)(const char *text));

#ifdef __cplusplus
}
#endif

#endif
