/* SPDX-License-Identifier: BSD-2-Clause */
/* What the stress prints: its beginning, lines of progress, and the summary that remains. */
#ifndef QUIRE_KERNEL_STRESS_SUMMARY_H
#define QUIRE_KERNEL_STRESS_SUMMARY_H

#include "kernel/stress/run.h"

void summary_begin(const struct stress_state *state);
void stress_show_progress(const struct stress_state *state);

/* Ends with one line, "stress: PASS ..." or "stress: FAIL ...". */
void summary_end(const struct stress_state *state);

#endif
