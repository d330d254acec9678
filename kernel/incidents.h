/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What CPUs are told without having asked is put into words here, and acted upon.
 */
#ifndef QUIRE_KERNEL_INCIDENTS_H
#define QUIRE_KERNEL_INCIDENTS_H

#include "lib/types.h"

/* Starts the thread that does it. Thread context, once, when memory can be had. */
void incidents_init(void);

/* The tick of every CPU: that of the scheduler, and a look around once a second. */
void incidents_tick(void);

/* Machine checks that were survived since boot. Any context. */
struct incidents_counts {
	uint64_t corrected, uncorrected;
};
void incidents_counts(struct incidents_counts *counts);

#endif
