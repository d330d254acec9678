/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pools of the memory system's own small structures (map entries, index nodes).
 *
 * Slabs of one page in the direct map: no address space, no mapping and no map entry is needed
 * to get one, so the map can use it for itself. A reserve, refilled ahead of need, lets an
 * operation that gives memory back go on when there is none.
 */
#ifndef QUIRE_VM_VM_POOL_H
#define QUIRE_VM_VM_POOL_H

#include "smp/spinlock.h"
#include "vm/vm_param.h"

#ifdef __cplusplus
extern "C" {
#endif

struct vm_pool_slab;

/* (l) lock  (c) constant after init */
struct vm_pool {
	struct spinlock lock;
	const char *name;           /* (c) */
	unsigned item_size;         /* (c) bytes, multiple of 16 */
	unsigned per_slab;          /* (c) */
	unsigned reserve;           /* (c) items that only VM_POOL_RESERVE may take */
	bool clean;                 /* (c) free items are zero */
	struct vm_pool_slab *avail; /* (l) ring of all slabs, those with a free item first */
	uint64_t free_items;        /* (l) */
	uint64_t used_items;        /* (l) */
	uint64_t slabs;             /* (l) */
};

enum { VM_POOL_NORMAL = 0, VM_POOL_RESERVE = 1 };

/* Call vm_pool_refill once pages can be allocated. */
void vm_pool_init(struct vm_pool *pool, const char *name, size_t item_size, unsigned reserve,
		  enum lock_rank rank);

/*
 * For items that are all zero when they are freed, by what they are: they need not be zeroed again.
 * Before the first one.
 */
void vm_pool_keep_clean(struct vm_pool *pool);

/*
 * A zeroed item, or NULL: NORMAL leaves the reserve alone and fails when no page is to be had
 * (class VM_ALLOC_SYSTEM); RESERVE may take the last item and the last page (VM_ALLOC_INTERRUPT).
 * Any context. `site` names the caller to the fault injection.
 */
void *vm_pool_alloc(struct vm_pool *pool, int how, const char *site);

/* Gives an item back; a slab that becomes empty goes back to the page allocator, unless the
 * reserve needs it. Panics on a pointer that is not an item in use. */
void vm_pool_free(struct vm_pool *pool, void *item);

/* Fills the reserve up again; false when pages are short. Any context. */
bool vm_pool_refill(struct vm_pool *pool);

unsigned vm_pool_audit(struct vm_pool *pool, void (*report)(const char *line));

#ifdef __cplusplus
}
#endif

#endif
