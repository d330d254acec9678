/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/stress/report.h"

#include <stdarg.h>

#include "kernel/console.h"
#include "kernel/stress/run.h"
#include "kernel/stress/stress.h"
#include "lib/format.h"
#include "lib/string.h"
#include "lib/trace.h"

static struct spinlock lock = SPINLOCK_INIT("stress errors", LOCK_RANK_KERNEL);

/* Guarded by lock. */
static char texts[STRESS_ERRORS_KEPT][STRESS_ERROR_MAX];
static uint32_t count;

static bool show_at_once; /* constant while workers run */

void stress_errors_reset(bool show)
{
	count = 0;
	show_at_once = show;
}

void stress_error(const char *fmt, ...)
{
	char text[STRESS_ERROR_MAX];
	uint32_t mine;
	va_list args;

	va_start(args, fmt);
	format_v(text, sizeof(text), fmt, args);
	va_end(args);
	spin_lock(&lock);
	mine = count++;
	if (mine < STRESS_ERRORS_KEPT)
		str_copy(texts[mine], sizeof(texts[mine]), text);
	spin_unlock(&lock);
	if (mine < STRESS_ERRORS_KEPT && show_at_once)
		console_printf("stress: ERROR: %s\n", text);
	trace(TRACE_ERROR, mine + 1, 0);
	stress_stop();
}

uint32_t stress_error_count(void)
{
	uint32_t now;

	spin_lock(&lock);
	now = count;
	spin_unlock(&lock);
	return now;
}

bool stress_error_text(unsigned n, char text[STRESS_ERROR_MAX])
{
	bool kept;

	spin_lock(&lock);
	kept = n < count && n < STRESS_ERRORS_KEPT;
	if (kept)
		str_copy(text, STRESS_ERROR_MAX, texts[n]);
	spin_unlock(&lock);
	return kept;
}
