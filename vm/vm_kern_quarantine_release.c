/* SPDX-License-Identifier: BSD-2-Clause */
/* The quarantine's way out: batches are sealed, and given back when their generation has passed. */
#include "lib/check.h"
#include "lib/panic.h"
#include "lib/planted.h"
#include "smp/patience.h"
#include "smp/preempt.h"
#include "vm/vm_kern_quarantine_private.h"
#include "vm/vm_magazine.h"
#include "vm/vm_map_private.h"

#define RUN_WARN_NS  (5 * NS_PER_SECOND)
#define RUN_PANIC_NS (90 * NS_PER_SECOND)

/* --- Sealing --- */

static void sort(struct quarantine_range *ranges, unsigned count)
{
	for (unsigned i = 1; i < count; i++) {
		struct quarantine_range range = ranges[i];
		unsigned k = i;

		for (; k > 0 && ranges[k - 1].start > range.start; k--)
			ranges[k] = ranges[k - 1];
		ranges[k] = range;
	}
}

/* Pages that wait in sealed batches of all CPUs, with these. */
static void count_sealed(uint64_t pages)
{
	struct quarantine_shared *shared = &quarantine_shared;
	uint64_t now = atomic64_add(&shared->sealed_pages, pages, MO_RELAXED) + pages;

	if (now > atomic64_load(&shared->pages_max, MO_RELAXED))
		atomic64_store(&shared->pages_max, now, MO_RELAXED); /* a race loses a little */
}

bool quarantine_limit_reached(void)
{
	return atomic64_load(&quarantine_shared.sealed_pages, MO_RELAXED) >
	       quarantine_shared.pages_limit;
}

void quarantine_seal_locked(struct quarantine *q)
{
	struct quarantine_batch *batch = q->open;

	if (batch == NULL || batch->count == 0)
		return;
	q->open = NULL;
	sort(batch->ranges, batch->count);
	count_sealed(batch->pages);
	batch->generation = tlb_generation_begin();
	if (PLANTED(quarantine_old_generation))
		batch->generation--;
	STAILQ_INSERT_TAIL(&q->sealed, batch, link);
	quarantine_add_locked(&q->batches, 1);
}

static void seal(struct quarantine *q)
{
	spin_lock(&q->lock);
	quarantine_seal_locked(q);
	spin_unlock(&q->lock);
}

/* --- Giving back --- */

/* Takes the highest run off the batch. */
static struct quarantine_range run_pop(struct quarantine_batch *batch)
{
	struct quarantine_range run = batch->ranges[--batch->count];

	while (batch->count != 0 && batch->ranges[batch->count - 1].end == run.start &&
	       batch->ranges[batch->count - 1].map == run.map)
		run.start = batch->ranges[--batch->count].start;
	return run;
}

/* The emptied first batch goes; returns what is not needed as a spare. */
static struct quarantine_batch *batch_retire_locked(struct quarantine *q)
{
	struct quarantine_batch *batch = STAILQ_FIRST(&q->sealed);

	STAILQ_REMOVE_HEAD(&q->sealed, link);
	atomic64_sub(&quarantine_shared.sealed_pages, batch->pages, MO_RELAXED);
	if (q->spare != NULL)
		return batch;
	q->spare = batch;
	return NULL;
}

/* The addresses and pages of a run go back. False without memory for a map entry. */
static bool run_delete(const struct quarantine_range *run)
{
	bool done;

	vm_map_lock(run->map);
	done = vm_map_delete(run->map, run->start, run->end) == KERN_SUCCESS;
	if (done)
		kmem_space_freed(run->map);
	vm_map_unlock(run->map);
	return done;
}

enum release { RELEASE_NOTHING, RELEASE_DONE, RELEASE_BUSY, RELEASE_FAILED };

/* What may be given back next, as q->run. */
static enum release run_begin_locked(struct quarantine *q)
{
	struct quarantine_batch *batch = STAILQ_FIRST(&q->sealed);

	if (q->run.map != NULL && !PLANTED(quarantine_two_runs))
		return RELEASE_BUSY;
	if (batch == NULL ||
	    (!tlb_generation_passed(batch->generation) && !PLANTED(quarantine_early)))
		return RELEASE_NOTHING;
	q->run = run_pop(batch);
	return RELEASE_DONE;
}

/* It is gone, or goes back into its batch, which nobody else has touched. */
static struct quarantine_batch *run_end_locked(struct quarantine *q, bool done)
{
	struct quarantine_batch *batch = STAILQ_FIRST(&q->sealed);

	if (done) {
		quarantine_add_locked(&q->pages, -(uint64_t)atop(q->run.end - q->run.start));
		quarantine_add_locked(&q->runs, 1);
	} else {
		batch->ranges[batch->count++] = q->run;
	}
	q->run.map = NULL;
	return batch->count == 0 ? batch_retire_locked(q) : NULL;
}

/* One run; preemption is off. */
static enum release release_run(struct quarantine *q)
{
	struct quarantine_batch *batch;
	enum release verdict;

