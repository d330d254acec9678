/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The states that exhaustive search has been in: a hash table of their 64-bit checksums. Two states
 * with one checksum would be taken for one; among 10^7 that happens with probability 3 * 10^-6.
 */
#include <stdlib.h>

#include "lib/check.h"
#include "tests/explore/engine/engine.h"

enum { SLOTS_MIN = 1 << 16 };

static uint64_t *slots; /* 0: empty */
static size_t slot_count, used;

static size_t find(uint64_t key)
{
	size_t i = (key * UINT64_C(0x9e3779b97f4a7c15)) >> 20 & (slot_count - 1);

	while (slots[i] != 0 && slots[i] != key)
		i = (i + 1) & (slot_count - 1);
	return i;
}

static void grow(void)
{
	uint64_t *old = slots;
	size_t old_count = slot_count;

	slot_count = old_count == 0 ? SLOTS_MIN : old_count * 2;
	slots = calloc(slot_count, sizeof(*slots));
	if (slots == NULL)
		panic("no memory for %zu states; search fewer with --states", slot_count / 2);
	for (size_t i = 0; i < old_count; i++)
		if (old[i] != 0)
			slots[find(old[i])] = old[i];
	free(old);
}

void visited_reset(void)
{
	free(slots);
	slots = NULL;
	slot_count = used = 0;
}

bool visited_add(uint64_t key)
{
	size_t i;

	if (key == 0)
		key = 1;
	if (used * 2 >= slot_count)
		grow();
	i = find(key);
	if (slots[i] != 0)
		return false;
	slots[i] = key;
	used++;
	return true;
}

uint64_t visited_count(void)
{
	return used;
}
