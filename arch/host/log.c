/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the code under test says: kprintf() goes to a buffer, and with QUIRE_VERBOSE in the
 * environment to stderr as well; panic() goes to stderr and aborts the test program.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "arch/host/internal.h"
#include "lib/string.h"

enum { LINE_MAX_BYTES = 1024, LOG_BYTES = 256 * 1024 };

static struct host_latch log_latch;
static char log_text[LOG_BYTES + 1]; /* always ends with 0 */
static size_t log_used;

/* Byte by byte: the thread sanitizer sees memcpy() and would take it for the program's. */
static void bytes_move(char *to, const char *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((volatile char *)to)[i] = from[i];
}

/* When full, the older half goes. */
static void log_add_locked(const char *text, size_t n)
{
	if (log_used + n > LOG_BYTES) {
		size_t gone = log_used / 2;

		bytes_move(log_text, log_text + gone, log_used - gone);
		log_used -= gone;
	}
	bytes_move(log_text + log_used, text, n);
	log_used += n;
	log_text[log_used] = '\0';
}

static size_t line_length(int printed)
{
	if (printed < 0)
		return 0;
	return printed < LINE_MAX_BYTES ? (size_t)printed : LINE_MAX_BYTES - 1;
}

static void say(const char *text, size_t n)
{
	while (n > 0) {
		ssize_t written = write(STDERR_FILENO, text, n);

		if (written <= 0)
			return;
		text += written;
		n -= (size_t)written;
	}
}

static bool verbose(void)
{
	return getenv("QUIRE_VERBOSE") != NULL;
}

void kprintf(const char *fmt, ...)
{
	char line[LINE_MAX_BYTES];
	va_list args;
	size_t n;

	va_start(args, fmt);
	n = line_length(vsnprintf(line, sizeof(line), fmt, args));
	va_end(args);
	host_latch_take(&log_latch);
	log_add_locked(line, n);
	host_latch_drop(&log_latch);
	if (verbose())
		say(line, n);
}

const char *host_log(void)
{
	return log_text;
}

void host_log_clear(void)
{
	host_latch_take(&log_latch);
	log_used = 0;
	log_text[0] = '\0';
	host_latch_drop(&log_latch);
}

void host_log_reset(void)
{
	host_log_clear();
}

static QUIRE_PRINTF(1, 2) void complain(const char *fmt, ...)
{
	char line[LINE_MAX_BYTES];
	va_list args;

	va_start(args, fmt);
	say(line, line_length(vsnprintf(line, sizeof(line), fmt, args)));
	va_end(args);
}

static const char *hook_name(enum arch_hook_kind kind)
{
	static const char *const names[] = {"atomic", "lock", "relax", "irq", "ipi", "pte", "tlb"};

	return kind < nitems(names) ? names[kind] : "?";
}

void host_print_cpus(void)
{
	static const char *const states[] = {"off", "active", "idle", "halted"};

	for (unsigned i = 0; i < host_machine->config.cpus; i++) {
		const struct host_cpu *cpu = &host_machine->cpus[i];

		complain("  CPU %u%s: %s, interrupts %s, pending %#x, depth %u, preempt %u, last "
			 "hook %s at %p\n",
			 i, cpu == host_self() ? " (this)" : "", states[cpu->state],
			 cpu->core.irq_enabled ? "on" : "off", cpu->core.pending,
			 cpu->core.percpu->irq_depth, cpu->core.percpu->preempt_count,
			 hook_name(cpu->last_kind), (const void *)(uintptr_t)cpu->last_where);
	}
}

static void print_machine(void)
{
	complain("host machine: seed %lu, %s, %lu steps, CPU %u of %u\n",
		 (unsigned long)host_machine->config.seed,
		 host_is_threads() ? "threads" : "coroutines", (unsigned long)host_machine->steps,
		 host_self() != NULL ? host_self()->id : MAXCPU, host_machine->config.cpus);
	host_print_cpus();
}

static void (*panic_handler)(const char *message);

void host_set_panic_handler(void (*handler)(const char *message))
{
	panic_handler = handler;
}

/* Of libgcov, in programs that count coverage: what a death test ran counts as well. */
void __gcov_dump(void) __attribute__((weak));

void panic(const char *fmt, ...)
{
	static uint32_t panicking;
	char line[LINE_MAX_BYTES];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (panic_handler != NULL)
		panic_handler(line);
	complain("panic: %s\n", line);
	if (__atomic_exchange_n(&panicking, 1, __ATOMIC_RELAXED) == 0 && host_machine != NULL &&
	    host_core != NULL) {
		arch_cpus_stop_others();
		print_machine();
		if (log_used != 0 && !verbose())
			complain("log:\n%s\n", log_text + (log_used > 4000 ? log_used - 4000 : 0));
	}
	if (__gcov_dump != NULL)
		__gcov_dump();
	abort();
}
