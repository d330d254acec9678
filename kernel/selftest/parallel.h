/* SPDX-License-Identifier: BSD-2-Clause */
/* For selftest.c: ends every wait in a barrier. */
#ifndef QUIRE_KERNEL_SELFTEST_PARALLEL_H
#define QUIRE_KERNEL_SELFTEST_PARALLEL_H

void parallel_wake(void);

#endif
