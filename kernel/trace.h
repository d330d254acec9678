/* SPDX-License-Identifier: BSD-2-Clause */
/* The recorder of lib/trace.h: a ring of events for each CPU, and the command that shows them. */
#ifndef QUIRE_KERNEL_TRACE_H
#define QUIRE_KERNEL_TRACE_H

#include "lib/trace.h"

/* The first 8 characters of a name that does not live as long as the trace. */
uint64_t trace_name(const char *name);

/* Begins to record, with rings that are allocated once; false without memory. Thread context. */
bool trace_start(void);
void trace_stop(void);

int cmd_trace(int argc, char **argv);

#endif