	spin_lock(&q->lock);
	verdict = run_begin_locked(q);
	spin_unlock(&q->lock);
	if (verdict != RELEASE_DONE)
		return verdict;
	if (!run_delete(&q->run))
		verdict = RELEASE_FAILED;
	spin_lock(&q->lock);
	batch = run_end_locked(q, verdict == RELEASE_DONE);
	spin_unlock(&q->lock);
	if (batch != NULL)
		vm_pool_free(&quarantine_batch_pool, batch);
	return verdict;
}

static enum release release_one(struct quarantine *q)
{
	enum release verdict;

	preempt_disable();
	verdict = release_run(q);
	preempt_enable();
	return verdict;
}

void quarantine_release_passed(struct quarantine *q)
{
	for (unsigned i = 0; i < 2 * QUARANTINE_RANGES; i++)
		if (release_one(q) != RELEASE_DONE)
			return;
}

/* A wait for one run that somebody else gives back. */
struct run_wait {
	uint64_t runs; /* given back when it began */
	struct patience patience;
};

static void run_wait_begin(struct run_wait *wait, const struct quarantine *q)
{
	wait->runs = atomic64_load(&q->runs, MO_RELAXED);
	patience_start(&wait->patience, RUN_WARN_NS, RUN_PANIC_NS);
}

/* A turn. Its preemption is off: the run is soon at its end, or its CPU has a problem. */
static void run_wait_turn(struct run_wait *wait, const struct quarantine *q)
{
	const char *who = "quarantine: a run of cpu";
	unsigned cpu = (unsigned)(q - quarantine_shared.cpus);
	enum patience_verdict verdict;

	if (atomic64_load(&q->runs, MO_RELAXED) != wait->runs)
		run_wait_begin(wait, q);
	verdict = patience_turn(&wait->patience);
	if (verdict == PATIENCE_OUT)
		panic("%s %u is not given back to the end", who, cpu);
	if (verdict == PATIENCE_WARN)
		kprintf("%s %u has been under way for %lu s\n", who, cpu,
			(unsigned long)(patience_waited_ns(&wait->patience) / NS_PER_SECOND));
}

/* All of it that has passed, also while its CPU is at it. */
static void release_all(struct quarantine *q)
{
	struct run_wait wait;

	run_wait_begin(&wait, q);
	for (;;) {
		switch (release_one(q)) {
		case RELEASE_NOTHING:
			return;
		case RELEASE_DONE:
			break;
		case RELEASE_BUSY:
			run_wait_turn(&wait, q);
			break;
		case RELEASE_FAILED:
			/* Entries are in the hands of other removals, which bring them back. */
			thread_yield();
			break;
		}
	}
}

/* --- For whoever is short --- */

bool quarantine_may_ask(void)
{
	return !in_interrupt() && spin_held_count() == 0 && arch_irq_enabled();
}

/* Batches without ranges: they hold pages as well. */
static void spares_free(struct quarantine *q)
{
	struct quarantine_batch *spare, *open = NULL;

	spin_lock(&q->lock);
	spare = q->spare;
	q->spare = NULL;
	if (q->open != NULL && q->open->count == 0) {
		open = q->open;
		q->open = NULL;
	}
	spin_unlock(&q->lock);
	if (spare != NULL)
		vm_pool_free(&quarantine_batch_pool, spare);
	if (open != NULL)
		vm_pool_free(&quarantine_batch_pool, open);
}

static void flush_sealed(void)
{
	atomic64_add(&quarantine_shared.flushes, 1, MO_RELAXED);
	tlb_generation_force(tlb_generation_begin(), SHOOTDOWN_FORCED);
	for (unsigned cpu = 0; cpu < quarantine_shared.cpu_count; cpu++)
		release_all(&quarantine_shared.cpus[cpu]);
}

uint64_t kmem_quarantine_flush(void)
{
	uint64_t before;

	if (!quarantine_may_ask())
		return 0;
	if (PLANTED(quarantine_unlocked_look) && kmem_quarantine_pages() == 0)
		return 0;
	/* Every lock is taken before the look: whoever puts a range there later sees the waiter. */
	for (unsigned cpu = 0; cpu < quarantine_shared.cpu_count; cpu++)
		seal(&quarantine_shared.cpus[cpu]);
	before = kmem_quarantine_pages();
	if (before != 0)
		flush_sealed();
	for (unsigned cpu = 0; cpu < quarantine_shared.cpu_count; cpu++)
		spares_free(&quarantine_shared.cpus[cpu]);
	return before;
}

bool kmem_quarantine_idle(void)
{
	struct quarantine *q;
	bool did;

	if (quarantine_shared.cpu_count == 0)
		return false;
	q = &quarantine_shared.cpus[arch_cpu_id()];
	if (atomic64_load(&q->pages, MO_RELAXED) == 0)
		return false;
	/* Not while somebody counts. */
	if (!vm_magazine_move_begin())
		return false;
	seal(q);
	tlb_catch_up();
	did = release_one(q) == RELEASE_DONE;
	vm_magazine_move_end();
	return did;
}
