/* SPDX-License-Identifier: BSD-2-Clause */
/* How a CPU joins those that run: for smp.c and for tests of that moment. */
#ifndef QUIRE_SMP_SMP_PRIVATE_H
#define QUIRE_SMP_SMP_PRIVATE_H

#include "arch/atomic.h"
#include "lib/cpuset.h"

#ifdef __cplusplus
extern "C" {
#endif

extern struct atomic64 smp_online[CPUSET_WORDS]; /* atomic; one bit for each CPU */

/* The race of a CPU with its starter; its area is there. Before the CPU is started. */
void smp_join_begin(unsigned cpu);

/* This CPU's side: true, and it goes on to smp_join; false: the starter has given it up. */
bool smp_join_claim(void);

/*
 * The starter's: waits until `limit_ns` after `start_ns`, and then refuses the CPU. True: it is
 * online.
 */
bool smp_join_await(unsigned cpu, uint64_t start_ns, uint64_t limit_ns);

/*
 * This CPU enters the online set and drops every translation from before; see smp.c on why in this
 * order. Interrupts disabled; they are enabled soon.
 */
void smp_join(void);

#ifdef __cplusplus
}
#endif

#endif
