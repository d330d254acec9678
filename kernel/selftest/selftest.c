/* SPDX-License-Identifier: BSD-2-Clause */
/* The command selftest: choosing cases, running them, counting. */
#include "kernel/selftest/selftest.h"

#include "kernel/command.h"
#include "kernel/console.h"
#include "kernel/sched/sleepq.h"
#include "kernel/selftest/parallel.h"
#include "lib/format.h"
#include "lib/string.h"

static const struct selftest_case *const themes[] = {
    selftest_cpus,    selftest_sched,    selftest_restart, selftest_kmem,     selftest_tlb,
    selftest_ipi,     selftest_faults,   selftest_wx,      selftest_attr,     selftest_malloc,
    selftest_zones,   selftest_phys,     selftest_maps,    selftest_pageable, selftest_waiters,
    selftest_reclaim, selftest_pressure,
};

static struct spinlock reason_lock = SPINLOCK_INIT("selftest reason", LOCK_RANK_KERNEL);
static char reason[200]; /* guarded by reason_lock; empty: nothing has failed */
static struct atomic32 failed;
static char skip_reason[100]; /* the shell's thread only; empty: the case was tried */

enum outcome { PASSED, FAILED, SKIPPED, OUTCOMES };

void selftest_fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	spin_lock(&reason_lock);
	if (reason[0] == '\0')
		format_v(reason, sizeof(reason), fmt, args);
	spin_unlock(&reason_lock);
	va_end(args);
	atomic32_store(&failed, 1, MO_RELEASE);
	parallel_wake();
}

bool selftest_failed(void)
{
	return atomic32_load(&failed, MO_ACQUIRE) != 0;
}

void selftest_skip(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	format_v(skip_reason, sizeof(skip_reason), fmt, args);
	va_end(args);
}

void selftest_report(const char *line)
{
	selftest_fail("audit: %s", line);
}

/* Is the case asked for? A name stands for itself and for what it begins, up to a dot. */
static bool case_chosen(const struct selftest_case *test, int argc, char **argv)
{
	if (argc == 1)
		return true;
	for (int i = 1; i < argc; i++) {
		size_t length = strlen(argv[i]);

		if (str_begins(test->name, argv[i]) &&
		    (test->name[length] == '\0' || test->name[length] == '.'))
			return true;
	}
	return false;
}

static enum outcome case_run(const struct selftest_case *test)
{
	reason[0] = '\0';
	skip_reason[0] = '\0';
	atomic32_store(&failed, 0, MO_RELEASE);
	test->run();
	if (selftest_failed()) {
		console_printf("selftest: case %s FAILED: %s\n", test->name, reason);
		return FAILED;
	}
	if (skip_reason[0] != '\0') {
		console_printf("selftest: case %s skipped: %s\n", test->name, skip_reason);
		return SKIPPED;
	}
	console_printf("selftest: case %s ok\n", test->name);
	return PASSED;
}

static void summarise(const unsigned counts[OUTCOMES])
{
	console_printf("selftest: %u passed, %u failed", counts[PASSED], counts[FAILED]);
	if (counts[SKIPPED] != 0)
		console_printf(", %u skipped", counts[SKIPPED]);
	console_printf("\n");
}

int cmd_selftest(int argc, char **argv)
{
	unsigned counts[OUTCOMES] = {0};

	for (size_t i = 0; i < nitems(themes); i++)
		for (const struct selftest_case *test = themes[i]; test->name != NULL; test++)
			if (case_chosen(test, argc, argv))
				counts[case_run(test)]++;
	if (counts[PASSED] + counts[FAILED] + counts[SKIPPED] == 0) {
		console_printf("quire: selftest: no case has such a name\n");
		return 1;
	}
	summarise(counts);
	return counts[FAILED] != 0;
}
