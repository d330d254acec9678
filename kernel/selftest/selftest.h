/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The self-test: what only the real machine can show, on all of its CPUs at once.
 *
 * A case is a function that runs in the shell's thread and may send work to every CPU. Anything
 * that fails is noted with selftest_fail(); the first reason counts, and every barrier returns
 * false from then on, so that no CPU waits for one that has given up. Nothing waits for ever.
 */
#ifndef QUIRE_KERNEL_SELFTEST_SELFTEST_H
#define QUIRE_KERNEL_SELFTEST_SELFTEST_H

#include "lib/types.h"

struct selftest_case {
	const char *name; /* theme.what */
	void (*run)(void);
};

/* Each theme's cases, ended by one without a name. */
extern const struct selftest_case selftest_cpus[];
extern const struct selftest_case selftest_sched[];
extern const struct selftest_case selftest_restart[];
extern const struct selftest_case selftest_kmem[];
extern const struct selftest_case selftest_tlb[];
extern const struct selftest_case selftest_ipi[];
extern const struct selftest_case selftest_faults[];
extern const struct selftest_case selftest_wx[];
extern const struct selftest_case selftest_attr[];
extern const struct selftest_case selftest_malloc[];
extern const struct selftest_case selftest_zones[];
extern const struct selftest_case selftest_phys[];
extern const struct selftest_case selftest_maps[];
extern const struct selftest_case selftest_pageable[];
extern const struct selftest_case selftest_waiters[];
extern const struct selftest_case selftest_reclaim[];
extern const struct selftest_case selftest_pressure[];

/* The running case has failed. Any thread; the text is cut to one line. */
void selftest_fail(const char *fmt, ...) QUIRE_PRINTF(1, 2);
bool selftest_failed(void);

/* The running case cannot be tried on this machine, and counts neither way unless it fails. */
void selftest_skip(const char *fmt, ...) QUIRE_PRINTF(1, 2);

/* For vm_audit: each line is a failure. */
void selftest_report(const char *line);

/* Leaves the function when the condition does not hold. */
#define SELFTEST_CHECK(cond)                                                                       \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			selftest_fail("cpu %u, %s:%d: %s", arch_cpu_id(), __FILE__, __LINE__,      \
				      #cond);                                                      \
			return;                                                                    \
		}                                                                                  \
	} while (0)

/*
 * Runs fn(index, count) on every online CPU, in a thread of each; index counts them from 0.
 * Returns when all have ended: true if nothing has failed.
 */
bool selftest_parallel(void (*fn)(unsigned index, unsigned count));

/*
 * In selftest_parallel: waits until all of its threads are here. False as soon as something has
 * failed, and then the caller returns; a CPU that is missing for too long is a failure, too.
 */
bool selftest_barrier(void);

/*
 * Runs fn(index, count) in `per_cpu` (at most SELFTEST_CROWD_MAX) further threads of every online
 * CPU, beside the caller and its selftest_parallel; index counts them all. They take no part in
 * barriers. Returns how many there are, less than asked for after a failure; to be joined before
 * the next crowd.
 */
enum { SELFTEST_CROWD_MAX = 4 };
unsigned selftest_crowd_start(unsigned per_cpu, void (*fn)(unsigned index, unsigned count));
void selftest_crowd_join(void);

/*
 * Sleeps until is_so() is true. False when something has failed, or when it takes too long, which
 * is a failure; `what` names it.
 */
bool selftest_await(bool (*is_so)(void), const char *what);

/* No wait in a case is longer than this without being a failure. */
#define SELFTEST_PATIENCE_NS UINT64_C(30000000000)

#endif
