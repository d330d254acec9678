/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each CPU has, for each domain, a loaded and a previous magazine (Bonwick and Adams, 3.1): the
 * pair guarantees that after an exchange with vm_phys at least one magazine's worth of
 * allocations, and as many frees, go by without the next one.
 *
 * Locking. A spinlock for each CPU, rank LOCK_RANK_MAGAZINE, which its own CPU takes without
 * contention and which lets any CPU empty it. It is held across the exchange with vm_phys, so
 * that no page is ever out of sight of a CPU that looks for the last one: it is in vm_phys or in
 * a magazine. hit_alloc() and hit_free() are all that runs when nothing needs to be exchanged.
 *
 * Size. All magazines together hold at most 1/64 of RAM; where many CPUs share little RAM, each
 * magazine has fewer rounds, and with none at all every request goes to vm_phys. As free memory
 * runs out a CPU takes smaller batches, down to the one page that it needs. While a thread waits
 * for a page, nothing stays in a magazine: what is freed goes on to vm_phys (vm_wait.c says why it
 * is enough to ask for waiters with the lock held).
 */
#include "vm/vm_magazine.h"

#include "arch/bootinfo.h"
#include "arch/cpu.h"
#include "lib/check.h"
#include "smp/spinlock.h"
#include "vm/vm_boot.h"
#include "vm/vm_page_internal.h"
#include "vm/vm_pageout_internal.h"
#include "vm/vm_phys_internal.h"
#include "vm/vm_report.h"

enum { CACHED_SHARE = 64 }; /* one in so many pages of RAM may be in magazines */

struct magazine {
	unsigned count;
	vm_page_t rounds[VM_MAGAZINE_ROUNDS];
};

/* The two change places, not contents: which is loaded is an index. */
struct magazine_pair {
	struct magazine magazines[2];
	unsigned loaded;
};

/* (l) lock  (c) constant after init */
struct cpu_cache {
	struct spinlock lock;
	struct vm_magazine_stats stats; /* (l) */
	struct magazine_pair *pairs;    /* (c) one for each domain; (l) what they hold */
} QUIRE_ALIGNED(CACHE_LINE);

/* Constant after init. */
static struct {
	struct cpu_cache *caches; /* one for each CPU */
	unsigned cpus;            /* 0: no magazines yet, or no room for any */
	unsigned domains;
	unsigned rounds; /* pages in each magazine, <= VM_MAGAZINE_ROUNDS */
} depot;

static unsigned rounds_for(uint64_t ram_pages, unsigned cpus, unsigned domains)
{
	uint64_t rounds = ram_pages / CACHED_SHARE / (2 * (uint64_t)cpus * domains);

	return rounds < VM_MAGAZINE_ROUNDS ? (unsigned)rounds : VM_MAGAZINE_ROUNDS;
}

static uint64_t ram_pages(const struct boot_info *info)
{
	uint64_t pages = 0;

	for (unsigned i = 0; i < info->range_count; i++)
		pages += atop(info->ranges[i].end - info->ranges[i].start);
	return pages;
}

/* Before vm_phys_init(), which ends boot allocation. */
void vm_magazine_init(unsigned cpus)
{
	const struct boot_info *info = arch_boot_info();
	size_t pairs = info->domain_count * sizeof(struct magazine_pair);

	CHECK(cpus >= 1 && cpus <= MAXCPU);
	depot.cpus = 0;
	depot.domains = info->domain_count;
	depot.rounds = rounds_for(ram_pages(info), cpus, depot.domains);
	if (depot.rounds == 0)
		return;
	depot.caches = (struct cpu_cache *)vm_boot_alloc(cpus * sizeof(struct cpu_cache),
							 CACHE_LINE, "page magazines");
	for (unsigned cpu = 0; cpu < cpus; cpu++) {
		struct cpu_cache *cache = &depot.caches[cpu];

		spin_init(&cache->lock, "page magazines", LOCK_RANK_MAGAZINE, 0);
		cache->pairs =
		    (struct magazine_pair *)vm_boot_alloc(pairs, CACHE_LINE, "page magazines");
	}
	depot.cpus = cpus;
}

/* The running CPU's cache, or NULL when it has none. */
static struct cpu_cache *own_cache(void)
{
	unsigned cpu = arch_cpu_id();

