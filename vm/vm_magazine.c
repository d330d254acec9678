/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is particular to pages in magazines; how magazines work is in mag_cache.c.
 *
 * Size. All magazines and depots together hold at most 1/64 of RAM, a quarter of that in known
 * zero pages. With 256 MiB of RAM for each CPU, a CPU has room for 558 pages of its own, so that it
 * can allocate and free 512 and meet no other CPU's. Where many CPUs share little RAM there is no
 * stash, then each magazine has fewer rounds, and with none at all every request goes to vm_phys.
 * As free memory runs out a CPU takes smaller batches, and from what is kept for other classes no
 * more than the one page that it needs: a magazine serves every class, so nothing goes into one
 * that not every class may have.
 *
 * Shortage. While a thread waits for a page, and while a domain is below its low watermark, a CPU
 * whose magazines were emptied gets no new ones: what is freed goes on to vm_phys (vm_wait.c says
 * what a waiter may rely on).
 *
 * State. A page is VM_PAGE_MAGAZINE before it is given to a magazine and until after it has been
 * taken out, so what is found in a magazine is in that state, and at rest so is nothing else.
 */
#include "vm/vm_magazine.h"

#include "arch/clock.h"
#include "arch/cpus.h"
#include "lib/check.h"
#include "vm/mag_cache_private.h"
#include "vm/vm_magazine_private.h"
#include "vm/vm_page_internal.h"
#include "vm/vm_pageout_internal.h"
#include "vm/vm_phys_internal.h"

enum {
	CACHED_SHARE = 64, /* one in so many pages of RAM may be in magazines */
	ZERO_SHARE = 4,    /* of those, one in so many in magazines of zero pages */
	ROUNDS_MIN = 8,
};

struct vm_magazines vm_magazines;
uint32_t vm_magazine_offsets[MAXMEMDOM];

/* --- The owner's side of the caches --- */

static unsigned domain_of(const void *ctx)
{
	return (unsigned)(uintptr_t)ctx;
}

/*
 * A whole batch while there is plenty; half of each CPU's share of what every class may have, at
 * the end.
 */
static unsigned batch_size(unsigned want)
{
	uint64_t total = vm_phys_free_total(), floor = vm_page_limits.free_reserved;
	uint64_t share = total > floor ? (total - floor) / (2 * (uint64_t)vm_magazines.cpus) : 0;

	if (vm_page_wanted() || share == 0)
		return 1;
	return share < want ? (unsigned)share : want;
}

/* `flags` is the floor of the class that asks. */
static unsigned pages_import(void *ctx, void **items, unsigned want, int flags)
{
	vm_page_t *pages = (vm_page_t *)(void *)items;
	uint64_t floor = (uint64_t)flags, common = vm_page_limits.free_reserved;
	unsigned n = batch_size(want), got = 0;

	if (n > 1)
		got = vm_phys_alloc_batch_above(domain_of(ctx), pages, n,
						floor > common ? floor : common);
	if (got == 0)
		got = vm_phys_alloc_batch_above(domain_of(ctx), pages, 1, floor);
	for (unsigned i = 0; i < got; i++)
		pages[i]->state = VM_PAGE_MAGAZINE;
	return got;
}

static void pages_release(void *ctx, void **items, unsigned count)
{
	(void)ctx;
	vm_phys_free_batch((vm_page_t *)(void *)items, count);
}

static bool pages_short(void *ctx)
{
	return vm_page_wanted() || vm_watermarks_below_low(domain_of(ctx));
}

/* --- Init --- */

static uint64_t ram_pages(const struct boot_info *info, unsigned domain)
{
	uint64_t pages = 0;

	for (unsigned i = 0; i < info->range_count; i++)
		if (info->ranges[i].domain == domain)
			pages += atop(info->ranges[i].end - info->ranges[i].start);
	return pages;
}

/* A bound of 0 means none, so where there is room for nothing it is less than anybody's share. */
static void cache_init(unsigned domain, enum vm_magazine_kind kind, uint64_t items_max)
{
	static const char *const names[VM_MAGAZINE_KINDS] = {"page magazines", "zero pages"};
	struct mag_cache_config config = {
	    .name = names[kind],
	    .rounds_min = ROUNDS_MIN,
	    .rounds_max = MAG_ROUNDS,
	    .items_max = items_max != 0 ? items_max : 1,
	    /* What idle CPUs have zeroed is for whoever is busy, so it goes to the depot. */
	    .stash_max = kind == VM_MAGAZINE_ANY ? MAG_STASH_MAX : 0,
	    .import = kind == VM_MAGAZINE_ANY ? pages_import : NULL,
	    .release = pages_release,
	    .is_short = pages_short,
	    .ctx = (void *)(uintptr_t)domain,
	};

	(void)mag_cache_init(&vm_magazines.caches[domain][kind], &config);
}

