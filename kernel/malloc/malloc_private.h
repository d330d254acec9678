/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of malloc(9) share. */
#ifndef QUIRE_KERNEL_MALLOC_MALLOC_PRIVATE_H
#define QUIRE_KERNEL_MALLOC_MALLOC_PRIVATE_H

#include "arch/count.h"
#include "kernel/malloc/malloc.h"

/* Counts in the types' shared part, and begins their life in the CPUs' areas. */
void malloc_type_count_slow(struct malloc_type *type, bool alloc, uint64_t bytes);

/* One piece more, or less. Any context. */
static inline void malloc_type_count(struct malloc_type *type, bool alloc, uint64_t bytes)
{
	uint32_t offset = atomic32_load(&type->offset, MO_RELAXED);

	if (unlikely(offset == 0)) {
		malloc_type_count_slow(type, alloc, bytes);
	} else if (alloc) {
		malloc_count_alloc(offset, bytes);
	} else {
		arch_count_add(offset + offsetof(struct malloc_counts, frees), 1);
		arch_count_add(offset + offsetof(struct malloc_counts, bytes_freed), bytes);
	}
}

/* Forgets all types: those of an earlier machine. */
void malloc_types_startup(void);

#endif
