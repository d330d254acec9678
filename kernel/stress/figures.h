/* SPDX-License-Identifier: BSD-2-Clause */
/* What a person wants to know while the stress runs: counts, and how much more each second. */
#ifndef QUIRE_KERNEL_STRESS_FIGURES_H
#define QUIRE_KERNEL_STRESS_FIGURES_H

#include "kernel/stress/run.h"
#include "kernel/stress/stress.h"

enum figure {
	FIGURE_STEPS,
	FIGURE_BYTES,       /* verified */
	FIGURE_HANDED,      /* items, to another CPU */
	FIGURE_SHORT,       /* times that memory was short */
	FIGURE_SHOOTDOWNS,  /* requests */
	FIGURE_PAGES_SHOT,  /* pages in them */
	FIGURE_FLUSHES,     /* of everything */
	FIGURE_TARGETS,     /* CPUs asked */
	FIGURE_IPIS,        /* interrupt commands */
	FIGURE_DEFERRED,    /* frees that wait until no CPU knows the addresses, */
	FIGURE_GENERATIONS, /* and rounds of forgetting, begun for many of them */
	FIGURES,
};

struct stress_figures {
	uint64_t sum[FIGURES];     /* since the stress began */
	uint64_t rate[FIGURES];    /* a second, of late */
	uint64_t cpu_rate[MAXCPU]; /* steps a second, by worker */
	uint64_t cpu_rate_max;

	/* Pages, now. */
	uint64_t total, free, magazines, kmem_cached, tables;
	uint64_t quarantined, quarantined_max; /* freed, and still known to some CPU's TLB */

	uint64_t shootdown_wait_ns; /* the longest since boot */
};

/* Workers are there and do not run yet. */
void figures_begin(const struct stress_state *state);

/* As they are now; rates are those of the last call to figures_sample. Thread context. */
const struct stress_figures *figures_now(const struct stress_state *state);

/* Once in a second or so: new rates. */
void figures_sample(const struct stress_state *state);

/* The worst of all workers. */
struct stress_worst figures_worst(const struct stress_state *state, enum stress_timed what);

#endif