/*
 * Two magazines for each CPU and kind, and as many as the depots can fill. More are needed only
 * where CPUs use several domains' memory, or keep spare ones.
 */
static unsigned magazines_needed(unsigned cpus, uint64_t bound)
{
	return 2 * VM_MAGAZINE_KINDS * cpus + 2 * (unsigned)(bound / MAG_ROUNDS) + 2;
}

void vm_magazine_init(unsigned cpus)
{
	const struct boot_info *info = arch_boot_info();
	uint64_t all = 0;

	CHECK(cpus >= 1 && cpus <= MAXCPU);
	mag_pool_init();
	vm_magazines.domains = info->domain_count;
	vm_magazines.cpus = cpus;
	atomic64_store(&vm_magazines.next_age_ns, 0, MO_RELAXED);
	vm_magazine_zero_init();
	for (unsigned cpu = 0; cpu < cpus; cpu++)
		vm_magazines.cpu_domain[cpu] = (uint8_t)arch_cpu_domain(cpu);
	for (unsigned domain = 0; domain < info->domain_count; domain++) {
		uint64_t bound = ram_pages(info, domain) / CACHED_SHARE;

		cache_init(domain, VM_MAGAZINE_ZERO, bound / ZERO_SHARE);
		cache_init(domain, VM_MAGAZINE_ANY, bound - bound / ZERO_SHARE);
		vm_magazine_offsets[domain] = vm_magazines.caches[domain][VM_MAGAZINE_ANY].offset;
		all += bound;
	}
	mag_pool_reserve(magazines_needed(cpus, all));
}

unsigned vm_magazine_local_domain(void)
{
	return vm_magazines.cpu_domain[arch_cpu_id()];
}

const struct mag_cache *vm_magazine_cache(unsigned domain, enum vm_magazine_kind kind)
{
	return domain < vm_magazines.domains ? &vm_magazines.caches[domain][kind] : NULL;
}

/* --- One page --- */

/* From here on this CPU's pages are where vm_page_alloc looks first. */
static void vm_pages_point(void)
{
	percpu_self()->vm_pages = vm_magazine_offsets[vm_magazine_local_domain()];
}

static vm_page_t page_out(void *item)
{
	vm_page_t m = (vm_page_t)item;

	if (m != NULL)
		m->state = VM_PAGE_ALLOCATED;
	return m;
}

vm_page_t vm_magazine_alloc(unsigned domain, uint64_t floor)
{
	struct mag_cache *cache = &vm_magazines.caches[domain][VM_MAGAZINE_ANY];
	vm_page_t m = NULL;
	void *item;

	if (vm_magazines.domains == 0)
		return vm_phys_alloc_batch_above(domain, &m, 1, floor) == 1 ? m : NULL;
	CHECK_LT(domain, vm_magazines.domains);
	vm_pages_point();
	item = mag_cache_alloc(cache);
	if (item == NULL)
		item = mag_cache_alloc_slow(cache, (int)floor);
	return page_out(item);
}

vm_page_t vm_magazine_alloc_zero(unsigned domain)
{
	struct mag_cache *cache = &vm_magazines.caches[domain][VM_MAGAZINE_ZERO];
	void *item;

	if (vm_magazines.domains == 0)
		return NULL;
	CHECK_LT(domain, vm_magazines.domains);
	item = mag_cache_alloc(cache);
	if (item == NULL)
		item = mag_cache_alloc_cached(cache);
	return page_out(item);
}

void vm_magazine_put(vm_page_t m)
{
	struct mag_cache *cache = &vm_magazines.caches[m->domain][VM_MAGAZINE_ANY];

	if (vm_magazines.domains == 0)
		vm_phys_free(m, 0);
	else if (!mag_cache_free(cache, m))
		mag_cache_free_slow(cache, m);
}

void vm_magazine_free(vm_page_t m)
{
	CHECK_EQ(m->state, VM_PAGE_ALLOCATED);
	CHECK(m->object == NULL && m->wire_count == 0);
	m->state = VM_PAGE_MAGAZINE;
	vm_magazine_put(m);
}

/* --- Many pages --- */

unsigned vm_magazine_alloc_many(unsigned domain, uint64_t floor, vm_page_t *pages, unsigned want)
{
	unsigned got = 0;

	if (vm_magazines.domains != 0) {
		CHECK_LT(domain, vm_magazines.domains);
		vm_pages_point();
		got = mag_cache_alloc_many(&vm_magazines.caches[domain][VM_MAGAZINE_ANY],
					   (void **)(void *)pages, want);
	}
	for (unsigned i = 0; i < got; i++)
		pages[i]->state = VM_PAGE_ALLOCATED;
	if (got < want)
		got += vm_phys_alloc_batch_above(domain, pages + got, want - got, floor);
	return got;
}

/* The first ones, as many as have one home. */
static unsigned same_domain(vm_page_t const *pages, unsigned count)
{
	unsigned n = 1;

	while (n < count && pages[n]->domain == pages[0]->domain)
		n++;
	return n;
}

