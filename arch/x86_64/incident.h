/* SPDX-License-Identifier: BSD-2-Clause */
/* How the handlers of uninvited interrupts note them; arch/incident.h is how others ask. */
#ifndef QUIRE_ARCH_X86_64_INCIDENT_H
#define QUIRE_ARCH_X86_64_INCIDENT_H

#include "arch/incident.h"
#include "arch/x86_64/traps.h"

/* From here on arch_incident_noted() is true. Any context, NMIs too. */
void incident_note(void);

/* An interrupt that nobody handles came. Interrupt context. */
void unexpected_note(unsigned vector);

/* An NMI that does not stop the CPU. */
void nmi_handle(const struct trap_frame *frame);

#endif
