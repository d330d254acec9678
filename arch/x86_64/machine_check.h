/* SPDX-License-Identifier: BSD-2-Clause */
/* Machine checks: arch/incident.h is how others learn of them, mca.h what the registers mean. */
#ifndef QUIRE_ARCH_X86_64_MACHINE_CHECK_H
#define QUIRE_ARCH_X86_64_MACHINE_CHECK_H

#include "arch/incident.h"
#include "arch/x86_64/traps.h"

/*
 * On each CPU, when its tables are in place: notes what its banks hold from before, and turns
 * reports on.
 */
void machine_check_enable(void);

/* The exception. Returns when the interrupted code may go on; else panics. */
void machine_check_handle(struct trap_frame *frame);

#endif
