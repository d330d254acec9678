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

/*
 * This CPU enters the online set and drops every translation from before; see smp.c on why in this
 * order. Interrupts disabled; they are enabled soon.
 */
void smp_join(void);

#ifdef __cplusplus
}
#endif

#endif
