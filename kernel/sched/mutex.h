/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A mutex that sleeps. Thread context only; the owner may sleep while it holds it.
 *
 * Mutexes obey the same order of ranks as spinlocks, and the checker sees both: a mutex is never
 * taken with a spinlock held, and what is taken under a mutex has a higher rank.
 *
 * Before sched_init_boot_cpu, on the boot CPU, mutexes do nothing: there is nobody to exclude.
 */
#ifndef QUIRE_KERNEL_SCHED_MUTEX_H
#define QUIRE_KERNEL_SCHED_MUTEX_H

#include "arch/atomic.h"
#include "kernel/sched/thread.h"
#include "smp/lock_order.h"

#ifdef __cplusplus
extern "C" {
#endif

/* (l) lock  (c) constant after init */
struct mutex {
	struct spinlock lock;    /* rank LOCK_RANK_SLEEP_QUEUE - 1: below the sleep queues */
	struct atomic_ptr owner; /* (l) struct thread; anybody may ask "is it me?" */
	unsigned waiters;        /* (l) threads that sleep or were just woken */
	unsigned impatient;      /* (l) of them: lost too often, see mutex.c */
	enum lock_rank rank;     /* (c) */
	const char *name;        /* (c) */
	const char *site;        /* (l) of the acquisition */
};

/* `name` is a literal. The rank is below the mutex's own spinlock, or LOCK_RANK_NONE. */
void mutex_init(struct mutex *mutex, const char *name, enum lock_rank rank);

#define mutex_lock(mutex)    mutex_lock_at((mutex), __FILE__ ":" SPIN_STRING(__LINE__))
#define mutex_trylock(mutex) mutex_trylock_at((mutex), __FILE__ ":" SPIN_STRING(__LINE__))

/* Taking a mutex twice panics, in trylock as well: an owner that asks has lost track. */
void mutex_lock_at(struct mutex *mutex, const char *site);
bool mutex_trylock_at(struct mutex *mutex, const char *site) QUIRE_MUST_CHECK;

/* Owner only. Does not sleep. */
void mutex_unlock(struct mutex *mutex);

/* Does the running thread hold it? */
bool mutex_owned(const struct mutex *mutex);

/* For the order checker: what the running thread holds of highest rank. */
struct lock_use mutex_highest_held(void);

#ifdef __cplusplus
}
#endif

#endif
