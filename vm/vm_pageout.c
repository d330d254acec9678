/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Purpose. Reclaim keeps some pages of each memory domain free, and finds some when they run out:
 * it empties caches, tells the owners of spare memory (the vm_lowmem event), and takes back pages
 * of pageable memory that can be had without loss. Whoever can wait for that sleeps in vm_wait.c.
 *
 * Vocabulary. The watermarks of a domain (vm_watermarks.c) are the numbers of free pages at which
 * something happens. The deficit is how many pages were asked for in vain since the last round of
 * work. The shortage is what is missing now: up to `high`, and the deficit.
 *
 * The daemon is wanted when an allocation fails (deficit) or leaves a domain below `low`. It works
 * in rounds, from what costs little to what costs more, and stops as soon as nothing is short. A
 * round that did not end the shortage but freed something is followed by another one. After one
 * that freed nothing the next would not either, so the daemon rests: shortly while requests fail,
 * longer and longer while they do not, since all that memory may be in use for good.
 *
 * Locking. pageout.lock, rank LOCK_RANK_PAGE_WAIT, makes falling asleep and waking one; it guards
 * nothing else. What the daemon is wanted for is a word of bits that only grows until a round
 * takes it: whoever finds its bit set knows that a later round will see what it did before.
 * Nothing is locked while events are fired or pages are scanned.
 *
 * Failure. Reclaim may fail to find a page; then those who wait do so, and are named in the log.
 */
#include "vm/vm_pageout.h"

#include "arch/clock.h"
#include "kernel/sched/sleepq.h"
#include "lib/check.h"
#include "vm/uma.h"
#include "vm/vm_page_internal.h"
#include "vm/vm_pageout_internal.h"
#include "vm/vm_phys_internal.h"

#define MS_NS UINT64_C(1000000)

#define LOWMEM_PERIOD_NS  (1000 * MS_NS)  /* between events, unless a deficit persists */
#define PAUSE_PROGRESS_NS (10 * MS_NS)    /* after a round that was not enough: one tick */
#define PAUSE_DEFICIT_NS  (100 * MS_NS)   /* after one that was for nothing, requests fail */
#define PAUSE_WAITERS_NS  (1000 * MS_NS)  /* the same, no new request fails, but some wait */
#define PAUSE_LOW_MIN_NS  (1000 * MS_NS)  /* the same, nobody is refused: doubled every time */
#define PAUSE_LOW_MAX_NS  (32000 * MS_NS) /* up to this */

#define NEVER UINT64_MAX

typedef uint64_t scanner(uint64_t wanted);

/* (l) lock  (a) atomic */
static struct {
	struct spinlock lock;
	bool asleep;                 /* (l) the daemon sleeps, on the address of this structure */
	struct atomic32 wants;       /* (a) enum vm_pageout_want: for the next round */
	struct atomic64 deficit;     /* (a) pages, since the last round */
	struct atomic32 unmet;       /* (a) the last round left a shortage */
	struct atomic64 next_lowmem; /* (a) ns: no event before, unless a deficit persists */
	struct atomic_ptr scan;      /* (a) scanner */
	struct atomic64 wakeups;     /* (a) this and those below: statistics */
	struct atomic64 lowmem_events;
	struct atomic64 drained_pages;
	struct atomic64 aged_pages;
	struct atomic64 taken_pages;
} pageout = {.lock = SPINLOCK_INIT("page daemon", LOCK_RANK_PAGE_WAIT)};

EVENTHANDLER_DEFINE(vm_lowmem);

void vm_pageout_init(void)
{
	pageout.asleep = false;
	atomic32_store(&pageout.wants, 0, MO_RELAXED);
	atomic64_store(&pageout.deficit, 0, MO_RELAXED);
	atomic32_store(&pageout.unmet, 0, MO_RELAXED);
	atomic64_store(&pageout.next_lowmem, 0, MO_RELAXED);
	atomic_ptr_store(&pageout.scan, NULL, MO_RELAXED);
	atomic64_store(&pageout.wakeups, 0, MO_RELAXED);
	atomic64_store(&pageout.lowmem_events, 0, MO_RELAXED);
	atomic64_store(&pageout.drained_pages, 0, MO_RELAXED);
	atomic64_store(&pageout.aged_pages, 0, MO_RELAXED);
	atomic64_store(&pageout.taken_pages, 0, MO_RELAXED);
	vm_wait_init();
	vm_watermarks_init();
}

