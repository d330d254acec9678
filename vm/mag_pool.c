/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where magazines come from. What the page caches need to begin with is boot memory; the rest comes
 * by the page, eight to each.
 *
 * The pages are taken from vm_phys itself and not by vm_page_alloc, which may be in need of a
 * magazine at that moment. They are not given back: whoever reads a list may look at a magazine
 * that has just been taken off it, and what he reads has to be a magazine still. So there are as
 * many pages as magazines were in use at one time, a few for each CPU and busy cache.
 */
#include "arch/cpus.h"
#include "arch/physmap.h"
#include "lib/string.h"
#include "vm/mag_cache_private.h"
#include "vm/vm_boot.h"
#include "vm/vm_page_internal.h"
#include "vm/vm_phys_internal.h"

enum { MAGS_PER_PAGE = PAGE_SIZE / MAG_SIZE };

/* (a) atomic */
static struct {
	struct atomic64 free;  /* (a) list */
	struct atomic64 pages; /* (a) */
} pool;

void mag_pool_init(void)
{
	atomic64_store(&pool.free, 0, MO_RELAXED);
	atomic64_store(&pool.pages, 0, MO_RELAXED);
}

void mag_pool_reserve(unsigned count)
{
	struct mag *mags;

	mags = (struct mag *)vm_boot_alloc(count * sizeof(*mags), MAG_SIZE, "magazines");
	for (unsigned i = 0; i < count; i++)
		mag_pool_put(&mags[i]);
}

/* Caching is no need: not from what is kept for those who have one. */
static vm_page_t pool_page(void)
{
	unsigned domains = vm_phys_domain_count(), first = arch_cpu_domain(arch_cpu_id());
	uint64_t floor = 2 * vm_page_limits.free_reserved;
	vm_page_t m;

	for (unsigned i = 0; i < domains; i++)
		if (vm_phys_alloc_batch_above((first + i) % domains, &m, 1, floor) == 1)
			return m;
	return NULL;
}

static struct mag *pool_grow(void)
{
	vm_page_t m = pool_page();
	unsigned retries = 0;
	struct mag *mags;

	if (m == NULL)
		return NULL;
	m->state = VM_PAGE_META;
	m->wire_count = 1;
	m->flags = 0;
	atomic64_add(&pool.pages, 1, MO_RELAXED);
	mags = (struct mag *)arch_physmap(VM_PAGE_TO_PHYS(m));
	memset(mags, 0, PAGE_SIZE);
	for (unsigned i = 1; i < MAGS_PER_PAGE; i++)
		(void)mag_list_push(&pool.free, &mags[i], 0, &retries);
	return &mags[0];
}

struct mag *mag_pool_get(void)
{
	unsigned retries = 0;
	struct mag *mag = mag_list_pop(&pool.free, &retries);

	return mag != NULL ? mag : pool_grow();
}

void mag_pool_put(struct mag *mag)
{
	unsigned retries = 0;

	(void)mag_list_push(&pool.free, mag, 0, &retries);
}

void mag_pool_put_chain(struct mag *chain)
{
	unsigned retries = 0;

	(void)mag_list_push_chain(&pool.free, chain, 0, &retries);
}

uint64_t mag_pool_pages(void)
{
	return atomic64_load(&pool.pages, MO_RELAXED);
}
