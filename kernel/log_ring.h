/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last bytes of an endless text, in a buffer of fixed size: new text replaces the oldest.
 * Plain data; the owner brings the lock.
 */
#ifndef QUIRE_KERNEL_LOG_RING_H
#define QUIRE_KERNEL_LOG_RING_H

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Positions count bytes since the beginning of the text and never wrap. */
struct log_ring {
	char *bytes;
	size_t size;  /* a power of two */
	uint64_t end; /* position behind the newest byte */
};

void log_ring_append(struct log_ring *ring, const char *text, size_t length);

/*
 * The position of the oldest whole line that is still there. When the only line left is longer
 * than the buffer, its rest counts.
 */
uint64_t log_ring_first_line(const struct log_ring *ring);

/*
 * Copies up to `size` bytes from *position on and moves it behind them; returns how many, 0 at
 * the end. Text that was replaced since the last call is skipped up to the next whole line.
 */
size_t log_ring_read(const struct log_ring *ring, uint64_t *position, char *out, size_t size);

#ifdef __cplusplus
}
#endif

#endif
