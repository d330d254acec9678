/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/log_ring.h"

static char *ring_at(const struct log_ring *ring, uint64_t position)
{
	return &ring->bytes[position & (ring->size - 1)];
}

static uint64_t ring_oldest(const struct log_ring *ring)
{
	return ring->end > ring->size ? ring->end - ring->size : 0;
}

void log_ring_append(struct log_ring *ring, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		*ring_at(ring, ring->end++) = text[i];
}

uint64_t log_ring_first_line(const struct log_ring *ring)
{
	uint64_t oldest = ring_oldest(ring);

	if (oldest == 0)
		return 0;
	for (uint64_t position = oldest; position < ring->end; position++)
		if (*ring_at(ring, position) == '\n')
			return position + 1 < ring->end ? position + 1 : oldest;
	return oldest;
}

size_t log_ring_read(const struct log_ring *ring, uint64_t *position, char *out, size_t size)
{
	size_t n = 0;

	if (*position < ring_oldest(ring))
		*position = log_ring_first_line(ring);
	while (n < size && *position < ring->end)
		out[n++] = *ring_at(ring, (*position)++);
	return n;
}
