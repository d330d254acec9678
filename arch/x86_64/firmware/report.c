/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/firmware/report.h"

#include <stdarg.h>

#include "lib/format.h"

void fw_report_add(struct fw_report *report, const char *fmt, ...)
{
	char line[FW_REPORT_LINE_MAX];
	va_list args;

	if (report == NULL)
		return;
	report->count++;
	if (report->show == NULL || report->count > FW_REPORT_LINES)
		return;
	va_start(args, fmt);
	format_v(line, sizeof(line), fmt, args);
	va_end(args);
	report->show(report->ctx, line);
}

unsigned fw_report_hidden(const struct fw_report *report)
{
	if (report->show == NULL || report->count <= FW_REPORT_LINES)
		return 0;
	return report->count - FW_REPORT_LINES;
}
