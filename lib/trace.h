/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events for the trace: what happened when, on which CPU, with two numbers. For slow paths: while
 * nobody records, an event costs a load and a branch, and so it stands in no path that a cache
 * serves. kernel/trace.c records; without it, as in host tests, events go nowhere.
 */
#ifndef QUIRE_LIB_TRACE_H
#define QUIRE_LIB_TRACE_H

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What its two numbers mean: trace_events[] of kernel/trace.c. */
enum trace_event {
	TRACE_NONE,
	TRACE_COMMAND,     /* address of the name; words */
	TRACE_COMMAND_END, /* address of the name; status */
	TRACE_THREAD,      /* address of the name, CPU */
	TRACE_THREAD_END,  /* address of the name, CPU */
	TRACE_FAULT,       /* address; 1 if it was resolved */
	TRACE_LOWMEM,      /* free pages */
	TRACE_SCENARIO,    /* address of the name; pass */
	TRACE_ERROR,       /* of the stress: how many so far */
	TRACE_SHOOTDOWN,   /* first address, end */
	TRACE_DRAIN,       /* pages given back */
	TRACE_PAGE_WAIT,   /* free pages */
	TRACE_EVENTS,
};

/* Any context. Set by the recorder while it records; NULL otherwise. */
typedef void trace_recorder(enum trace_event event, uint64_t a, uint64_t b);
extern trace_recorder *volatile trace_record;

static inline void trace(enum trace_event event, uint64_t a, uint64_t b)
{
	trace_recorder *record = trace_record;

	if (record != NULL)
		record(event, a, b);
}

#ifdef __cplusplus
}
#endif

#endif
