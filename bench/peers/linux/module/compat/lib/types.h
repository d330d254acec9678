/* SPDX-License-Identifier: BSD-2-Clause */
/* What the shared parts of the benchmark (bench/kernel/random.c, stats.c) need, in Linux. */
#ifndef QUIRE_LIB_TYPES_H
#define QUIRE_LIB_TYPES_H

#include <linux/types.h>

#define UINT64_C(value) value##ULL

#endif
