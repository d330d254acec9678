/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is particular to pages in magazines; how magazines work is in mag_cache.c.
 *
 * Size. All magazines and depots together hold at most 1/64 of RAM, a quarter of that in known
 * zero pages. Where many CPUs share little RAM, each magazine has fewer rounds, and with none at
 * all every request goes to vm_phys. As free memory runs out a CPU takes smaller batches, and from
 * what is kept for other classes no more than the one page that it needs: a magazine serves every
 * class, so nothing goes into one that not every class may have.
 *
 * Shortage. While a thread waits for a page, and while a domain is below its low watermark, a CPU
 * whose magazines were emptied gets no new ones: what is freed goes on to vm_phys (vm_wait.c says
 * what a waiter may rely on).
 *
 * State. A page is VM_PAGE_MAGAZINE before it is given to a magazine and until after it has been
 * taken out, so what is found in a magazine is in that state, and at rest so is nothing else.
 */
#include "vm/vm_magazine.h"

#include "arch/bootinfo.h"
#include "arch/clock.h"
#include "arch/cpus.h"
#include "arch/physmap.h"
#include "lib/check.h"
#include "lib/format.h"
#include "smp/patience.h"
#include "smp/preempt.h"
#include "smp/smp.h"
#include "vm/mag_cache_private.h"
#include "vm/vm_page_internal.h"
#include "vm/vm_pageout_internal.h"
#include "vm/vm_phys_internal.h"
#include "vm/vm_report.h"

enum {
	CACHED_SHARE = 64, /* one in so many pages of RAM may be in magazines */
	ZERO_SHARE = 4,    /* of those, one in so many in magazines of zero pages */
	ROUNDS_MIN = 8,
};

/* Constant after init, what the caches contain and atomics apart. */
static struct {
	struct mag_cache caches[MAXMEMDOM][VM_MAGAZINE_KINDS];
	uint8_t cpu_domain[MAXCPU];
	unsigned domains; /* 0: no magazines yet */
	unsigned cpus;
	struct atomic64 next_age_ns;
	struct atomic32 pauses; /* by so many: idle CPUs keep still */
	struct atomic32 moving; /* idle CPUs that do not */
} magazines;

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
	uint64_t share = total > floor ? (total - floor) / (2 * (uint64_t)magazines.cpus) : 0;

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
	    .import = kind == VM_MAGAZINE_ANY ? pages_import : NULL,
	    .release = pages_release,
	    .is_short = pages_short,
	    .ctx = (void *)(uintptr_t)domain,
	};

	(void)mag_cache_init(&magazines.caches[domain][kind], &config);
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
	magazines.domains = info->domain_count;
	magazines.cpus = cpus;
	atomic64_store(&magazines.next_age_ns, 0, MO_RELAXED);
	atomic32_store(&magazines.pauses, 0, MO_RELAXED);
	atomic32_store(&magazines.moving, 0, MO_RELAXED);
	for (unsigned cpu = 0; cpu < cpus; cpu++)
		magazines.cpu_domain[cpu] = (uint8_t)arch_cpu_domain(cpu);
	for (unsigned domain = 0; domain < info->domain_count; domain++) {
		uint64_t bound = ram_pages(info, domain) / CACHED_SHARE;

		cache_init(domain, VM_MAGAZINE_ZERO, bound / ZERO_SHARE);
		cache_init(domain, VM_MAGAZINE_ANY, bound - bound / ZERO_SHARE);
		vm_magazine_offsets[domain] = magazines.caches[domain][VM_MAGAZINE_ANY].offset;
		all += bound;
	}
	mag_pool_reserve(magazines_needed(cpus, all));
}

unsigned vm_magazine_local_domain(void)
{
	return magazines.cpu_domain[arch_cpu_id()];
}

const struct mag_cache *vm_magazine_cache(unsigned domain, enum vm_magazine_kind kind)
{
	return domain < magazines.domains ? &magazines.caches[domain][kind] : NULL;
}

/* --- One page --- */

static vm_page_t page_out(void *item)
{
	vm_page_t m = (vm_page_t)item;

	if (m != NULL)
		m->state = VM_PAGE_ALLOCATED;
	return m;
}

vm_page_t vm_magazine_alloc(unsigned domain, uint64_t floor)
{
	struct mag_cache *cache = &magazines.caches[domain][VM_MAGAZINE_ANY];
	vm_page_t m = NULL;
	void *item;

	if (magazines.domains == 0)
		return vm_phys_alloc_batch_above(domain, &m, 1, floor) == 1 ? m : NULL;
	CHECK_LT(domain, magazines.domains);
	/* From here on this CPU's pages are where vm_page_alloc looks first. */
	percpu_self()->vm_pages = vm_magazine_offsets[vm_magazine_local_domain()];
	item = mag_cache_alloc(cache);
	if (item == NULL)
		item = mag_cache_alloc_slow(cache, (int)floor);
	return page_out(item);
}

