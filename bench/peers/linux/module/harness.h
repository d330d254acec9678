/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a case runs in Linux.
 *
 * Purpose: the cases of bench/cases.h by Linux's own allocators, so that both kernels can be read
 * side by side: the same operations, as many to a sample, as many samples, the same random choices,
 * the same markers for the meter.
 *
 * Vocabulary: a run is one case in one mode on some CPUs. Alone, one worker runs on CPU 0 and the
 * other CPUs idle; in mode all, each online CPU has a worker, a kernel thread bound to it. Workers
 * do everything in step, each step beginning when all have ended the one before:
 *
 *	setup_cpu, then for each sample (prepare, sample), then drain_cpu
 *
 * Only `sample` stands between the markers. The first BENCH_WARMUPS samples are neither marked nor
 * recorded. Nothing in a sample waits for another worker.
 *
 * Contexts: every hook runs in a kernel thread with interrupts and preemption enabled, as callers
 * of these allocators do; it may sleep, except that `sample` should not for reasons of its own.
 * Work that Linux puts off to another thread of the same CPU counts where it happens to run between
 * markers, which, samples following each other closely, is most of it.
 *
 * Failure: a hook returns 0 or -errno and leaves what it could not finish to drain_cpu and
 * teardown. After a failure all workers still meet at every barrier but skip prepare and sample;
 * the run is reported as `bench: FAIL`, or as `bench: skipped` if memory was short, and the rest of
 * the cases still runs.
 */
#ifndef QUIRE_BENCH_PEERS_LINUX_MODULE_HARNESS_H
#define QUIRE_BENCH_PEERS_LINUX_MODULE_HARNESS_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/completion.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "bench/cases.h"
#include "bench/kernel/random.h"

enum {
	BENCH_WARMUPS = 2,
	BENCH_SAMPLES = 11,
	BENCH_SAMPLES_QUICK = 3,
	BENCH_OPS_MIN = 4, /* where they are divided */
	BENCH_SEED = 1,    /* as in the kernel that is compared */
};

enum bench_mode {
	BENCH_ALONE = 1,
	BENCH_ALL = 2,
};

struct bench_run;

/* One worker. Its own CPU writes it; the others look at it between barriers only. */
struct bench_cpu {
	struct bench_run *run;
	unsigned int number;        /* 0 to run->workers - 1 */
	struct bench_random random; /* its own stream */
	void *state;                /* of the case: what setup_cpu made, drain_cpu frees */
	u64 *ticks;                 /* of each recorded sample */
	unsigned int round;         /* samples finished, warm-ups included */
	unsigned int lines;         /* start lines crossed */
} ____cacheline_aligned; /* what others write meanwhile must not count as this one's transfers */

struct bench_case {
	unsigned int index;     /* BENCH_... */
	unsigned int modes;     /* BENCH_ALONE, BENCH_ALL or both; 0 means both */
	unsigned int ops;       /* operations to a sample and worker, */
	unsigned int quick_ops; /* and with quick=1; 0: the same */
	bool ops_divided;       /* they are divided among the workers, as each disturbs all */
	unsigned long size;     /* the case's own: bytes, pages or the like */

	/* Each may be NULL except sample. */
	const char *(*unavailable)(void);    /* why it cannot run here; NULL: it can */
	int (*setup)(struct bench_run *run); /* once, before the workers */
	int (*setup_cpu)(struct bench_cpu *cpu);
	int (*prepare)(struct bench_cpu *cpu);
	int (*sample)(struct bench_cpu *cpu);
	void (*notes)(struct bench_run *run);     /* once, further lines on a run that succeeded */
	void (*drain_cpu)(struct bench_cpu *cpu); /* also after a failure */
	void (*teardown)(struct bench_run *run); /* once, after the workers; also after a failure */
};

struct bench_run {
	const struct bench_case *what;
	enum bench_mode mode;
	unsigned int workers;
	unsigned int samples;   /* recorded ones, of each worker */
	unsigned int ops;       /* of one sample and worker */
	struct bench_cpu *cpus; /* workers of them */
	u64 figures[2];         /* the case's own, for its notes */
	void *state;            /* of the case: what setup made, teardown frees */
	int error;              /* the first failure */

	/* Written while others still take their samples. */
	atomic_t running ____cacheline_aligned; /* workers that have not ended */
	struct completion done;                 /* running is 0 */
	atomic_t arrived;                       /* workers asleep in gather */
	unsigned int gathered; /* how often all have been there; gather_wait's lock */
	wait_queue_head_t gather_wait;
	atomic_t line; /* arrivals at the start line, ever */
};

/* An entry of a table of cases. run.sh --list reads the line that it begins on. */
/* clang-format off */
#define LINUX_CASE(id, ...) { .index = BENCH_##id, __VA_ARGS__ }
#define LINUX_CASE_END { .sample = NULL }
/* clang-format on */

/* Each ends with LINUX_CASE_END. */
extern const struct bench_case empty_cases[], page_cases[], item_cases[], kmem_cases[],
    shootdown_cases[], handover_cases[], start_cases[], vmalloc_cases[], llfree_cases[],
    trace_malloc_cases[], trace_zone_cases[];

/*
 * Runs one case and prints its line, or why there is none. Sleeps. Returns 0 or -errno, also
 * that of the case.
 */
int bench_run_case(const struct bench_case *what, enum bench_mode mode, bool quick);

/* The name in bench/cases.h; NULL for an index that is not there. */
const char *bench_case_name(unsigned int index);

static inline const char *bench_mode_name(enum bench_mode mode)
{
	return mode == BENCH_ALL ? "all" : "alone";
}

#endif
