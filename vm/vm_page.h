/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One descriptor for each page of usable RAM: who the page is, who holds it, how.
 */
#ifndef QUIRE_VM_VM_PAGE_H
#define QUIRE_VM_VM_PAGE_H

#include <bsd/sys/queue.h>

#include "arch/atomic.h"
#include "vm/vm_param.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Every page is in exactly one of these at any time. */
enum vm_page_state {
	VM_PAGE_BOOT,      /* taken by the boot allocator: metadata for ever */
	VM_PAGE_FREE,      /* in vm_phys, alone or inside a free block */
	VM_PAGE_MAGAZINE,  /* in a CPU's page magazine or in the depot */
	VM_PAGE_ALLOCATED, /* somebody's, perhaps in an object */
	VM_PAGE_TABLE,     /* a page-table page; never freed */
	VM_PAGE_META,      /* a slab of a vm_pool */
	VM_PAGE_SLAB,      /* of a zone's slab in the direct map */
	VM_PAGE_RETIRED,   /* bad memory, out of use for ever: vm_page_retire.h */
	VM_PAGE_STATES,
};

/* m->flags */
#define PG_ZERO   0x01 /* known to hold only zeroes; meaningful when free or just allocated */
#define PG_NODUMP 0x02 /* not in a crash dump */
#define PG_RETIRE 0x04 /* bad memory: leaves when it is freed; anybody may set it, atomically */

/* m->oflags, guarded by the object's lock */
#define VPO_BUSY      0x01 /* its owner is at work on it */
#define VPO_REWIRED   0x02 /* was there already when its range was wired the last time */
#define VPO_UNMANAGED 0x04 /* on no queue, not tracked by mapping: all kernel pages */

#define VM_PAGE_BITS_ALL 0xff /* m->valid: the whole page holds what it should */

/*
 * (p) the allocator that holds the page: vm_phys' domain lock or the magazine's
 * (o) lock of the object, or whoever allocated the page when it has none
 * (c) constant after boot
 * (a) atomic: anybody may ask about a page that is freed; its owner writes
 */
struct vm_page {
	TAILQ_ENTRY(vm_page) link; /* (p) free list or owner's list */
	vm_object_t object;        /* (o) */
	vm_pindex_t pindex;        /* (o) */
	vm_paddr_t phys_addr;      /* (c) */
	/* Eight bytes that change together, with one store, when a page comes or goes. */
	uint8_t state;          /* (p)/(o) enum vm_page_state; changed by whoever holds it */
	vm_memattr_t memattr;   /* (o) set by pmap_pages_set_memattr; default when free */
	uint8_t flags;          /* (o) PG_* */
	uint8_t oflags;         /* (o) VPO_* */
	uint32_t wire_count;    /* (o) */
	uint8_t valid;          /* (o) */
	uint8_t order;          /* (p) of the free block that it heads, else VM_PAGE_NO_ORDER */
	uint8_t domain;         /* (c) */
	uint8_t segment;        /* (c) vm_phys segment */
	struct atomic_ptr zone; /* (a) what vm/uma_slab.c knows about it; NULL elsewhere */
} QUIRE_ALIGNED(CACHE_LINE);

#define VM_PAGE_NO_ORDER 0xff

#define VM_PAGE_TO_PHYS(m) ((m)->phys_addr)

/* The page at pa, or NULL where there is no usable RAM. Any context. */
vm_page_t PHYS_TO_VM_PAGE(vm_paddr_t pa);

/*
 * req of vm_page_alloc: one class, and flags. What a class leaves is left when a page is taken from
 * vm_phys; a page that is in the CPU's magazine already serves any class.
 */
#define VM_ALLOC_NORMAL     0 /* leaves free_reserved pages */
#define VM_ALLOC_INTERRUPT  1 /* takes all */
#define VM_ALLOC_SYSTEM     2 /* leaves interrupt_free_min pages */
#define VM_ALLOC_CLASS_MASK 3
#define VM_ALLOC_WIRED      0x0020
#define VM_ALLOC_ZERO       0x0040 /* a preference: see PG_ZERO of what was got */
#define VM_ALLOC_NOOBJ      0x0100 /* object is NULL */
#define VM_ALLOC_NOBUSY     0x0200
#define VM_ALLOC_NODUMP     0x2000

