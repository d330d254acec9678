/* SPDX-License-Identifier: BSD-2-Clause */
/* As types.h here: the checks of the shared parts of the benchmark, in Linux. */
#ifndef QUIRE_LIB_CHECK_H
#define QUIRE_LIB_CHECK_H

#include <linux/bug.h>

#define CHECK_LT(a, b) BUG_ON(!((a) < (b)))

#endif
