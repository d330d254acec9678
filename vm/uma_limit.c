/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The most items that a zone may have allocated at a time.
 *
 * Only zones that were given a limit count, under a lock; others never come here. A thread that
 * finds no room joins a queue, and whoever frees an item hands its place to the first in the
 * queue: nobody who comes later can take it, and a wake-up that is not needed cannot be lost,
 * because the place itself was handed over under the lock.
 */
#include "kernel/sched/sleepq.h"
#include "lib/check.h"
#include "lib/planted.h"
#include "smp/percpu.h"
#include "smp/preempt.h"
#include "vm/uma_private.h"

/* What planted bugs are made of: others get in between two steps that belong together. */
static inline void lock_pause(uma_zone_t zone)
{
	spin_unlock(&zone->wait_lock);
	spin_lock(&zone->wait_lock);
}

/* Gives places to those who wait, as far as there are places. Lock held. */
static void serve_locked(uma_zone_t zone)
{
	struct uma_waiter *waiter;

	while ((waiter = TAILQ_FIRST(&zone->waiters)) != NULL &&
	       (zone->limit == 0 || zone->counted < zone->limit)) {
		TAILQ_REMOVE(&zone->waiters, waiter, link);
		zone->counted++;
		waiter->granted = true;
		wakeup(waiter);
	}
}

static void wait_locked(uma_zone_t zone)
{
	struct uma_waiter self = {.granted = false};

	zone->sleeps++;
	if (PLANTED(limit_waiter_late))
		lock_pause(zone);
	TAILQ_INSERT_TAIL(&zone->waiters, &self, link);
	while (!self.granted)
		(void)sleep_on_spin(&self, &zone->wait_lock, "zonelimit", SLEEP_FOREVER);
}

bool uma_limit_take(uma_zone_t zone, int flags)
{
	bool taken = true;

	spin_lock(&zone->wait_lock);
	if (TAILQ_EMPTY(&zone->waiters) && (zone->limit == 0 || zone->counted < zone->limit)) {
		if (PLANTED(limit_counted_late))
			lock_pause(zone);
		zone->counted++;
	} else if (flags & M_WAITOK) {
		wait_locked(zone);
	} else {
		taken = false;
	}
	spin_unlock(&zone->wait_lock);
	return taken;
}

void uma_limit_give(uma_zone_t zone)
{
	spin_lock(&zone->wait_lock);
	CHECK_NE(zone->counted, 0);
	zone->counted--;
	serve_locked(zone);
	spin_unlock(&zone->wait_lock);
}

int uma_zone_set_max(uma_zone_t zone, int items)
{
	/* From now on every item is counted; those that are there, here. */
	bool first = (uma_special(zone) & UMA_SPECIAL_LIMIT) == 0;
	uint64_t live = first ? uma_zone_live(zone) : 0;

	if (items < 0) {
		kprintf("zone %s: a limit of %d items makes no sense\n", zone->name, items);
		return uma_zone_get_max(zone);
	}
	spin_lock(&zone->wait_lock);
	if (first)
		zone->counted = live;
	zone->limit = (uint64_t)items;
	atomic32_or(&zone->special, UMA_SPECIAL_LIMIT, MO_RELAXED);
	zone->head.offset = PERCPU_ZERO_OFFSET;
	serve_locked(zone);
	spin_unlock(&zone->wait_lock);
	return items;
}

int uma_zone_get_max(uma_zone_t zone)
{
	int limit;

	spin_lock(&zone->wait_lock);
	limit = (int)zone->limit;
	spin_unlock(&zone->wait_lock);
	return limit;
}
