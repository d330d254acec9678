/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a case of the kernel's benchmark is made of, and what it may call. The theory stands in
 * runner.c; names and meanings of the cases in bench/cases.h.
 */
#ifndef QUIRE_BENCH_KERNEL_BENCH_H
#define QUIRE_BENCH_KERNEL_BENCH_H

#include "arch/atomic.h"
#include "bench/cases.h"
#include "bench/kernel/account.h"
#include "bench/kernel/options.h"
#include "bench/kernel/random.h"
#include "smp/spinlock.h"

/* Memory that a worker holds between samples. */
struct bench_slot {
	void *memory; /* NULL: nothing */
	uint64_t size;
};

/* One CPU's part in a run. Its thread's own, except where said. */
struct bench_worker {
	struct bench_run *run;
	unsigned index; /* from 0 */
	unsigned cpu;
	unsigned round;    /* samples finished, the warm-up's included */
	uint32_t barriers; /* start lines crossed */
	bool lost;         /* the others did not come: what it holds may be in their use */
	struct bench_random random;
	struct bench_slot *own; /* test->slots of them; others reach them by bench_slots_of */
	uint32_t *plan;         /* run->ops numbers that test->before may draw */
	uint64_t *ticks;        /* of each sample that counts */
	uint64_t ipi_commands;  /* of all CPUs, during this worker's samples that count */
} QUIRE_ALIGNED(CACHE_LINE);

/*
 * A case. Each function may be NULL except sample, or past. They run in this order:
 *
 *	setup                         once, in the thread of the command
 *	enter                         on each worker
 *	before, then sample           on each worker, 2 + samples times; in between and afterwards
 *	                              all wait for all, so before may look at others' slots
 *	verify                        on each worker, unmarked: is memory what it should be?
 *	leave                         on each worker, after all have verified or given up; also when
 *	                              enter failed half-way
 *	notes                         once; further lines about a run that succeeded
 *	teardown                      once, also when setup failed half-way
 *
 * What returns false has called bench_short or bench_fail, and left things so that leave and
 * teardown can clean up. Thread context, nothing locked.
 */
struct bench_case {
	unsigned index;     /* of bench/cases.h */
	unsigned modes;     /* BENCH_ALONE, BENCH_ALL; the end of a table has none */
	unsigned ops;       /* operations of one sample and worker, */
	unsigned quick_ops; /* and with --quick; 0: the same */
	bool ops_divided;   /* where all work, each does its share of ops, but at least 4 */
	unsigned slots;     /* bench_slots for each worker */
	uint64_t size;      /* the family's own: mostly bytes */
	bool report_ipis;   /* a note tells how many interrupts were sent */
	const char *(*unavailable)(void); /* why it cannot run here; NULL: it can */
	uint64_t (*past)(void); /* instead of all below: ticks of what happened at the boot */
	bool (*setup)(struct bench_run *run);
	bool (*enter)(struct bench_worker *worker);
	bool (*before)(struct bench_worker *worker);
	bool (*sample)(struct bench_worker *worker);
	bool (*verify)(struct bench_worker *worker);
	void (*leave)(struct bench_worker *worker);
	void (*notes)(struct bench_run *run);
	void (*teardown)(struct bench_run *run);
};

/*
 * A case in one mode. (c) constant while workers run  (b) the barrier's lock  (p) problem_lock
 */
struct bench_run {
	const struct bench_case *test;       /* (c) */
	const struct bench_options *options; /* (c) */
	unsigned mode;                       /* (c) BENCH_ALONE or BENCH_ALL */
	unsigned ops;                        /* (c) of one sample and worker */
	unsigned worker_count;               /* (c) */
	struct bench_worker *workers;        /* (c) */

	struct spinlock barrier_lock QUIRE_ALIGNED(CACHE_LINE);
	unsigned expected;   /* (b) workers that exist */
	unsigned arrived;    /* (b) */
	uint64_t generation; /* (b) */
	bool stopped;        /* (b) the last generation was told to stop */
	struct atomic32 line QUIRE_ALIGNED(CACHE_LINE); /* arrivals at the start line, ever */

	struct spinlock problem_lock;
	struct atomic32 outcome; /* enum bench_outcome; written under problem_lock */
	char problem[120];       /* (p) the first one */

	uint64_t figures[2]; /* the case's own, for its notes; worker 0's while workers run */
	struct bench_account account; /* when the last sample was over; worker 0's */
};

enum bench_outcome { BENCH_OK, BENCH_SHORT, BENCH_FAILED };

/* Ends the run: memory is short, which skips the case, or something is wrong. The first word is
 * kept, but a failure replaces a shortage. Both return false. */
bool bench_short(struct bench_run *run, const char *what);
bool bench_fail(struct bench_run *run, const char *fmt, ...) QUIRE_PRINTF(2, 3);

/*
 * The slots that worker works on in this round, when they go round: in each round those of the
 * next worker. Without others always its own.
 */
struct bench_slot *bench_slots_rotating(struct bench_worker *worker);

/* Exchanges the contents of all workers' slots at random. In before, by one worker. */
void bench_slots_shuffle(struct bench_worker *worker);

/* The same for the first `count` of its own; any number of workers. */
void bench_slots_shuffle_own(struct bench_worker *worker, unsigned count);

/* The part of `total` that falls to this worker: all parts together are the total. */
unsigned bench_share(const struct bench_worker *worker, unsigned total);

/* Runs all workers of the run, each in a thread of its CPU, and returns when they have ended. */
void bench_crew_run(struct bench_run *run, void (*main)(struct bench_worker *worker));

/* In the crew: waits, asleep, until all are here. True: the run is to end. */
bool bench_gather(struct bench_worker *worker);

/* After bench_gather: waits, awake, so that all go on at the same moment. */
void bench_start_line(struct bench_worker *worker);

/* Threads that spin on every other CPU, interrupts on, until told not to. */
bool bench_spinners_start(struct bench_run *run);
void bench_spinners_stop(void);

/* Runs the case in one mode, and prints what came out. */
enum bench_outcome bench_case_run(const struct bench_case *test, const char *name,
				  const struct bench_options *options, unsigned mode);

/* The families' tables, ended by an entry without modes. */
extern const struct bench_case bench_cases_page[], bench_cases_zone[], bench_cases_malloc[],
    bench_cases_kmem[], bench_cases_shootdown[], bench_cases_handover[], bench_cases_start[],
    bench_cases_vmalloc[], bench_cases_llfree[];

#endif