/*
 * A page, inserted in `object` at `pindex` unless NOOBJ; busy unless NOBUSY or NOOBJ. Never
 * sleeps; NULL when the class may not have one, or when the index needs memory and there is
 * none; the page daemon is woken then. The object is locked and has no page at pindex. Any context.
 *
 * Pages that other CPUs have cached are called in before it fails, where they can be: in a thread
 * with interrupts on and no spinlock held, an object's or another. Elsewhere it may fail although
 * other CPUs have cached a few pages, at most 1/64 of RAM; what this CPU and the depots have
 * cached it gets everywhere. Whoever fails under a lock can drop that, call
 * vm_page_reclaim_caches(), and try again, as kmem_malloc does.
 */
vm_page_t vm_page_alloc(vm_object_t object, vm_pindex_t pindex, int req);

/*
 * Pages for the indices from pindex on, n > 0 of them, as vm_page_alloc would one after the other,
 * but at once. Returns how many it got; fewer than n when it could get no more. m->valid says that
 * they hold what they should: what that is, zeroes or anything, is the caller's to know. `req`
 * without VM_ALLOC_NOOBJ.
 */
unsigned vm_page_alloc_run(vm_object_t object, vm_pindex_t pindex, int req, unsigned n);

/*
 * The same for *n indices, 1 to 64, none behind the next multiple of 64: in one leaf of the
 * object's index. *n becomes how many got a page. Returns the pages in order, or NULL when there
 * are none; they stand there until one of them is taken out of the object, locked or not.
 */
vm_page_t const *vm_page_alloc_leaf(vm_object_t object, vm_pindex_t pindex, int req, unsigned *n);

/*
 * A run of npages pages, physically contiguous, each in [low, high), the first aligned to
 * `alignment` (bytes, power of two), the run crossing no multiple of `boundary` (bytes, power of
 * two, 0 = none); otherwise as vm_page_alloc, page i at pindex + i. Returns the first descriptor;
 * descriptors of a run are neighbours. Nothing is left behind on failure.
 *
 * A memattr other than the default asks every CPU to forget, so it needs VM_ALLOC_NOOBJ and the
 * context of pmap_pages_set_memattr. For pages in an object: allocate them with the default, drop
 * the object's lock, and call that function.
 */
vm_page_t vm_page_alloc_contig(vm_object_t object, vm_pindex_t pindex, int req,
			       unsigned long npages, vm_paddr_t low, vm_paddr_t high,
			       vm_size_t alignment, vm_size_t boundary, vm_memattr_t memattr);

/*
 * Takes the page out of its object, which is locked, and gives it back. No CPU may still reach
 * it through any mapping. Panics if it is wired, or free already. Any context, unless its memattr
 * is not the default: then it must be in no object, and the context that of
 * pmap_pages_restore_memattr, which it calls.
 */
void vm_page_free(vm_page_t m);

void vm_page_wire(vm_page_t m);
void vm_page_unwire(vm_page_t m); /* panics below zero */
void vm_page_wakeup(vm_page_t m); /* drops the busy mark */

/* The page of a locked object at an index, or NULL. */
vm_page_t vm_page_lookup(vm_object_t object, vm_pindex_t pindex);

/*
 * Gives the pages that all CPUs have cached back to vm_phys and returns how many; without effect,
 * 0, where other CPUs cannot be waited for (see above) or where none of them has any. Any context.
 */
uint64_t vm_page_reclaim_caches(void);

/*
 * For whoever failed to get `npages` pages of request `req` under a lock that it has dropped since:
 * is it worth trying again? True when vm_phys had fewer than that, and caches have been emptied
 * into it now. Any context.
 */
bool vm_page_reclaim_for(int req, uint64_t npages);

/* Page-table pages and slabs: no object, wired, of the given state. NULL on shortage. */
vm_page_t vm_page_alloc_internal(enum vm_page_state state, int req);
/* The way back for VM_PAGE_META. */
void vm_page_free_internal(vm_page_t m);

/* Pages by state, from descriptors: exact at rest. counts[VM_PAGE_STATES]. */
void vm_page_count_states(uint64_t *counts);

/* What vm_page_alloc leaves, in pages. */
struct vm_page_limits {
	uint64_t free_reserved;
	uint64_t interrupt_free_min;
};
extern struct vm_page_limits vm_page_limits;

/* Pages that could be handed out now: free ones and those in magazines. Approximate. */
uint64_t vm_page_free_count(void);

#ifdef __cplusplus
}
#endif

#endif
