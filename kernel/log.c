/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/log.h"

#include "arch/clock.h"
#include "kernel/console.h"
#include "kernel/log_ring.h"
#include "lib/format.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "smp/percpu.h"

enum { LOG_BYTES = 64 * 1024 };

static struct spinlock log_lock = SPINLOCK_INIT("log", LOCK_RANK_LOG);

/* Guarded by log_lock. */
static char log_bytes[LOG_BYTES];
static struct log_ring ring = {log_bytes, LOG_BYTES, 0};
static bool log_line_open;
static unsigned log_line_cpu;

static bool log_quiet;

void log_set_quiet(bool quiet)
{
	log_quiet = quiet;
}

bool log_is_quiet(void)
{
	return log_quiet;
}

static void log_put(const char *text, size_t length)
{
	log_ring_append(&ring, text, length);
	if (!log_quiet)
		console_put(text, length);
}

static void log_begin_line(void)
{
	char stamp[24];
	uint64_t us = arch_clock_ns() / 1000;
	size_t length = format(stamp, sizeof(stamp), "[%3lu.%06lu] ", us / 1000000, us % 1000000);

	if (!log_quiet && !console_at_line_start())
		console_put("\n", 1);
	log_put(stamp, length < sizeof(stamp) ? length : sizeof(stamp) - 1);
	log_line_open = true;
}

static void log_put_piece(void *ctx, const char *text, size_t length)
{
	(void)ctx;
	while (length > 0) {
		const char *newline = memchr(text, '\n', length);
		size_t part = newline != NULL ? (size_t)(newline - text) + 1 : length;

		if (!log_line_open)
			log_begin_line();
		log_put(text, part);
		log_line_open = newline == NULL;
		text += part;
		length -= part;
	}
}

/* A line that another CPU left open is ended, so that no line has two authors. */
static void log_claim_line(void)
{
	unsigned cpu = percpu_ready ? arch_cpu_id() : 0;

	if (log_line_open && log_line_cpu != cpu) {
		log_ring_append(&ring, "\n", 1);
		log_line_open = false;
	}
	log_line_cpu = cpu;
}

void kprintf(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	spin_lock(&log_lock);
	console_begin();
	log_claim_line();
	format_sink(log_put_piece, NULL, fmt, args);
	console_end();
	spin_unlock(&log_lock);
	va_end(args);
}

void log_show(void)
{
	uint64_t position = 0;
	char part[256];
	size_t length;

	do {
		spin_lock(&log_lock);
		length = log_ring_read(&ring, &position, part, sizeof(part));
		spin_unlock(&log_lock);
		console_write(part, length);
	} while (length > 0);
}
