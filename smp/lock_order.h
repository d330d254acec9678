/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checker of the lock order (smp/lock_rank.h), for spinlocks and for locks that sleep.
 *
 * It looks at what this CPU and this thread hold when a lock is about to be waited for, so a
 * wrong order is found the first time that it is executed, whether or not it deadlocks.
 */
#ifndef QUIRE_SMP_LOCK_ORDER_H
#define QUIRE_SMP_LOCK_ORDER_H

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One lock, held or about to be taken. */
struct lock_use {
	const void *lock; /* NULL: none */
	unsigned rank;    /* enum lock_rank */
	bool nests;       /* LOCK_NESTS */
	const char *name;
	const char *site; /* where it is or was taken */
};

/*
 * The scheduler says here what the running thread holds besides spinlocks: the use of highest
 * rank. Asked in thread context only; an interrupt is not bound by what it interrupted.
 */
void lock_order_set_thread_hook(struct lock_use (*highest)(void));

/*
 * Panics, naming both locks and both places, unless `use` may be waited for now. Taking a lock
 * that is held already is not its business. Does nothing unless QUIRE_DEBUG. Any context.
 */
#ifdef QUIRE_DEBUG
void lock_order_check(const struct lock_use *use);
#else
static inline void lock_order_check(const struct lock_use *use)
{
	(void)use;
}
#endif

#ifdef __cplusplus
}
#endif

#endif
