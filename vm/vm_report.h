/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How audits say what they found.
 */
#ifndef QUIRE_VM_VM_REPORT_H
#define QUIRE_VM_VM_REPORT_H

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef void vm_report_fn(const char *line);

/* Formats one line (cut at 160 bytes) and hands it to `report`. Returns 1: a broken rule more. */
unsigned vm_report(vm_report_fn *report, const char *fmt, ...) QUIRE_PRINTF(2, 3);

#ifdef __cplusplus
}
#endif

#endif
