/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the parsers of firmware input tell what is wrong with it: one line per problem, counted
 * even when nobody listens, and no more than FW_REPORT_LINES of them shown, so that a broken
 * table cannot push the rest of the boot log off the screen.
 *
 * Parsers that may meet the same problem many times count it and report one line at their end.
 * Every parser accepts a NULL report.
 */
#ifndef QUIRE_ARCH_X86_64_FIRMWARE_REPORT_H
#define QUIRE_ARCH_X86_64_FIRMWARE_REPORT_H

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	FW_REPORT_LINES = 32,
	FW_REPORT_LINE_MAX = 160, /* bytes with the final 0; longer lines are cut */
};

struct fw_report {
	/* Takes one line without a newline; NULL to count only. Must not keep `line`. */
	void (*show)(void *ctx, const char *line);
	void *ctx;
	unsigned count;  /* problems so far, shown or not */
	unsigned always; /* of them: by fw_report_always() */
	unsigned hidden; /* of them: not shown, because there were too many */
};

void fw_report_add(struct fw_report *report, const char *fmt, ...) QUIRE_PRINTF(2, 3);

/* The same for what the machine makes of its problems: shown however many lines were before. */
void fw_report_always(struct fw_report *report, const char *fmt, ...) QUIRE_PRINTF(2, 3);

/* Problems that were counted and not shown because there were too many. */
unsigned fw_report_hidden(const struct fw_report *report);

#ifdef __cplusplus
}
#endif

#endif
