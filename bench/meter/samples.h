/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The counters of every CPU, the samples cut out of them by markers, and the report.
 *
 * A sample has two sets of figures: "own", what the CPU of the markers did between them, and
 * "sys", what all CPUs did between the same two moments: the interrupts, idle loops and other work
 * that an operation causes elsewhere, and everything that went on beside it.
 *
 * Context: a CPU's counters and samples are written by its own thread only; another thread's sum
 * or report may read them a little late, but never torn.
 */
#ifndef QUIRE_BENCH_METER_SAMPLES_H
#define QUIRE_BENCH_METER_SAMPLES_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum meter_metric {
	METRIC_INSNS,
	METRIC_LOCKED,
	METRIC_TRANSFERS,
	METRIC_ICR,
	METRIC_LOADS,
	METRIC_STORES,
	METRICS,
};

enum { SAMPLES_CPUS_MAX = 64 };

/* A CPU's counters, on cache lines of their own. */
struct counters {
	uint64_t count[METRICS];
	uint64_t untracked; /* accesses to RAM whose line is not known */
} __attribute__((aligned(128)));

extern struct counters samples_counters[SAMPLES_CPUS_MAX];

/* The plain addition of the owner, which others may watch. */
static inline void counter_add(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

void samples_init(unsigned cpus, const char *file);
/* A begin within an open sample of the same case starts it anew. */
void samples_begin(unsigned cpu, unsigned index);
/* An end without a begin is counted as unmatched and gives no sample. */
void samples_end(unsigned cpu, unsigned index);
/* Writes the file anew. False, with errno set, if that fails. */
bool samples_report(void);

#ifdef __cplusplus
}
#endif

#endif
