/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/trace_ring.h"

#include "lib/string.h"

void trace_ring_add(struct trace_ring *ring, const struct trace_entry *entry)
{
	uint64_t n = atomic64_load(&ring->count, MO_RELAXED);
	struct trace_slot *slot = &ring->slots[n % TRACE_RING_ENTRIES];
	uint64_t words[TRACE_ENTRY_WORDS];

	memcpy(words, entry, sizeof(words));
	atomic64_store(&slot->stamp, 0, MO_SEQ_CST);
	for (unsigned i = 0; i < TRACE_ENTRY_WORDS; i++)
		atomic64_store(&slot->words[i], words[i], MO_SEQ_CST);
	atomic64_store(&slot->stamp, n + 1, MO_SEQ_CST);
	atomic64_store(&ring->count, n + 1, MO_SEQ_CST);
}

uint64_t trace_ring_end(const struct trace_ring *ring)
{
	return atomic64_load(&ring->count, MO_SEQ_CST);
}

uint64_t trace_ring_first(const struct trace_ring *ring)
{
	uint64_t end = trace_ring_end(ring);

	return end > TRACE_RING_ENTRIES ? end - TRACE_RING_ENTRIES : 0;
}

bool trace_ring_read(const struct trace_ring *ring, uint64_t n, struct trace_entry *entry)
{
	const struct trace_slot *slot = &ring->slots[n % TRACE_RING_ENTRIES];
	uint64_t words[TRACE_ENTRY_WORDS];

	if (atomic64_load(&slot->stamp, MO_SEQ_CST) != n + 1)
		return false;
	for (unsigned i = 0; i < TRACE_ENTRY_WORDS; i++)
		words[i] = atomic64_load(&slot->words[i], MO_SEQ_CST);
	memcpy(entry, words, sizeof(words));
	return atomic64_load(&slot->stamp, MO_SEQ_CST) == n + 1;
}
