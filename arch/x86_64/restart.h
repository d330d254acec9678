/* SPDX-License-Identifier: BSD-2-Clause */
/* Which instructions are restartable sequences, for the way into every handler. */
#ifndef QUIRE_ARCH_X86_64_RESTART_H
#define QUIRE_ARCH_X86_64_RESTART_H

#include "arch/x86_64/traps.h"

/* No sequence is outside of [low, low + span). Written by restart_init; before, span is 0. */
struct restart_bounds {
	uint64_t low, span;
};

extern struct restart_bounds restart_bounds;

/* Reads the table of sequences; the boot CPU, before interrupts are enabled. */
void restart_init(void);

/* Sends the frame back to the first instruction if it came from inside of a sequence. */
void restart_rewind(struct trap_frame *frame);

/* The first thing in every handler: one comparison unless sequences are near. */
static inline void restart_check(struct trap_frame *frame)
{
	if (unlikely(frame->rip - restart_bounds.low < restart_bounds.span))
		restart_rewind(frame);
}

/* A debug exception; false when it was none of a probe's. */
bool restart_handle_debug(void);

#endif
