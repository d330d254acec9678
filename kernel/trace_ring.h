/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last events of one CPU. Pure: that CPU alone writes, interrupts off; who reads may be another
 * one, and gets an event whole or not at all. Every word is atomic and in one order (seq-cst), so a
 * reader that finds the same stamp before and after has read what was written between the two.
 */
#ifndef QUIRE_KERNEL_TRACE_RING_H
#define QUIRE_KERNEL_TRACE_RING_H

#include "arch/atomic.h"
#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { TRACE_RING_ENTRIES = 256 };

struct trace_entry {
	uint64_t ns; /* since boot */
	uint64_t event, a, b;
};

enum { TRACE_ENTRY_WORDS = sizeof(struct trace_entry) / sizeof(uint64_t) };

struct trace_slot {
	struct atomic64 stamp; /* number of the event + 1; 0: it is being written */
	struct atomic64 words[TRACE_ENTRY_WORDS];
};

struct trace_ring {
	struct atomic64 count; /* events so far: number n is in slot n modulo the size */
	struct trace_slot slots[TRACE_RING_ENTRIES];
};

void trace_ring_add(struct trace_ring *ring, const struct trace_entry *entry);

/* Events so far, and the oldest that may still be there. Any CPU. */
uint64_t trace_ring_end(const struct trace_ring *ring);
uint64_t trace_ring_first(const struct trace_ring *ring);

/* Copies event n; false when it is not there yet, or no longer. Any CPU. */
bool trace_ring_read(const struct trace_ring *ring, uint64_t n, struct trace_entry *entry);

#ifdef __cplusplus
}
#endif

#endif
