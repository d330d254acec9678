/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The quarantine of freed kernel memory.
 *
 * 1. Purpose. Neither a page nor an address may be reused while some CPU remembers a translation
 *    that joins them. Asking every CPU at every free costs more than all the rest of the free. But
 *    CPUs forget anyhow, at each tick, and what is asked for once can serve a thousand frees; so
 *    freed memory waits, and usually nobody is asked at all.
 *
 * 2. Vocabulary. A range was freed by one call; its page table entries are empty, and as far as map
 *    and object know it is still allocated. A batch holds ranges of one CPU: open while it takes
 *    them; sealed when it waits for a generation (smp/tlb.h). A run is a piece of a sealed batch
 *    without a hole: it is given back as a whole.
 *
 * 3. Life of a range. kmem_free empties its page table entries and puts it into the open batch of
 *    its CPU. The batch is sealed when it is full, holds many pages, or is older than a tick: a
 *    generation begins, and this CPU flushes. From the time that the generation has passed, runs
 *    are given back by vm_map_delete, which finds nothing mapped and so has nobody to ask.
 *    - Putting and emptying happen under the CPU's lock, and so does sealing: what is in a batch
 *      was emptied before its generation began.
 *    - The page table says whether a range is allocated: a second free finds it unmapped. Only
 *      whole ranges of small, wired, ordinary pages are put there; everything else takes the
 *      immediate way.
 *
 * 4. Who gives back. The CPU itself, whenever it seals a batch or idles; anybody who is short, of
 *    every CPU (kmem_quarantine_flush). One run of a CPU at a time, with preemption off, so that
 *    whoever waits for it waits for a CPU and not for a thread.
 *
 * 5. Bounds. All batches together hold at most 1/16 of RAM: who seals one beyond that flushes.
 * While somebody waits for pages, or for addresses of the map, frees are immediate. The waiter for
 *    pages adds itself before it flushes, and the one who frees looks with the lock held: so either
 *    the flush finds the range, or the free finds the waiter.
 *
 * 6. Failure. Putting needs memory for a batch; without it the free is immediate. Giving back may
 *    need a map entry; without it the run goes back into its batch.
 *
 * 7. Rejected. Keeping pages and addresses apart, so that pages could go earlier: both wait for the
 *    same flush. One list for all CPUs: its lock would be taken at every free. Reusing a range from
 *    quarantine directly: that is what the kmem caches do, before they unmap anything.
 *
 * Deferring the flush of freed kernel memory is an old idea (lazy vfree in Linux, 2008; Mach's
 * lazy shootdown, Black et al., ASPLOS 1989). There pages are given back at once and only addresses
 * wait; here both do, because a CPU can write through what it remembers.
 */
#include "lib/bits.h"
#include "lib/check.h"
#include "lib/planted.h"
#include "smp/percpu.h"
#include "smp/preempt.h"
#include "vm/pmap.h"
#include "vm/vm_boot.h"
#include "vm/vm_kern_debug.h"
#include "vm/vm_kern_quarantine_private.h"
#include "vm/vm_magazine.h"
#include "vm/vm_map_private.h"
#include "vm/vm_pageout_internal.h"
#include "vm/vm_phys.h"
#include "vm/vm_pool.h"

enum {
	RAM_SHARE = 16,        /* one in so many pages of RAM may wait */
	RANGE_PAGES_MAX = 256, /* larger ones are worth a shootdown of their own */
	BATCH_PAGES_MAX = 256, /* a flush that so many share costs each next to nothing */
	BATCH_PAGES_MIN = 16,
};

_Static_assert(sizeof(struct quarantine_batch) <= (PAGE_SIZE - CACHE_LINE) / 2,
	       "two batches fill a page");

struct quarantine_shared quarantine_shared;
struct vm_pool quarantine_batch_pool;

void kmem_quarantine_init(unsigned cpus)
{
	struct quarantine_shared *shared = &quarantine_shared;

	*shared = (struct quarantine_shared){0};
	shared->cpus = (struct quarantine *)vm_boot_alloc(cpus * sizeof(*shared->cpus), CACHE_LINE,
							  "lines of the quarantine");
	for (unsigned cpu = 0; cpu < cpus; cpu++) {
		spin_init(&shared->cpus[cpu].lock, "quarantine", LOCK_RANK_QUARANTINE, 0);
		STAILQ_INIT(&shared->cpus[cpu].sealed);
	}
	vm_pool_init(&quarantine_batch_pool, "quarantine", sizeof(struct quarantine_batch), 0,
		     LOCK_RANK_MAP_ENTRIES);
	shared->cpu_count = cpus;
}

void kmem_quarantine_set_limits(uint64_t ram_pages)
{
	struct quarantine_shared *shared = &quarantine_shared;
	uint64_t batch;

	shared->pages_limit = ram_pages / RAM_SHARE;
	batch = shared->pages_limit / (4 * (uint64_t)shared->cpu_count);
	if (batch < BATCH_PAGES_MIN)
		batch = BATCH_PAGES_MIN;
	shared->batch_pages = batch < BATCH_PAGES_MAX ? batch : BATCH_PAGES_MAX;
}

/* Relaxed: a switch for people; who sees the old value does what was right a moment ago. */
bool kmem_quarantine_immediate(void)
{
	return atomic32_load(&quarantine_shared.immediate, MO_RELAXED) != 0;
}

void kmem_quarantine_set_immediate(bool immediate)
{
	atomic32_store(&quarantine_shared.immediate, immediate, MO_RELAXED);
	if (immediate)
		(void)kmem_quarantine_flush();
}

uint64_t kmem_quarantine_pages(void)
{
	uint64_t pages = 0;

	for (unsigned cpu = 0; cpu < quarantine_shared.cpu_count; cpu++)
		pages += atomic64_load(&quarantine_shared.cpus[cpu].pages, MO_RELAXED);
	return pages;
}

