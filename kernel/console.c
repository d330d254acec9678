/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/console.h"

#include "arch/clock.h"
#include "arch/console.h"
#include "kernel/sched/thread.h"
#include "lib/format.h"
#include "smp/percpu.h"
#include "smp/preempt.h"

static struct spinlock console_lock = SPINLOCK_INIT("console", LOCK_RANK_CONSOLE);

/* Guarded by console_lock. */
static bool line_open;
static unsigned line_cpu; /* who wrote the open line */

/* Written by the thread whose output it is; others compare the thread, and find another. */
static void (*filter)(const char *text, size_t length);
static const struct thread *filtered_thread;

enum { FILTERED_MAX = 512 }; /* bytes of one console_printf of that thread; the rest is cut */

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

void console_set_filter(void (*function)(const char *text, size_t length))
{
	filtered_thread = function != NULL ? thread_current() : NULL;
	filter = function;
}

static bool console_is_filtered(void)
{
	return percpu_ready && filtered_thread != NULL && filtered_thread == thread_current() &&
	       !in_interrupt();
}

void console_show(const char *text, size_t length)
{
	console_begin();
	console_put(text, length);
	console_end();
}

void console_write(const char *text, size_t length)
{
	if (console_is_filtered())
		filter(text, length);
	else
		console_show(text, length);
}

static QUIRE_PRINTF(1, 0) void console_printf_filtered(const char *fmt, va_list args)
{
	char text[FILTERED_MAX];
	size_t length = format_v(text, sizeof(text), fmt, args);

	filter(text, length < sizeof(text) ? length : sizeof(text) - 1);
}

static void console_put_piece(void *ctx, const char *text, size_t length)
{
	(void)ctx;
	console_put(text, length);
}

static QUIRE_PRINTF(1, 0) void console_printf_shown(const char *fmt, va_list args)
{
	console_begin();
	format_sink(console_put_piece, NULL, fmt, args);
	console_end();
}

void console_printf(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	if (console_is_filtered())
		console_printf_filtered(fmt, args);
	else
		console_printf_shown(fmt, args);
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

int console_poll(void)
{
	return arch_console_read();
}
