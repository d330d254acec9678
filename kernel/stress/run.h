/* SPDX-License-Identifier: BSD-2-Clause */
/* One run of the stress, from the command's words to the verdict. */
#ifndef QUIRE_KERNEL_STRESS_RUN_H
#define QUIRE_KERNEL_STRESS_RUN_H

#include "lib/types.h"

struct stress_options {
	uint64_t seconds; /* 0: until somebody ends it */
	uint64_t seed;
	bool live; /* a dashboard, with keys; else lines of progress */
};

/* How far it is. */
struct stress_state {
	struct stress_options options;
	unsigned workers;
	uint64_t elapsed_ns;
	uint64_t passes;   /* that were finished */
	unsigned scenario; /* index into the programme */
	bool paused;
	bool ended_by_key;
};

/* Runs the programme (scenario.h); returns 0 when nothing was wrong. One at a time. */
int stress_run(const struct stress_options *options);

/* Tells all workers to end. Any context. */
void stress_stop(void);
void stress_pause(bool paused);

#endif