/* --- Frees --- */

/* May this range wait? Its map's lock has not been taken, and nothing has been changed. */
static bool may_wait(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	bool covered;

	if (quarantine_shared.pages_limit == 0 || kmem_quarantine_immediate() || !map->system_map ||
	    atop(end - start) > RANGE_PAGES_MAX ||
	    atop(end - start) > quarantine_shared.batch_pages)
		return false;
	/* Nobody can be asked here, now or later: the immediate way says what is wrong. */
	if (!quarantine_may_ask())
		return false;
	/* All of kmem_map belongs to callers of kmem_malloc; other maps have submaps and guards. */
	if (map == kmem_map)
		return start >= map->min_offset && end <= map->max_offset && !kmem_debug();
	vm_map_lock(map);
	covered = map_range_covered(map, start, end);
	vm_map_unlock(map);
	return covered;
}

/* An open batch with room, or NULL. */
static struct quarantine_batch *batch_open_locked(struct quarantine *q)
{
	struct quarantine_batch *batch = q->open;

	if (batch != NULL)
		return batch;
	batch = q->spare;
	q->spare = NULL;
	if (batch == NULL)
		batch = (struct quarantine_batch *)vm_pool_alloc(&quarantine_batch_pool,
								 VM_POOL_NORMAL, "kmem_quarantine");
	if (batch == NULL)
		return NULL;
	batch->count = 0;
	batch->pages = 0;
	batch->first_tick = percpu_self()->tick_count;
	q->open = batch;
	return batch;
}

static void batch_add(struct quarantine_batch *batch, vm_map_t map, vm_offset_t start,
		      vm_offset_t end)
{
	struct quarantine_range *last = batch->count != 0 ? &batch->ranges[batch->count - 1] : NULL;

	batch->pages += atop(end - start);
	if (last != NULL && last->map == map && last->end == start)
		last->end = end;
	else if (last != NULL && last->map == map && last->start == end)
		last->start = start;
	else
		batch->ranges[batch->count++] = (struct quarantine_range){map, start, end};
}

static bool batch_is_due(const struct quarantine_batch *batch)
{
	return batch->count == QUARANTINE_RANGES || batch->pages >= quarantine_shared.batch_pages ||
	       percpu_self()->tick_count - batch->first_tick > 1;
}

/* Unmaps the range and keeps it, if everything is as it should be; *due: the batch is to be sealed.
 */
static bool put_locked(struct quarantine *q, vm_map_t map, vm_offset_t start, vm_offset_t end,
		       bool *due)
{
	struct quarantine_batch *batch;

	/*
	 * A batch takes a page, too: not from those who wait for one. Whoever waits for addresses
	 * looks again by itself: not to see it here costs it a part of a second.
	 */
	if ((vm_page_wanted() && !PLANTED(quarantine_waiter_unseen)) ||
	    atomic32_load(&map->space_waiters, MO_RELAXED) != 0)
		return false;
	batch = batch_open_locked(q);
	if (batch == NULL || !pmap_clear_wired(map->pmap, start, end))
		return false;
	batch_add(batch, map, start, end);
	quarantine_add_locked(&q->pages, atop(end - start));
	quarantine_add_locked(&q->pages_put, atop(end - start));
	quarantine_add_locked(&q->ranges_put, 1);
	*due = batch_is_due(batch);
	return true;
}

bool kmem_quarantine_put(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	struct quarantine *q;
	bool kept, due = false;

	if (!may_wait(map, start, end))
		return false;
	q = &quarantine_shared.cpus[arch_cpu_id()];
	spin_lock(&q->lock);
	kept = put_locked(q, map, start, end, &due);
	if (due)
		quarantine_seal_locked(q);
	spin_unlock(&q->lock);
	if (!due)
		return kept;
	tlb_catch_up();
	if (quarantine_limit_reached()) {
		atomic64_add(&quarantine_shared.limit_flushes, 1, MO_RELAXED);
		(void)kmem_quarantine_flush();
	} else {
		quarantine_release_passed(q);
	}
	return kept;
}

static bool overlaps(const struct quarantine_range *range, vm_offset_t start, vm_offset_t end)
{
	return range->map != NULL && range->start < end && start < range->end;
}

static bool batch_holds(const struct quarantine_batch *batch, vm_offset_t start, vm_offset_t end)
{
	for (unsigned i = 0; i < batch->count; i++)
		if (overlaps(&batch->ranges[i], start, end))
			return true;
	return false;
}

static bool cpu_holds(struct quarantine *q, vm_offset_t start, vm_offset_t end)
{
	struct quarantine_batch *batch;
	bool holds;

	spin_lock(&q->lock);
	holds =
	    overlaps(&q->run, start, end) || (q->open != NULL && batch_holds(q->open, start, end));
	STAILQ_FOREACH (batch, &q->sealed, link)
		holds = holds || batch_holds(batch, start, end);
	spin_unlock(&q->lock);
	return holds;
}

static bool all_mapped(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	while (start < end && pmap_extract(map->pmap, start) != 0)
		start += PAGE_SIZE;
	return start >= end;
}

bool kmem_quarantine_holds(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	/* Without a look at kmem_quarantine_pages: who puts it there now holds a lock, and counts
	 * last. */
	if (all_mapped(map, start, end))
		return false;
	for (unsigned cpu = 0; cpu < quarantine_shared.cpu_count; cpu++)
		if (cpu_holds(&quarantine_shared.cpus[cpu], start, end))
			return true;
	return false;
}

void kmem_quarantine_settle(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	if (map->system_map && kmem_quarantine_holds(map, trunc_page(start), round_page(end)))
		(void)kmem_quarantine_flush();
}
