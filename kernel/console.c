/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/console.h"

#include "arch/clock.h"
#include "arch/console.h"
#include "kernel/sched/thread.h"
#include "lib/format.h"
#include "smp/percpu.h"

static struct spinlock console_lock = SPINLOCK_INIT("console", LOCK_RANK_CONSOLE);

/* Guarded by console_lock. */
static bool line_open;
static unsigned line_cpu; /* who wrote the open line */

static unsigned console_cpu(void)
{
	return percpu_ready ? arch_cpu_id() : 0;
}

void console_put(const char *text, size_t length)
{
	if (length == 0)
		return;
	arch_console_write(text, length);
	line_open = text[length - 1] != '\n';
	line_cpu = console_cpu();
}

void console_begin(void)
{
	spin_lock(&console_lock);
	if (line_open && line_cpu != console_cpu())
		console_put("\n", 1);
}

bool console_at_line_start(void)
{
	return !line_open;
}

void console_end(void)
{
	spin_unlock(&console_lock);
}

void console_write(const char *text, size_t length)
{
	console_begin();
	console_put(text, length);
	console_end();
}

static void console_put_piece(void *ctx, const char *text, size_t length)
{
	(void)ctx;
	console_put(text, length);
}

void console_printf(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	console_begin();
	format_sink(console_put_piece, NULL, fmt, args);
	console_end();
	va_end(args);
}

/*
 * Devices are polled. Somebody who has just typed may be pasting, faster than the tick, so for a
 * moment the CPU is shared with other threads but not put to sleep.
 */
char console_getchar(void)
{
	enum { AWAKE_NS = 20 * 1000 * 1000, POLL_NS = 5 * 1000 * 1000 };
	static uint64_t awake_until;

	for (;;) {
		int c = arch_console_read();

		if (c >= 0) {
			awake_until = arch_clock_ns() + AWAKE_NS;
			return (char)c;
		}
		if (arch_clock_ns() < awake_until)
			thread_yield();
		else
			thread_sleep_ns(POLL_NS);
	}
}