vm_page_t vm_magazine_alloc_zero(unsigned domain)
{
	struct mag_cache *cache = &magazines.caches[domain][VM_MAGAZINE_ZERO];
	void *item;

	if (magazines.domains == 0)
		return NULL;
	CHECK_LT(domain, magazines.domains);
	item = mag_cache_alloc(cache);
	if (item == NULL)
		item = mag_cache_alloc_cached(cache);
	return page_out(item);
}

void vm_magazine_put(vm_page_t m)
{
	struct mag_cache *cache = &magazines.caches[m->domain][VM_MAGAZINE_ANY];

	if (magazines.domains == 0)
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

/* --- Zeroing ahead --- */

/* It takes microseconds; an emulator may leave the CPU alone for longer. */
#define PAUSE_WARN_NS  (5 * NS_PER_SECOND)
#define PAUSE_PANIC_NS (90 * NS_PER_SECOND)

/* Has this CPU, or the depot behind it, room for one more? */
static bool zero_room(const struct mag_cache *cache)
{
	const struct mag_cpu *part = mag_cpu_self(cache);
	uint32_t rounds = atomic32_load(&cache->rounds, MO_RELAXED);

	if (cache->lines == 0 || rounds == 0)
		return false;
	if (atomic32_load(&part->stack.count, MO_RELAXED) < rounds ||
	    atomic32_load(&part->previous_count, MO_RELAXED) < rounds)
		return true;
	return mag_cache_depot_cached(cache) + rounds <= cache->depot_limit;
}

/* The one that comes is in nobody's way; far above the marks at which the daemon begins to work. */
static vm_page_t zero_source(unsigned domain)
{
	struct vm_watermarks marks;
	vm_page_t m;

	if (vm_page_wanted())
		return NULL;
	vm_pageout_watermarks(domain, &marks);
	if (vm_phys_free_pages(domain) <= 2 * marks.high)
		return NULL;
	return vm_phys_alloc_batch_above(domain, &m, 1, 2 * marks.high) == 1 ? m : NULL;
}

bool vm_magazine_move_begin(void)
{
	/* With something in its hands, the thread does not wait until this CPU is idle again. */
	preempt_disable();
	/* Sequentially consistent, as in vm_magazine_pause: one of the two sees the other. */
	atomic32_add(&magazines.moving, 1, MO_SEQ_CST);
	if (atomic32_load(&magazines.pauses, MO_SEQ_CST) == 0)
		return true;
	vm_magazine_move_end();
	return false;
}

void vm_magazine_move_end(void)
{
	atomic32_sub(&magazines.moving, 1, MO_RELEASE);
	preempt_enable();
}

bool vm_magazine_zero_one(void)
{
	unsigned domain = vm_magazine_local_domain();
	struct mag_cache *cache = &magazines.caches[domain][VM_MAGAZINE_ZERO];
	vm_page_t m;

	if (magazines.domains == 0 || !zero_room(cache) || !vm_magazine_move_begin())
		return false;
	m = zero_source(domain);
	if (m != NULL) {
		m->state = VM_PAGE_MAGAZINE;
		arch_page_zero(VM_PAGE_TO_PHYS(m));
		m->flags = PG_ZERO;
		if (!mag_cache_free(cache, m))
			mag_cache_free_slow(cache, m);
	}
	vm_magazine_move_end();
	return m != NULL;
}

void vm_magazine_pause(void)
{
	struct patience patience;

	atomic32_add(&magazines.pauses, 1, MO_SEQ_CST);
	if (!arch_irq_enabled() || in_interrupt())
		return;
	patience_start(&patience, PAUSE_WARN_NS, PAUSE_PANIC_NS);
	/* Acquire: pairs with the release in vm_magazine_move_end. */
	while (atomic32_load(&magazines.moving, MO_SEQ_CST) != 0) {
		enum patience_verdict verdict = patience_turn(&patience);

		if (verdict == PATIENCE_OUT)
			panic("vm_magazine_pause: an idle CPU does not finish its page");
		if (verdict != PATIENCE_WAIT)
			kprintf("vm: an idle CPU zeroes one page for %u ms\n",
				(unsigned)(patience_waited_ns(&patience) / NS_PER_MS));
	}
}

void vm_magazine_resume(void)
{
	CHECK_NE(atomic32_sub(&magazines.pauses, 1, MO_RELEASE), 0);
}

/* --- All of them --- */

enum { CACHES_MAX = MAXMEMDOM * VM_MAGAZINE_KINDS };

/* All caches, in caches[CACHES_MAX]; returns how many. */
static unsigned caches_list(struct mag_cache **caches)
{
	unsigned n = 0;

	for (unsigned domain = 0; domain < magazines.domains; domain++)
		for (unsigned kind = 0; kind < VM_MAGAZINE_KINDS; kind++)
			caches[n++] = &magazines.caches[domain][kind];
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

/* Idle CPUs come by at each tick; the first one of each second does it for all. */
bool vm_magazine_idle(void)
{
	uint64_t now = arch_clock_ns(), due = atomic64_load(&magazines.next_age_ns, MO_RELAXED);

	if (atomic32_load(&magazines.pauses, MO_RELAXED) != 0)
		return false;
	if (now >= due && atomic64_cas(&magazines.next_age_ns, &due, now + AGE_NS, MO_RELAXED))
		vm_magazine_age();
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
	for (unsigned domain = 0; domain < magazines.domains; domain++)
		for (unsigned kind = 0; kind < VM_MAGAZINE_KINDS; kind++)
			stats_add(stats, &magazines.caches[domain][kind], cpu,
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

/* --- Audit --- */

struct audit {
	vm_report_fn *report;
	unsigned broken;
	vm_page_t mark; /* no page's address, and no earlier audit's mark */
	unsigned domain;
	enum vm_magazine_kind kind;
};

static void holder_name(char *text, size_t size, int cpu)
{
	if (cpu == MAG_CACHE_DEPOT)
		format(text, size, "the depot");
	else
		format(text, size, "CPU %d", cpu);
}

/*
 * A page in a magazine uses its list links for nothing: an audit leaves its mark there, and finds
 * one that it has seen.
 */
static void audit_page(void *arg, void *item, int cpu)
{
	struct audit *audit = (struct audit *)arg;
	vm_page_t m = (vm_page_t)item;
	unsigned long long pa = (unsigned long long)m->phys_addr;
	struct vm_page_damage damage;
	char holder[16];

	holder_name(holder, sizeof(holder), cpu);
	if (m->state != VM_PAGE_MAGAZINE) {
		audit->broken += vm_report(audit->report, "magazine: page %#llx of %s is %s", pa,
					   holder, vm_page_state_name(m->state));
		return; /* its links are in use */
	}
	if (m->link.tqe_next == audit->mark)
		audit->broken +=
		    vm_report(audit->report, "magazine: %s holds %#llx a second time", holder, pa);
	m->link.tqe_next = audit->mark;
	if (m->domain != audit->domain)
		audit->broken +=
		    vm_report(audit->report, "magazine: page %#llx of domain %u is kept for %u", pa,
			      m->domain, audit->domain);
	if (m->object != NULL || m->wire_count != 0 || m->order != VM_PAGE_NO_ORDER)
		audit->broken +=
		    vm_report(audit->report, "magazine: page %#llx of %s is in use", pa, holder);
	if (audit->kind == VM_MAGAZINE_ZERO && (m->flags & PG_ZERO) == 0)
		audit->broken += vm_report(
		    audit->report, "magazine: page %#llx of %s is not known zero", pa, holder);
	if (!vm_page_intact(m, &damage))
		audit->broken +=
		    vm_report(audit->report, "magazine: page %#llx was written at offset %u", pa,
			      damage.offset);
}

static unsigned audit_all(vm_report_fn *report)
{
	static struct atomic32 audits;
	struct audit audit = {.report = report};

	audit.mark = (vm_page_t)(uintptr_t)(2 * atomic32_add(&audits, 1, MO_RELAXED) + 1);
	for (audit.domain = 0; audit.domain < magazines.domains; audit.domain++) {
		for (unsigned kind = 0; kind < VM_MAGAZINE_KINDS; kind++) {
			struct mag_cache *cache = &magazines.caches[audit.domain][kind];

			audit.kind = (enum vm_magazine_kind)kind;
			audit.broken += mag_cache_audit(cache, report);
			mag_cache_visit(cache, audit_page, &audit);
		}
	}
	return audit.broken;
}

static void report_nothing(const char *line)
{
	(void)line;
}

/*
 * A magazine that went from a CPU to the depot while the audit was on its way is seen twice; a page
 * that is in two places is so the next time as well.
 */
unsigned vm_magazine_audit(void (*report)(const char *line))
{
	unsigned broken;

	vm_magazine_pause();
	broken = audit_all(report_nothing);
	if (broken != 0)
		broken = audit_all(report);
	vm_magazine_resume();
	return broken;
}