void vm_magazine_put_many(vm_page_t *pages, unsigned count)
{
	if (vm_magazines.domains == 0) {
		vm_phys_free_batch(pages, count);
		return;
	}
	for (unsigned n; count != 0; pages += n, count -= n) {
		n = same_domain(pages, count);
		mag_cache_free_many(&vm_magazines.caches[pages[0]->domain][VM_MAGAZINE_ANY],
				    (void **)(void *)pages, n);
	}
}

void vm_magazine_free_many(vm_page_t *pages, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		CHECK_EQ(pages[i]->state, VM_PAGE_ALLOCATED);
		CHECK(pages[i]->object == NULL && pages[i]->wire_count == 0);
		pages[i]->state = VM_PAGE_MAGAZINE;
	}
	vm_magazine_put_many(pages, count);
}

/* --- All of them --- */

enum { CACHES_MAX = MAXMEMDOM * VM_MAGAZINE_KINDS };

/* All caches, in caches[CACHES_MAX]; returns how many. */
static unsigned caches_list(struct mag_cache **caches)
{
	unsigned n = 0;

	for (unsigned domain = 0; domain < vm_magazines.domains; domain++)
		for (unsigned kind = 0; kind < VM_MAGAZINE_KINDS; kind++)
			caches[n++] = &vm_magazines.caches[domain][kind];
	return n;
}

uint64_t vm_magazine_drain(void)
{
	struct mag_cache *caches[CACHES_MAX];
	unsigned n = caches_list(caches);
	uint64_t drained = 0;

	if (n != 0 && mag_cache_can_drain())
		return mag_cache_drain_many(caches, n);
	for (unsigned i = 0; i < n; i++)
		drained += mag_cache_drain_local(caches[i]);
	return drained;
}

void vm_magazine_age(void)
{
	struct mag_cache *caches[CACHES_MAX];
	unsigned n = caches_list(caches);

	for (unsigned i = 0; i < n; i++)
		if (pages_short(caches[i]->config.ctx))
			mag_cache_shrink(caches[i]);
		else
			mag_cache_age(caches[i]);
}

enum { AGE_NS = 1000000000 };

/* What this CPU has and does not use is for others, in the end. */
static void stash_settle(struct mag_cache *cache)
{
	if (!mag_cache_idle_due(cache) || !vm_magazine_move_begin())
		return;
	mag_cache_idle(cache);
	vm_magazine_move_end();
}

static void stashes_settle(void)
{
	struct mag_cache *caches[CACHES_MAX];
	unsigned n = caches_list(caches);

	for (unsigned i = 0; i < n; i++)
		stash_settle(caches[i]);
}

/* Idle CPUs come by at each tick; the first one of each second does it for all. */
bool vm_magazine_idle(void)
{
	uint64_t now = arch_clock_ns(), due = atomic64_load(&vm_magazines.next_age_ns, MO_RELAXED);

	if (vm_magazine_paused())
		return false;
	if (now >= due && atomic64_cas(&vm_magazines.next_age_ns, &due, now + AGE_NS, MO_RELAXED))
		vm_magazine_age();
	stashes_settle();
	return vm_magazine_zero_one();
}

static void stats_add(struct vm_magazine_stats *stats, const struct mag_cache *cache, unsigned cpu,
		      enum vm_magazine_kind kind)
{
	struct mag_cache_stats one;

	mag_cache_cpu_stats(cache, cpu, &one);
	stats->cached += one.cached;
	stats->zeroed += kind == VM_MAGAZINE_ZERO ? one.cached : 0;
	stats->alloc_hits += one.allocs - one.alloc_misses;
	stats->alloc_misses += one.alloc_misses;
	stats->free_hits += one.frees - one.free_misses;
	stats->free_misses += one.free_misses;
	stats->exchanges += one.exchanges;
	stats->resizes += one.resizes;
}

void vm_magazine_stats(unsigned cpu, struct vm_magazine_stats *stats)
{
	*stats = (struct vm_magazine_stats){0};
	for (unsigned domain = 0; domain < vm_magazines.domains; domain++)
		for (unsigned kind = 0; kind < VM_MAGAZINE_KINDS; kind++)
			stats_add(stats, &vm_magazines.caches[domain][kind], cpu,
				  (enum vm_magazine_kind)kind);
}

uint64_t vm_magazine_depot_cached(void)
{
	struct mag_cache *caches[CACHES_MAX];
	unsigned n = caches_list(caches);
	uint64_t sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += mag_cache_depot_cached(caches[i]);
	return sum;
}

uint64_t vm_magazine_cached(void)
{
	struct mag_cache *caches[CACHES_MAX];
	unsigned n = caches_list(caches);
	uint64_t sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += mag_cache_cached(caches[i]);
	return sum;
}
