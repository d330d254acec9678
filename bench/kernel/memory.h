/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocators in one form, for what does not count in a sample: filling slots and verifying. */
#ifndef QUIRE_BENCH_KERNEL_MEMORY_H
#define QUIRE_BENCH_KERNEL_MEMORY_H

#include "arch/physmap.h"
#include "bench/kernel/bench.h"
#include "vm/vm_page.h"

struct bench_memory {
	void *(*alloc)(uint64_t size); /* NULL: there is none now */
	void (*free)(void *memory, uint64_t size);
	bool zeroed; /* alloc gives zeroes */
};

extern const struct bench_memory bench_pages;      /* one page, by its place in the direct map */
extern const struct bench_memory bench_zero_pages; /* zeroed by who asks for it */

/* What the cases take for a page; inline, since it counts. */
static inline vm_page_t bench_page_alloc(void)
{
	return vm_page_alloc(NULL, 0, VM_ALLOC_NORMAL | VM_ALLOC_NOOBJ);
}

static inline void *bench_page_address(vm_page_t page)
{
	return arch_physmap(VM_PAGE_TO_PHYS(page));
}

/*
 * Cases whose slots hold descriptors of pages: all own slots filled, those that hold something
 * freed, and, for verify, contents written and read by all workers at once.
 */
bool bench_slots_hold_pages(struct bench_worker *worker);
void bench_slots_free_pages(struct bench_worker *worker);
bool bench_slots_verify_pages(struct bench_worker *worker);

/* Fills own slots [0, count) with memory of `size` bytes each. */
bool bench_slots_fill(struct bench_worker *worker, const struct bench_memory *memory, uint64_t size,
		      unsigned count);

/* For verify, when all own slots hold memory of their `size`: as bench_slots_verify_pages. */
bool bench_slots_verify(struct bench_worker *worker);

/* Frees all own slots that hold something. */
void bench_slots_empty(struct bench_worker *worker, const struct bench_memory *memory);

/*
 * Allocates several pieces of `size` bytes, at least 8, fills each with a pattern of its own,
 * checks all (and before, if they should be zeroed), and frees them. Workers do it at the same
 * time: a piece that two of them hold shows.
 */
bool bench_verify(struct bench_worker *worker, const struct bench_memory *memory, uint64_t size);

/* Fills memory with the pattern of `tag`, or checks it; false after bench_fail. */
void bench_tag_fill(void *memory, uint64_t size, uint64_t tag);
bool bench_tag_check(struct bench_worker *worker, const void *memory, uint64_t size, uint64_t tag);

#endif
