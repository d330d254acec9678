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
 * only useless. And below the top one nothing changes while the head is the same, so several are
 * taken, or put there, by one exchange as well.
 */
#include "lib/planted.h"
#include "vm/mag_cache_private.h"

_Static_assert(sizeof(struct mag) == MAG_SIZE && MAG_SIZE == 1 << MAG_SHIFT, "a unit each");

/* The head after `before`. */
static uint64_t head_make(uint64_t before, uint64_t number)
{
	uint64_t tag = before >> MAG_NUMBER_BITS;

	if (!PLANTED(magazine_aba))
		tag++;
	return tag << MAG_NUMBER_BITS | number;
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

/* Items in a chain, and its last magazine. */
static uint32_t chain_items(struct mag *chain, struct mag **bottom)
{
	uint32_t items = 0;

	for (; chain != NULL; chain = mag_next(chain)) {
		items += chain->count;
		*bottom = chain;
	}
	return items;
}

/* Sets what stands in each magazine from `top` to `bottom` when `below` items are under them. */
static void sums_set(struct mag *top, const struct mag *bottom, uint32_t items, uint32_t below)
{
	for (struct mag *mag = top;; mag = mag_next(mag)) {
		atomic32_store(&mag->sum, below + items, MO_RELAXED);
		if (mag == bottom)
			return;
		items -= mag->count;
	}
}

/* From `top` to `bottom`, whose link is of no account. */
static bool list_push(struct atomic64 *list, struct mag *top, struct mag *bottom, uint32_t items,
		      uint32_t limit, unsigned *retries)
{
	uint64_t number = mag_number(top), head = atomic64_load(list, MO_ACQUIRE);
	const uint64_t first = head;

	(void)first; /* for the planted bug only */
	for (;; ++*retries) {
		/* If the head is still the same below, its top one has been there all the time. */
		uint32_t below = items_from(PLANTED(sum_not_read_again) ? first : head);

		if (below + items > limit)
			return false;
		if (!PLANTED(magazine_linked_late))
			atomic64_store(&bottom->next, head & MAG_NUMBER_MASK, MO_RELAXED);
		sums_set(top, bottom, items, below);
		/* Release: its contents, for mag_list_pop. Acquire: `sum` of the next top one. */
		if (atomic64_cas(list, &head, head_make(head, number), MO_ACQ_REL))
			break;
	}
	if (PLANTED(magazine_linked_late))
		atomic64_store(&bottom->next, head & MAG_NUMBER_MASK, MO_RELAXED);
	return true;
}

bool mag_list_push_chain(struct atomic64 *list, struct mag *chain, uint32_t limit,
			 unsigned *retries)
{
	struct mag *bottom = NULL;
	uint32_t items = chain_items(chain, &bottom);

	if (bottom == NULL || list_push(list, chain, bottom, items, limit, retries))
		return true;
	mag_set_next(bottom, NULL);
	return false;
}

bool mag_list_push(struct atomic64 *list, struct mag *mag, uint32_t limit, unsigned *retries)
{
	return list_push(list, mag, mag, mag->count, limit, retries);
}

/*
 * The last one of up to `want` from `top` on. Somebody may have taken them meanwhile and linked
 * them elsewhere: each link leads to some magazine or to none, and the exchange fails then.
 */
static struct mag *chain_end(struct mag *top, unsigned want, unsigned *count)
{
	struct mag *last = top, *next;

	for (*count = 1; *count < want; ++*count) {
		next = mag_next(last);
		if (next == NULL)
			break;
		last = next;
	}
	return last;
}

struct mag *mag_list_pop_chain(struct atomic64 *list, unsigned want, unsigned *taken,
			       unsigned *retries)
{
	/* Acquire: pairs with the release in list_push. */
	uint64_t head = atomic64_load(list, MO_ACQUIRE);
	struct mag *last = NULL;

	for (;; ++*retries) {
		struct mag *top = mag_at(head);
		uint64_t below;

		if (top == NULL) {
			*taken = 0;
			return NULL;
		}
		if (!PLANTED(chain_not_walked_again) || last == NULL)
			last = chain_end(top, want, taken);
		below = atomic64_load(&last->next, MO_RELAXED);
		if (!atomic64_cas(list, &head, head_make(head, below), MO_ACQ_REL))
			continue;
		mag_set_next(last, NULL);
		return top;
	}
}

struct mag *mag_list_pop(struct atomic64 *list, unsigned *retries)
{
	unsigned taken;

	return mag_list_pop_chain(list, 1, &taken, retries);
}
