/* SPDX-License-Identifier: BSD-2-Clause */
/* Items of zones. */
#include "kernel/stress/stress.h"

const struct stress_kind stress_kinds_zones[] = {
    {NULL, NULL, 0, NULL, NULL, NULL},
};
