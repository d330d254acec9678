/* SPDX-License-Identifier: BSD-2-Clause */
/* The errors that the stress found: counted, the first few kept. */
#ifndef QUIRE_KERNEL_STRESS_REPORT_H
#define QUIRE_KERNEL_STRESS_REPORT_H

#include "lib/types.h"

enum { STRESS_ERRORS_KEPT = 8, STRESS_ERROR_MAX = 240 };

/* No errors. `show`: each of the first is printed at once as well. Before the workers start. */
void stress_errors_reset(bool show);

uint32_t stress_error_count(void);

/* Copies the n-th error, from 0; false when there is none, or it is not kept. Any thread. */
bool stress_error_text(unsigned n, char text[STRESS_ERROR_MAX]);

#endif
