/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of a schedule that fails, and with it of the process. In a worker the failure is written
 * down for the parent; in a replay it is printed below the trace.
 */
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/string.h"
#include "tests/explore/engine/engine.h"

enum { SIGNAL_STACK_BYTES = 64 * 1024 };

static struct failure *record;
static bool catching, failing;

static void write_down(const char *message)
{
	uint32_t nobody = 0;

	if (!__atomic_compare_exchange_n(&record->valid, &nobody, 1, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_RELAXED))
		return;
	str_copy(record->scenario, sizeof(record->scenario), schedule_now.scenario->name);
	record->strategy[0] = '\0';
	if (schedule_now.strategy != NULL)
		str_copy(record->strategy, sizeof(record->strategy), schedule_now.strategy->name);
	else
		exhaustive_path(record->path, sizeof(record->path));
	record->seed = schedule_now.seed;
	record->tried = schedule_now.tried;
	snprintf(record->message, sizeof(record->message), "%s%s%s", message,
		 schedule_now.phase != NULL ? ", in " : "",
		 schedule_now.phase != NULL ? schedule_now.phase : "");
	__atomic_store_n(&record->valid, 2, __ATOMIC_RELEASE);
}

static void describe_line(const char *line)
{
	printf("    %s\n", line);
}

static void print(const char *message)
{
	trace_print(stdout);
	printf("FAILED: %s\n", message);
	if (schedule_now.scenario != NULL && schedule_now.scenario->describe != NULL)
		schedule_now.scenario->describe(describe_line);
	fflush(stdout);
}

static QUIRE_NORETURN void fail(const char *message)
{
	if (!failing) {
		failing = true;
		if (record != NULL)
			write_down(message);
		else
			print(message);
	}
	_exit(EXIT_FOUND);
}

static void on_panic(const char *message)
{
	if (catching)
		fail(message);
}

void explore_fail(const char *fmt, ...)
{
	char message[EXPLORE_MESSAGE_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	if (!catching)
		panic("%s", message);
	fail(message);
}

static void on_signal(int number, siginfo_t *info, void *context)
{
	char message[EXPLORE_MESSAGE_MAX];

	(void)context;
	snprintf(message, sizeof(message), "crash: %s at address %p", strsignal(number),
		 info->si_addr);
	fail(message);
}

void failure_catch(struct failure *where)
{
	record = where;
	catching = true;
	host_set_panic_handler(on_panic);
}

void failure_catch_signals(void)
{
	static const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
	stack_t stack = {.ss_sp = malloc(SIGNAL_STACK_BYTES), .ss_size = SIGNAL_STACK_BYTES};
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = on_signal;
	action.sa_flags = SA_SIGINFO | SA_ONSTACK;
	CHECK(stack.ss_sp != NULL);
	CHECK_EQ(sigaltstack(&stack, NULL), 0);
	for (unsigned i = 0; i < nitems(numbers); i++)
		CHECK_EQ(sigaction(numbers[i], &action, NULL), 0);
}