	return cpu < depot.cpus ? &depot.caches[cpu] : NULL;
}

/* --- Hits; lock held --- */

static inline struct magazine *loaded(struct magazine_pair *pair)
{
	return &pair->magazines[pair->loaded];
}

static inline struct magazine *previous(struct magazine_pair *pair)
{
	return &pair->magazines[pair->loaded ^ 1];
}

static inline vm_page_t hit_alloc(struct magazine_pair *pair)
{
	if (loaded(pair)->count == 0)
		pair->loaded ^= 1;
	if (loaded(pair)->count == 0)
		return NULL;
	return loaded(pair)->rounds[--loaded(pair)->count];
}

static inline bool hit_free(struct magazine_pair *pair, vm_page_t m)
{
	if (loaded(pair)->count == depot.rounds)
		pair->loaded ^= 1;
	if (loaded(pair)->count == depot.rounds)
		return false;
	loaded(pair)->rounds[loaded(pair)->count++] = m;
	return true;
}

/* --- Exchanges with vm_phys; lock held --- */

/* A whole magazine while there is plenty; half of each CPU's share of what is left, at the end. */
static unsigned batch_size(uint64_t floor)
{
	uint64_t total = vm_phys_free_total();
	uint64_t share = total > floor ? (total - floor) / (2 * (uint64_t)depot.cpus) : 0;

	if (vm_page_wanted())
		return 1;
	if (share > depot.rounds)
		return depot.rounds;
	return share > 0 ? (unsigned)share : 1;
}

/* Whose magazine a page is in is noted in pindex, which nobody else uses then: for the audit. */
static inline void page_cache(vm_page_t m, unsigned cpu)
{
	m->state = VM_PAGE_MAGAZINE;
	m->pindex = cpu;
}

static void refill(struct magazine_pair *pair, unsigned domain, uint64_t floor, unsigned cpu)
{
	struct magazine *mag = loaded(pair);

	CHECK_EQ(mag->count, 0);
	mag->count = vm_phys_alloc_batch_above(domain, mag->rounds, batch_size(floor), floor);
	for (unsigned i = 0; i < mag->count; i++)
		page_cache(mag->rounds[i], cpu);
}

static void magazine_empty(struct magazine *mag)
{
	if (mag->count == 0)
		return;
	vm_phys_free_batch(mag->rounds, mag->count);
	mag->count = 0;
}

static void cache_empty(struct cpu_cache *cache)
{
	for (unsigned d = 0; d < depot.domains; d++) {
		magazine_empty(&cache->pairs[d].magazines[0]);
		magazine_empty(&cache->pairs[d].magazines[1]);
	}
}

/* --- Interface --- */

vm_page_t vm_magazine_alloc(unsigned domain, uint64_t floor)
{
	struct cpu_cache *cache = own_cache();
	struct magazine_pair *pair;
	vm_page_t m = NULL;

	if (cache == NULL)
		return vm_phys_alloc_batch_above(domain, &m, 1, floor) == 1 ? m : NULL;
	CHECK_LT(domain, depot.domains);
	pair = &cache->pairs[domain];
	spin_lock(&cache->lock);
	m = hit_alloc(pair);
	if (m != NULL) {
		cache->stats.alloc_hits++;
	} else {
		cache->stats.alloc_misses++;
		refill(pair, domain, floor, (unsigned)(cache - depot.caches));
		m = hit_alloc(pair);
	}
	if (m != NULL)
		m->state = VM_PAGE_ALLOCATED;
	spin_unlock(&cache->lock);
	return m;
}

void vm_magazine_free(vm_page_t m)
{
	struct cpu_cache *cache = own_cache();
	struct magazine_pair *pair;

	CHECK_EQ(m->state, VM_PAGE_ALLOCATED);
	CHECK(m->object == NULL && m->wire_count == 0);
	if (cache == NULL) {
		vm_phys_free(m, 0);
		return;
	}
	pair = &cache->pairs[m->domain];
	spin_lock(&cache->lock);
	page_cache(m, (unsigned)(cache - depot.caches));
	if (hit_free(pair, m)) {
		cache->stats.free_hits++;
	} else {
		cache->stats.free_misses++;
		magazine_empty(loaded(pair));
		CHECK(hit_free(pair, m));
	}
	if (vm_page_wanted())
		cache_empty(cache);
	spin_unlock(&cache->lock);
}

