/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm/vm_report.h"

#include "lib/format.h"

enum { REPORT_LINE = 160 };

unsigned vm_report(vm_report_fn *report, const char *fmt, ...)
{
	char line[REPORT_LINE];
	va_list args;

	va_start(args, fmt);
	format_v(line, sizeof(line), fmt, args);
	va_end(args);
	report(line);
	return 1;
}
