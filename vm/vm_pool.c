/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A slab is one page: a header of one cache line with a bitmap of items in use, then the items.
 * The bitmap is also the free list (four words, the first clear bit is taken), so that there is
 * one truth about an item, outside of it: a write to a freed item cannot derail the pool, and a
 * double free or a foreign pointer is seen for what it is.
 *
 * All slabs of a pool form a ring in which those with a free item come first; pool->avail is the
 * head. The lock is not held while a page is allocated or given back.
 */
#include "vm/vm_pool.h"

#include "arch/physmap.h"
#include "lib/bits.h"
#include "lib/check.h"
#include "lib/string.h"
#include "vm/vm_page.h"
#include "vm/vm_report.h"

enum {
	ITEM_ALIGN = 16,
	BITMAP_WORDS = 4, /* 4096 / ITEM_ALIGN items at most */
};

/* (l) the pool's lock  (c) constant while the slab lives */
struct vm_pool_slab {
	struct vm_pool *pool;             /* (c) */
	struct vm_pool_slab *next, *prev; /* (l) ring */
	uint64_t used;                    /* (l) items in use */
	uint64_t bitmap[BITMAP_WORDS];    /* (l) bit set: item in use */
};

_Static_assert(sizeof(struct vm_pool_slab) == CACHE_LINE, "items start on a cache line");
_Static_assert((uint64_t)BITMAP_WORDS * 64 * ITEM_ALIGN >= PAGE_SIZE, "the bitmap covers a slab");

void vm_pool_init(struct vm_pool *pool, const char *name, size_t item_size, unsigned reserve,
		  enum lock_rank rank)
{
	CHECK(item_size > 0 && item_size <= PAGE_SIZE - sizeof(struct vm_pool_slab));
	*pool = (struct vm_pool){0};
	spin_init(&pool->lock, name, rank, 0);
	pool->name = name;
	pool->item_size = (unsigned)align_up(item_size, ITEM_ALIGN);
	pool->per_slab = (PAGE_SIZE - sizeof(struct vm_pool_slab)) / pool->item_size;
	pool->reserve = reserve;
}

void vm_pool_keep_clean(struct vm_pool *pool)
{
	CHECK_EQ(pool->slabs, 0);
	pool->clean = true;
}

static char *slab_item(struct vm_pool_slab *slab, unsigned index)
{
	return (char *)slab + sizeof(*slab) + (size_t)index * slab->pool->item_size;
}

/* --- The ring; lock held --- */

/* At the head. */
static void ring_insert(struct vm_pool *pool, struct vm_pool_slab *slab)
{
	if (pool->avail == NULL) {
		slab->next = slab->prev = slab;
		pool->avail = slab;
		return;
	}
	slab->next = pool->avail;
	slab->prev = pool->avail->prev;
	slab->next->prev = slab;
	slab->prev->next = slab;
	pool->avail = slab;
}

static void ring_remove(struct vm_pool *pool, struct vm_pool_slab *slab)
{
	if (pool->avail == slab)
		pool->avail = slab->next == slab ? NULL : slab->next;
	slab->next->prev = slab->prev;
	slab->prev->next = slab->next;
}

/* --- Items; lock held --- */

static unsigned bitmap_take(struct vm_pool_slab *slab)
{
	for (unsigned word = 0; word < BITMAP_WORDS; word++) {
		uint64_t unused = ~slab->bitmap[word];

		if (unused != 0) {
			unsigned bit = (unsigned)__builtin_ctzll(unused);

			slab->bitmap[word] |= (uint64_t)1 << bit;
			return word * 64 + bit;
		}
	}
	panic("pool %s: slab %p has no free item", slab->pool->name, (void *)slab);
}

static void *item_take(struct vm_pool *pool)
{
	struct vm_pool_slab *slab = pool->avail;
	unsigned index = bitmap_take(slab);

	CHECK_LT(index, pool->per_slab);
	if (++slab->used == pool->per_slab)
		pool->avail = slab->next; /* the head moves on: the full slab is the tail now */
	pool->free_items--;
	pool->used_items++;
	return slab_item(slab, index);
}

/* Returns the slab if it is empty now and not needed: it is off the ring, the caller frees it. */
static struct vm_pool_slab *item_give(struct vm_pool *pool, struct vm_pool_slab *slab,
				      unsigned index)
{
	slab->bitmap[index / 64] &= ~((uint64_t)1 << (index % 64));
	pool->free_items++;
	pool->used_items--;
	if (slab->used-- == pool->per_slab) {
		ring_remove(pool, slab);
		ring_insert(pool, slab);
	}
	if (slab->used != 0 || pool->free_items - pool->per_slab < pool->reserve)
		return NULL;
	ring_remove(pool, slab);
	pool->free_items -= pool->per_slab;
	pool->slabs--;
	return slab;
}

static bool may_take(const struct vm_pool *pool, int how)
{
	return pool->free_items > (how == VM_POOL_RESERVE ? 0 : pool->reserve);
}

/* --- Slabs; lock not held --- */

/* One slab more, added under the lock, which is held on return if that worked. */
static bool grow_locked(struct vm_pool *pool, int page_class)
{
	vm_page_t page = vm_page_alloc_internal(VM_PAGE_META, page_class);
	struct vm_pool_slab *slab;

	if (page == NULL)
		return false;
	if (pool->clean)
		arch_page_zero(page->phys_addr);
	slab = (struct vm_pool_slab *)arch_physmap(page->phys_addr);
	*slab = (struct vm_pool_slab){.pool = pool};
	spin_lock(&pool->lock);
	ring_insert(pool, slab);
	pool->free_items += pool->per_slab;
	pool->slabs++;
	return true;
}

