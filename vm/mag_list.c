/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists of magazines that every CPU changes without a lock: a stack whose head is one word, the
 * top magazine and a tag (Treiber, IBM RJ 5118, 1986).
 *
 * A CPU that takes the top one reads which is below it, and then exchanges the head. In between
 * others may take both and bring the first one back: the head is the same again, what it read is
 * not. So the tag changes with each exchange. It has 27 bits: the mistake would need exactly a
 * multiple of 134,217,728 exchanges while one CPU goes from its read to its exchange, which takes
 * seconds; a CPU is there for a few instructions.
 *
 * Magazines are never given back as memory, so reading one that somebody else has taken by now is
 * only useless.
 */
#include "arch/physmap.h"
#include "lib/planted.h"
#include "vm/mag_cache_private.h"

/*
 * A magazine's number is its physical address in units of its size. The direct map is 64 TiB,
 * 2^46 bytes, so 37 bits are enough; no RAM that is used lies at address 0.
 */
enum { NUMBER_BITS = 37, MAG_SHIFT = 9 };

_Static_assert(sizeof(struct mag) == MAG_SIZE && MAG_SIZE == 1 << MAG_SHIFT, "a unit each");

#define NUMBER_MASK (((uint64_t)1 << NUMBER_BITS) - 1)

static uint64_t mag_number(const struct mag *mag)
{
	return mag != NULL ? arch_physmap_paddr(mag) >> MAG_SHIFT : 0;
}

static struct mag *mag_at(uint64_t head)
{
	uint64_t number = head & NUMBER_MASK;

	return number != 0 ? (struct mag *)arch_physmap(number << MAG_SHIFT) : NULL;
}

/* The head after `before`. */
static uint64_t head_make(uint64_t before, uint64_t number)
{
	uint64_t tag = before >> NUMBER_BITS;

	if (!PLANTED(magazine_aba))
		tag++;
	return tag << NUMBER_BITS | number;
}

void mag_set_next(struct mag *mag, struct mag *next)
{
	atomic64_store(&mag->next, mag_number(next), MO_RELAXED);
}

struct mag *mag_next(const struct mag *mag)
{
	return mag_at(atomic64_load(&mag->next, MO_RELAXED));
}

static uint32_t items_from(uint64_t head)
{
	const struct mag *top = mag_at(head);

	return top != NULL ? atomic32_load(&top->sum, MO_RELAXED) : 0;
}

uint32_t mag_list_items(const struct atomic64 *list)
{
	/* Acquire: pairs with the exchange in mag_list_push, which follows the store of sum. */
	return items_from(atomic64_load(list, MO_ACQUIRE));
}

bool mag_list_push(struct atomic64 *list, struct mag *mag, uint32_t limit, unsigned *retries)
{
	uint64_t number = mag_number(mag), head = atomic64_load(list, MO_ACQUIRE);
	const uint64_t first = head;

	(void)first; /* for the planted bug only */
	for (;; ++*retries) {
		/* If the head is still the same below, its top one has been there all the time. */
		uint32_t below = items_from(PLANTED(sum_not_read_again) ? first : head);

		if (below + mag->count > limit)
			return false;
		if (!PLANTED(magazine_linked_late))
			atomic64_store(&mag->next, head & NUMBER_MASK, MO_RELAXED);
		atomic32_store(&mag->sum, below + mag->count, MO_RELAXED);
		/* Release: its contents, for mag_list_pop. Acquire: `sum` of the next top one. */
		if (atomic64_cas(list, &head, head_make(head, number), MO_ACQ_REL))
			break;
	}
	if (PLANTED(magazine_linked_late))
		atomic64_store(&mag->next, head & NUMBER_MASK, MO_RELAXED);
	return true;
}

struct mag *mag_list_pop(struct atomic64 *list, unsigned *retries)
{
	/* Acquire: pairs with the release in mag_list_push. */
	uint64_t head = atomic64_load(list, MO_ACQUIRE);

	for (;; ++*retries) {
		struct mag *top = mag_at(head);
		uint64_t next;

		if (top == NULL)
			return NULL;
		next = atomic64_load(&top->next, MO_RELAXED);
		if (atomic64_cas(list, &head, head_make(head, next), MO_ACQ_REL))
			return top;
	}
}