/* Lock held. */
static uint64_t cached_in(const struct cpu_cache *cache)
{
	uint64_t cached = 0;

	for (unsigned d = 0; d < depot.domains; d++)
		cached += cache->pairs[d].magazines[0].count + cache->pairs[d].magazines[1].count;
	return cached;
}

uint64_t vm_magazine_drain(void)
{
	uint64_t drained = 0;

	for (unsigned cpu = 0; cpu < depot.cpus; cpu++) {
		struct cpu_cache *cache = &depot.caches[cpu];

		spin_lock(&cache->lock);
		drained += cached_in(cache);
		cache_empty(cache);
		spin_unlock(&cache->lock);
	}
	return drained;
}

void vm_magazine_stats(unsigned cpu, struct vm_magazine_stats *stats)
{
	struct cpu_cache *cache;

	*stats = (struct vm_magazine_stats){0, 0, 0, 0, 0};
	if (cpu >= depot.cpus)
		return;
	cache = &depot.caches[cpu];
	spin_lock(&cache->lock);
	*stats = cache->stats;
	stats->cached = cached_in(cache);
	spin_unlock(&cache->lock);
}

uint64_t vm_magazine_cached(void)
{
	uint64_t cached = 0;

	for (unsigned cpu = 0; cpu < depot.cpus; cpu++) {
		struct vm_magazine_stats stats;

		vm_magazine_stats(cpu, &stats);
		cached += stats.cached;
	}
	return cached;
}

/* --- Audit; lock held --- */

static unsigned audit_page(vm_page_t m, unsigned cpu, unsigned domain, vm_report_fn *report)
{
	unsigned long long pa = (unsigned long long)m->phys_addr;
	struct vm_page_damage damage;
	unsigned broken = 0;

	if (m->state != VM_PAGE_MAGAZINE)
		broken += vm_report(report, "magazine: page %#llx of CPU %u is %s", pa, cpu,
				    vm_page_state_name(m->state));
	if (m->pindex != cpu)
		broken += vm_report(report, "magazine: page %#llx of CPU %u is CPU %llu's too", pa,
				    cpu, (unsigned long long)m->pindex);
	if (m->domain != domain)
		broken += vm_report(report, "magazine: page %#llx of domain %u is kept for %u", pa,
				    m->domain, domain);
	if (m->object != NULL || m->wire_count != 0 || m->order != VM_PAGE_NO_ORDER)
		broken += vm_report(report, "magazine: page %#llx is in use", pa);
	if (!vm_page_intact(m, &damage))
		broken += vm_report(report, "magazine: page %#llx was written at offset %u", pa,
				    damage.offset);
	return broken;
}

/* The nth page of the pair, previous magazine after the first. */
static vm_page_t pair_page(const struct magazine_pair *pair, unsigned n)
{
	const struct magazine *first = &pair->magazines[0];

	return n < first->count ? first->rounds[n] : pair->magazines[1].rounds[n - first->count];
}

static unsigned audit_pair(const struct magazine_pair *pair, unsigned cpu, unsigned domain,
			   vm_report_fn *report)
{
	unsigned first = pair->magazines[0].count, second = pair->magazines[1].count;
	unsigned broken = 0;

	if (first > depot.rounds || second > depot.rounds)
		return vm_report(report, "magazine: CPU %u holds %u and %u pages, %u fit", cpu,
				 first, second, depot.rounds);
	for (unsigned n = 0; n < first + second; n++) {
		vm_page_t m = pair_page(pair, n);

		broken += audit_page(m, cpu, domain, report);
		for (unsigned k = 0; k < n; k++)
			if (pair_page(pair, k) == m)
				broken += vm_report(report, "magazine: CPU %u holds %#llx twice",
						    cpu, (unsigned long long)m->phys_addr);
	}
	return broken;
}

unsigned vm_magazine_audit(void (*report)(const char *line))
{
	unsigned broken = 0;

	for (unsigned cpu = 0; cpu < depot.cpus; cpu++) {
		struct cpu_cache *cache = &depot.caches[cpu];

		spin_lock(&cache->lock);
		for (unsigned d = 0; d < depot.domains; d++)
			broken += audit_pair(&cache->pairs[d], cpu, d, report);
		spin_unlock(&cache->lock);
	}
	return broken;
}
