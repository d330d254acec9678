/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where memory is while a case holds what it holds: what caches keep at hand, what slabs lose, what
 * the memory system needs for itself. In bytes.
 */
#ifndef QUIRE_BENCH_KERNEL_ACCOUNT_H
#define QUIRE_BENCH_KERNEL_ACCOUNT_H

#include "lib/types.h"

struct bench_account {
	uint64_t cached_pages;  /* in page magazines */
	uint64_t cached_ranges; /* mapped, in the caches of kmem_map */
	uint64_t cached_items;  /* of zones, in their magazines */
	uint64_t slab_waste; /* in slabs of zones, neither an item in use nor one that is cached */
	uint64_t free;       /* in the physical allocator */
};

/*
 * Sums of counters, which leave the lines of page descriptors alone; exact where nobody allocates
 * or frees meanwhile. Thread context, nothing locked.
 */
void bench_account_take(struct bench_account *account);

/* One line of a run that succeeded. */
void bench_account_print(const struct bench_account *account, unsigned index, const char *mode);

/* One line of all: what the memory system itself takes. Looks at every page descriptor. */
void bench_account_print_metadata(void);

#endif