/* --- Sources of pages, cheapest first --- */

/* Pages in magazines are free, only not for everybody. */
static void caches_drain(void)
{
	atomic64_add(&pageout.drained_pages, vm_page_reclaim_caches(), MO_RELAXED);
}

void vm_pageout_lowmem(void)
{
	atomic64_store(&pageout.next_lowmem, arch_clock_ns() + LOWMEM_PERIOD_NS, MO_RELAXED);
	atomic64_add(&pageout.lowmem_events, 1, MO_RELAXED);
	EVENTHANDLER_INVOKE(vm_lowmem);
}

/* What handlers of the event free lands in caches. */
static void spare_memory_reclaim(void)
{
	vm_pageout_lowmem();
	uma_reclaim();
	caches_drain();
}

void vm_pageout_set_scanner(uint64_t (*scan)(uint64_t wanted))
{
	/* Pairs with the load in pageable_scan. */
	atomic_ptr_store(&pageout.scan, (void *)scan, MO_RELEASE);
}

void vm_pageout_count_aged(uint64_t npages)
{
	atomic64_add(&pageout.aged_pages, npages, MO_RELAXED);
}

static void pageable_scan(uint64_t wanted)
{
	/* Pairs with the store in vm_pageout_set_scanner. */
	scanner *scan = (scanner *)atomic_ptr_load(&pageout.scan, MO_ACQUIRE);

	if (scan == NULL)
		return;
	atomic64_add(&pageout.taken_pages, scan(wanted), MO_RELAXED);
	caches_drain();
}

/* --- A round of work --- */

enum outcome { ENOUGH, PROGRESS, NOTHING };

static uint64_t deficit_take(void)
{
	uint64_t deficit = atomic64_exchange(&pageout.deficit, 0, MO_RELAXED);
	uint64_t max = vm_watermarks_deficit_max();

	return deficit < max ? deficit : max;
}

static bool lowmem_due(uint64_t deficit)
{
	if (deficit != 0 && atomic32_load(&pageout.unmet, MO_RELAXED) != 0)
		return true;
	return arch_clock_ns() >= atomic64_load(&pageout.next_lowmem, MO_RELAXED);
}

static enum outcome round_run(void)
{
	uint64_t deficit, before, wanted;

	/* Pairs with vm_pageout_poke: what was done before a bit was set is seen below. */
	(void)atomic32_exchange(&pageout.wants, 0, MO_ACQ_REL);
	deficit = deficit_take();
	caches_drain();
	before = vm_phys_free_total();
	if (vm_watermarks_shortage(deficit) != 0 && lowmem_due(deficit))
		spare_memory_reclaim();
	wanted = vm_watermarks_shortage(deficit);
	if (wanted != 0)
		pageable_scan(wanted);
	vm_pageout_page_freed();
	wanted = vm_watermarks_shortage(deficit);
	atomic32_store(&pageout.unmet, wanted != 0, MO_RELAXED);
	if (wanted == 0)
		return ENOUGH;
	return vm_phys_free_total() > before ? PROGRESS : NOTHING;
}

void vm_pageout_pass(void)
{
	(void)round_run();
}

/* --- The daemon --- */

/* The earliest times of the next round, by what it is for. The daemon's own. */
struct pace {
	uint64_t deficit_ns, waiters_ns, low_ns;
	uint64_t low_pause_ns;
};

