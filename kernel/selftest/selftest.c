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
    selftest_cpus, selftest_sched, selftest_kmem, selftest_tlb, selftest_faults, selftest_wx,
};

static struct spinlock reason_lock = SPINLOCK_INIT("selftest reason", LOCK_RANK_KERNEL);
static char reason[200]; /* guarded by reason_lock; empty: nothing has failed */
static struct atomic32 failed;

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

static bool case_run(const struct selftest_case *test)
{
	reason[0] = '\0';
	atomic32_store(&failed, 0, MO_RELEASE);
	test->run();
	if (!selftest_failed())
		console_printf("selftest: case %s ok\n", test->name);
	else
		console_printf("selftest: case %s FAILED: %s\n", test->name, reason);
	return !selftest_failed();
}

int cmd_selftest(int argc, char **argv)
{
	unsigned passed = 0, lost = 0;

	for (size_t i = 0; i < nitems(themes); i++) {
		for (const struct selftest_case *test = themes[i]; test->name != NULL; test++) {
			if (!case_chosen(test, argc, argv))
				continue;
			if (case_run(test))
				passed++;
			else
				lost++;
		}
	}
	if (passed + lost == 0) {
		console_printf("quire: selftest: no case has such a name\n");
		return 1;
	}
	console_printf("selftest: %u passed, %u failed\n", passed, lost);
	return lost != 0;
}
