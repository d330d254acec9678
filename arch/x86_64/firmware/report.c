/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/firmware/report.h"

#include <stdarg.h>

#include "lib/format.h"

static void show_line(struct fw_report *report, const char *fmt, va_list args)
{
	char line[FW_REPORT_LINE_MAX];

	format_v(line, sizeof(line), fmt, args);
	report->show(report->ctx, line);
}

void fw_report_add(struct fw_report *report, const char *fmt, ...)
{
	va_list args;

	if (report == NULL)
		return;
	report->count++;
	if (report->show == NULL)
		return;
	if (report->count - report->always > FW_REPORT_LINES) {
		report->hidden++;
		return;
	}
	va_start(args, fmt);
	show_line(report, fmt, args);
	va_end(args);
}

void fw_report_always(struct fw_report *report, const char *fmt, ...)
{
	va_list args;

	if (report == NULL)
		return;
	report->count++;
	report->always++;
	if (report->show == NULL)
		return;
	va_start(args, fmt);
	show_line(report, fmt, args);
	va_end(args);
}

unsigned fw_report_hidden(const struct fw_report *report)
{
	return report->hidden;
}