static void pace_after(struct pace *pace, enum outcome outcome)
{
	uint64_t now = arch_clock_ns();

	if (outcome == NOTHING) {
		pace->deficit_ns = now + PAUSE_DEFICIT_NS;
		pace->waiters_ns = now + PAUSE_WAITERS_NS;
		pace->low_ns = now + pace->low_pause_ns;
		if (pace->low_pause_ns < PAUSE_LOW_MAX_NS)
			pace->low_pause_ns *= 2;
		return;
	}
	pace->low_pause_ns = PAUSE_LOW_MIN_NS;
	pace->deficit_ns = pace->low_ns = outcome == PROGRESS ? now + PAUSE_PROGRESS_NS : now;
	/* Enough for the watermarks is enough for whoever waits; it is only not awake yet. */
	pace->waiters_ns = now + PAUSE_WAITERS_NS;
}

static uint64_t next_round_ns(const struct pace *pace)
{
	uint32_t wants = atomic32_load(&pageout.wants, MO_RELAXED);
	uint64_t due = NEVER;

	if (wants & VM_PAGEOUT_LOW)
		due = pace->low_ns;
	if (vm_page_wanted() && pace->waiters_ns < due)
		due = pace->waiters_ns;
	if (wants & VM_PAGEOUT_DEFICIT && pace->deficit_ns < due)
		due = pace->deficit_ns;
	return due;
}

static void daemon_rest(const struct pace *pace)
{
	spin_lock(&pageout.lock);
	for (;;) {
		uint64_t now = arch_clock_ns(), due = next_round_ns(pace);

		if (due <= now)
			break;
		pageout.asleep = true;
		(void)sleep_on_spin(&pageout, &pageout.lock, "a shortage of pages",
				    due == NEVER ? SLEEP_FOREVER : due - now);
		pageout.asleep = false;
	}
	spin_unlock(&pageout.lock);
}

QUIRE_NORETURN void vm_pageout_daemon(void *unused)
{
	struct pace pace = {0, 0, 0, PAUSE_LOW_MIN_NS};

	(void)unused;
	for (;;) {
		enum outcome outcome;

		daemon_rest(&pace);
		atomic64_add(&pageout.wakeups, 1, MO_RELAXED);
		outcome = round_run();
		pace_after(&pace, outcome);
		if (outcome == PROGRESS)
			vm_pageout_poke(VM_PAGEOUT_LOW);
	}
}

void vm_pageout_poke(enum vm_pageout_want want)
{
	/* Pairs with the exchange in round_run. */
	if (atomic32_or(&pageout.wants, want, MO_ACQ_REL) & (uint32_t)want)
		return;
	spin_lock(&pageout.lock);
	if (pageout.asleep)
		wakeup(&pageout);
	spin_unlock(&pageout.lock);
}

void vm_pageout_deficit(uint64_t npages)
{
	atomic64_add(&pageout.deficit, npages, MO_RELAXED);
	vm_pageout_poke(VM_PAGEOUT_DEFICIT);
}

/* --- For one request --- */

static bool ram_between(vm_paddr_t low, vm_paddr_t high)
{
	for (unsigned i = 0; i < vm_phys_segment_count(); i++)
		if (vm_phys_segment(i)->start < high && low < vm_phys_segment(i)->end)
			return true;
	return false;
}

uint64_t vm_pageout_grow_cache(int tries, vm_paddr_t low, vm_paddr_t high)
{
	uint64_t before = vm_phys_free_total(), after;

	if (low >= high || !ram_between(low, high))
		return 0;
	caches_drain();
	if (tries > 0)
		spare_memory_reclaim();
	if (tries > 1)
		pageable_scan(UINT64_MAX);
	after = vm_phys_free_total();
	return after > before ? after - before : 0;
}

void vm_pageout_stats(struct vm_pageout_stats *stats)
{
	stats->wakeups = atomic64_load(&pageout.wakeups, MO_RELAXED);
	stats->lowmem_events = atomic64_load(&pageout.lowmem_events, MO_RELAXED);
	stats->drained_pages = atomic64_load(&pageout.drained_pages, MO_RELAXED);
	stats->aged_pages = atomic64_load(&pageout.aged_pages, MO_RELAXED);
	stats->taken_pages = atomic64_load(&pageout.taken_pages, MO_RELAXED);
	stats->waits = vm_wait_sleeps();
}
