/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each type has in use. A type is known from its first use, in whatever context that is: so
 * the list has no lock, and a type counts in itself until it has a line in every CPU's area.
 */
#include "kernel/malloc/malloc_private.h"
#include "smp/percpu.h"
#include "smp/smp.h"

_Static_assert(sizeof(struct malloc_counts) <= CACHE_LINE, "a type has one line of each CPU");

static struct atomic_ptr types; /* struct malloc_type, the latest first */

void malloc_types_startup(void)
{
	struct malloc_type *type = (struct malloc_type *)atomic_ptr_load(&types, MO_ACQUIRE);

	atomic_ptr_store(&types, NULL, MO_RELAXED);
	while (type != NULL) {
		struct malloc_type *next = type->next;

		*type = (struct malloc_type){.name = type->name, .description = type->description};
		type = next;
	}
}

static void type_register(struct malloc_type *type)
{
	void *head = atomic_ptr_load(&types, MO_RELAXED);
	uint32_t offset = percpu_lines_alloc(1);

	do {
		type->next = (struct malloc_type *)head;
		/* Release: pairs with the acquire of those who walk. */
	} while (!atomic_ptr_cas(&types, &head, type, MO_RELEASE));
	atomic32_store(&type->offset, offset, MO_RELAXED);
}

void malloc_type_count_slow(struct malloc_type *type, bool alloc, uint64_t bytes)
{
	uint32_t expected = 0;

	if (atomic32_load(&type->registered, MO_RELAXED) == 0 &&
	    atomic32_cas(&type->registered, &expected, 1, MO_RELAXED))
		type_register(type);
	atomic64_add(alloc ? &type->shared.allocs : &type->shared.frees, 1, MO_RELAXED);
	atomic64_add(alloc ? &type->shared.bytes_allocated : &type->shared.bytes_freed, bytes,
		     MO_RELAXED);
}

/* --- Reading --- */

struct sums {
	uint64_t allocs, frees, bytes_allocated, bytes_freed;
};

/* Frees first: what is freed meanwhile was allocated before, so no difference is negative. */
static void counts_add(struct sums *sums, const struct malloc_counts *counts)
{
	sums->frees += atomic64_load(&counts->frees, MO_ACQUIRE);
	sums->bytes_freed += atomic64_load(&counts->bytes_freed, MO_ACQUIRE);
	sums->allocs += atomic64_load(&counts->allocs, MO_ACQUIRE);
	sums->bytes_allocated += atomic64_load(&counts->bytes_allocated, MO_ACQUIRE);
}

static void note_high(struct malloc_type *type, uint64_t bytes)
{
	uint64_t high = atomic64_load(&type->high, MO_RELAXED);

	while (high < bytes && !atomic64_cas(&type->high, &high, bytes, MO_RELAXED))
		continue;
}

/* A piece may be freed on a CPU that was read before the one that allocated it. */
static uint64_t difference(uint64_t more, uint64_t less)
{
	return more > less ? more - less : 0;
}

void malloc_type_stats(struct malloc_type *type, struct malloc_type_stats *stats)
{
	uint32_t offset = atomic32_load(&type->offset, MO_RELAXED);
	struct sums sums = {0, 0, 0, 0};

	counts_add(&sums, &type->shared);
	for (unsigned cpu = 0; offset != 0 && cpu < smp_cpu_count(); cpu++) {
		const struct malloc_counts *counts =
		    (const struct malloc_counts *)percpu_at_cpu(cpu, offset);

		if (counts != NULL)
			counts_add(&sums, counts);
	}
	stats->requests = sums.allocs;
	stats->in_use = difference(sums.allocs, sums.frees);
	stats->bytes_in_use = difference(sums.bytes_allocated, sums.bytes_freed);
	note_high(type, stats->bytes_in_use);
	stats->bytes_high = atomic64_load(&type->high, MO_RELAXED);
}

void malloc_type_foreach(void (*visit)(void *ctx, struct malloc_type *type), void *ctx)
{
	struct malloc_type *type = (struct malloc_type *)atomic_ptr_load(&types, MO_ACQUIRE);

	for (; type != NULL; type = type->next)
		visit(ctx, type);
}
