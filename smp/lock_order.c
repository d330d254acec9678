/* SPDX-License-Identifier: BSD-2-Clause */
#include "smp/lock_order.h"

#include "lib/panic.h"
#include "smp/percpu.h"
#include "smp/preempt.h"

/* Set before other CPUs run. */
static struct lock_use (*thread_highest)(void);

void lock_order_set_thread_hook(struct lock_use (*highest)(void))
{
	thread_highest = highest;
}

#ifdef QUIRE_DEBUG

static bool order_ok(const struct lock_use *held, const struct lock_use *use)
{
	if (held->lock == use->lock || held->rank == LOCK_RANK_NONE)
		return true;
	return use->rank > held->rank || (use->rank == held->rank && use->nests);
}

static void order_require(const struct lock_use *held, const struct lock_use *use)
{
	if (likely(order_ok(held, use)))
		return;
	panic("lock order: \"%s\" (rank %u) wanted at %s while \"%s\" (rank %u) is held from %s",
	      use->name, use->rank, use->site, held->name, held->rank, held->site);
}

void lock_order_check(const struct lock_use *use)
{
	const struct percpu *self = percpu_self();

	if (use->rank == LOCK_RANK_NONE)
		return;
	/* Locks may be released in any order, so any of them may be the highest. */
	for (unsigned i = 0; i < self->spin_depth; i++) {
		const struct spinlock *lock = self->spin_held[i];
		struct lock_use held = {lock, lock->rank, false, lock->name, spin_site(lock)};

		order_require(&held, use);
	}
	if (thread_highest != NULL && !in_interrupt()) {
		struct lock_use held = thread_highest();

		if (held.lock != NULL)
			order_require(&held, use);
	}
}

#endif
