/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long a CPU waits for another one before it speaks up, and before it gives up.
 *
 * Every wait for another CPU is bounded by this. Both bounds need time and turns: a machine that
 * was suspended sees its clock jump while nobody had a chance to answer.
 */
#ifndef QUIRE_SMP_PATIENCE_H
#define QUIRE_SMP_PATIENCE_H

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NS_PER_SECOND UINT64_C(1000000000)
#define NS_PER_MS     UINT64_C(1000000)

enum patience_verdict {
	PATIENCE_WAIT, /* go on */
	PATIENCE_WARN, /* warn_ns more have passed: tell somebody, then go on */
	PATIENCE_OUT,  /* limit_ns have passed: stop waiting */
};

struct patience {
	uint64_t warn_ns;
	uint64_t limit_ns;
	uint64_t start_ns; /* 0 until the first look at the clock */
	uint64_t next_warn_ns;
	uint64_t turns;
};

/* Any context. */
void patience_start(struct patience *patience, uint64_t warn_ns, uint64_t limit_ns);

/* One turn of a wait loop: lets others run, then says whether to go on. */
enum patience_verdict patience_turn(struct patience *patience);

/* Nanoseconds waited so far; 0 in the first few turns. */
uint64_t patience_waited_ns(const struct patience *patience);

#ifdef __cplusplus
}
#endif

#endif