static void slab_release(struct vm_pool_slab *slab)
{
	slab->pool = NULL;
	vm_page_free_internal(PHYS_TO_VM_PAGE(arch_physmap_paddr(slab)));
}

/* --- Interface --- */

/* For ASSERT. */
static inline bool item_is_zero(const struct vm_pool *pool, const void *item)
{
	const uint64_t *words = (const uint64_t *)item;

	for (unsigned i = 0; i < pool->item_size / sizeof(*words); i++)
		if (words[i] != 0)
			return false;
	return true;
}

void *vm_pool_alloc(struct vm_pool *pool, int how, const char *site)
{
	int page_class = how == VM_POOL_RESERVE ? VM_ALLOC_INTERRUPT : VM_ALLOC_SYSTEM;
	void *item;

	if (arch_fault_point(site))
		return NULL;
	spin_lock(&pool->lock);
	/* Each turn adds a slab, so it ends: with an item, or with memory. */
	while (!may_take(pool, how)) {
		spin_unlock(&pool->lock);
		if (!grow_locked(pool, page_class))
			return NULL;
	}
	item = item_take(pool);
	spin_unlock(&pool->lock);
	if (!pool->clean)
		return memset(item, 0, pool->item_size);
	ASSERT(item_is_zero(pool, item));
	return item;
}

/* The slab that an address lies in, or a panic. */
static struct vm_pool_slab *slab_of(struct vm_pool *pool, void *item)
{
	vm_paddr_t pa = arch_physmap_paddr(item);
	vm_page_t page = PHYS_TO_VM_PAGE(pa);
	struct vm_pool_slab *slab;

	if (page == NULL || page->state != VM_PAGE_META)
		panic("pool %s: %p is freed, but is no item of a pool", pool->name, item);
	slab = (struct vm_pool_slab *)arch_physmap(trunc_page(pa));
	if (slab->pool != pool)
		panic("pool %s: %p is freed, but is an item of pool %s", pool->name, item,
		      slab->pool->name);
	return slab;
}

static unsigned item_index(struct vm_pool *pool, struct vm_pool_slab *slab, void *item)
{
	size_t offset = (size_t)((char *)item - (char *)slab);
	size_t index = (offset - sizeof(*slab)) / pool->item_size;

	if (offset < sizeof(*slab) || index >= pool->per_slab ||
	    slab_item(slab, (unsigned)index) != (char *)item)
		panic("pool %s: %p is freed, but is not the start of an item", pool->name, item);
	return (unsigned)index;
}

void vm_pool_free(struct vm_pool *pool, void *item)
{
	struct vm_pool_slab *slab = slab_of(pool, item);
	unsigned index = item_index(pool, slab, item);

	spin_lock(&pool->lock);
	if ((slab->bitmap[index / 64] >> (index % 64) & 1) == 0)
		panic("pool %s: %p is freed twice", pool->name, item);
	slab = item_give(pool, slab, index);
	spin_unlock(&pool->lock);
	if (slab != NULL)
		slab_release(slab);
}

bool vm_pool_refill(struct vm_pool *pool)
{
	spin_lock(&pool->lock);
	while (pool->free_items < pool->reserve) {
		spin_unlock(&pool->lock);
		if (!grow_locked(pool, VM_ALLOC_SYSTEM))
			return false;
	}
	spin_unlock(&pool->lock);
	return true;
}

/* --- Audit; lock held --- */

static unsigned audit_slab(struct vm_pool *pool, struct vm_pool_slab *slab, bool *seen_full,
			   vm_report_fn *report)
{
	vm_page_t page = PHYS_TO_VM_PAGE(arch_physmap_paddr(slab));
	uint64_t used = 0;
	unsigned broken = 0;

	if (page == NULL || page->state != VM_PAGE_META || slab->pool != pool)
		return vm_report(report, "pool %s: %p on its ring is no slab of it", pool->name,
				 (void *)slab);
	if (slab->next->prev != slab)
		broken += vm_report(report, "pool %s: ring broken after slab %p", pool->name,
				    (void *)slab);
	for (unsigned word = 0; word < BITMAP_WORDS; word++)
		used += bit_count(slab->bitmap[word]);
	if (used != slab->used || used > pool->per_slab)
		broken += vm_report(report, "pool %s: slab %p has %llu items in use, counts %llu",
				    pool->name, (void *)slab, (unsigned long long)used,
				    (unsigned long long)slab->used);
	if (*seen_full && slab->used < pool->per_slab)
		broken += vm_report(report, "pool %s: slab %p has room and is behind a full one",
				    pool->name, (void *)slab);
	*seen_full = *seen_full || slab->used == pool->per_slab;
	return broken;
}

unsigned vm_pool_audit(struct vm_pool *pool, void (*report)(const char *line))
{
	uint64_t slabs = 0, used = 0;
	bool seen_full = false;
	struct vm_pool_slab *slab;
	unsigned broken = 0;

	spin_lock(&pool->lock);
	slab = pool->avail;
	while (slab != NULL && broken == 0 && slabs < pool->slabs) {
		slabs++;
		used += slab->used;
		broken += audit_slab(pool, slab, &seen_full, report);
		slab = slab->next;
	}
	if (broken == 0 && (slab != pool->avail || slabs != pool->slabs))
		broken += vm_report(report, "pool %s: the ring does not have its %llu slabs",
				    pool->name, (unsigned long long)pool->slabs);
	if (broken == 0 &&
	    (used != pool->used_items || pool->free_items + used != slabs * pool->per_slab))
		broken += vm_report(report,
				    "pool %s: %llu items used and %llu free counted, %llu used in "
				    "%llu slabs",
				    pool->name, (unsigned long long)pool->used_items,
				    (unsigned long long)pool->free_items, (unsigned long long)used,
				    (unsigned long long)slabs);
	spin_unlock(&pool->lock);
	return broken;
}
