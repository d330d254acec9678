/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A free mutex goes to whoever comes first, not to the thread that has waited longest. To hand it
 * over would make the owner a thread that does not run yet, and everybody who comes meanwhile
 * would queue up behind a switch of threads: under load, one switch for each use of the mutex. So
 * unlock wakes one waiter, and the waiter competes.
 *
 * That alone would let it starve. A waiter that has lost PATIENCE times becomes impatient: while
 * there is one, threads that have not waited yet queue up behind those that have, so the mutex goes
 * around among the waiters in the order of their queue.
 *
 * Every unlock with waiters wakes one, and a waiter that finds the mutex free takes it or has been
 * beaten by a thread whose unlock will wake the next: no wake-up is lost.
 */
#include "kernel/sched/mutex.h"

#include "kernel/sched/sleepq.h"
#include "lib/check.h"
#include "smp/preempt.h"

/* Losing a few times is the price of speed; four switches are less than a tick. */
enum { MUTEX_PATIENCE = 4 };

/* Below the sleep queues, as a waiter sleeps with it for interlock. */
enum { MUTEX_LOCK_RANK = LOCK_RANK_SLEEP_QUEUE - 1 };

void mutex_init(struct mutex *mutex, const char *name, enum lock_rank rank)
{
	/* Else its own spinlock could not be taken while it is held. */
	CHECK_LT(rank, MUTEX_LOCK_RANK);
	spin_init(&mutex->lock, name, (enum lock_rank)MUTEX_LOCK_RANK, 0);
	atomic_ptr_store(&mutex->owner, NULL, MO_RELAXED);
	mutex->waiters = 0;
	mutex->impatient = 0;
	mutex->rank = rank;
	mutex->name = name;
	mutex->site = "nowhere";
}

/*
 * Before threads run there is one flow that nobody can interfere with, and no name for an owner:
 * like spinlocks before smp_init, mutexes do nothing then.
 */
static bool mutex_ignored(void)
{
	return unlikely(thread_current() == NULL && arch_cpu_id() == 0);
}

/* Only the owner writes its own name there, and takes it away, so the answer cannot change. */
bool mutex_owned(const struct mutex *mutex)
{
	const struct thread *self = thread_current();

	if (self == NULL)
		return mutex_ignored();
	return atomic_ptr_load(&mutex->owner, MO_RELAXED) == self;
}

static struct lock_use mutex_use(const struct mutex *mutex, const char *site)
{
	struct lock_use use = {mutex, mutex->rank, false, mutex->name, site};

	return use;
}

struct lock_use mutex_highest_held(void)
{
	const struct thread *self = thread_current();
	struct lock_use highest = {NULL, LOCK_RANK_NONE, false, NULL, NULL};

	for (unsigned i = 0; self != NULL && i < self->mutex_count; i++) {
		const struct mutex *mutex = self->mutexes[i];

		if (mutex->rank > highest.rank)
			highest = mutex_use(mutex, mutex->site);
	}
	return highest;
}

static void mutex_record(struct mutex *mutex)
{
	struct thread *self = thread_current();

	if (self->mutex_count >= THREAD_MUTEX_MAX)
		panic("thread \"%s\" holds %u mutexes and takes \"%s\"", self->name,
		      self->mutex_count, mutex->name);
	self->mutexes[self->mutex_count++] = mutex;
}

static void mutex_erase(const struct mutex *mutex)
{
	struct thread *self = thread_current();
	unsigned i = 0;

	while (self->mutexes[i] != mutex)
		i++;
	self->mutexes[i] = self->mutexes[--self->mutex_count];
}

static void mutex_check(const char *what, const struct mutex *mutex, const char *site)
{
	sleep_check(what);
	if (mutex_owned(mutex))
		panic("mutex \"%s\" taken twice by thread \"%s\": at %s, and first at %s",
		      mutex->name, thread_current()->name, site, mutex->site);
}

static bool mutex_free_locked(const struct mutex *mutex)
{
	return atomic_ptr_load(&mutex->owner, MO_RELAXED) == NULL;
}

static void mutex_take_locked(struct mutex *mutex, const char *site)
{
	atomic_ptr_store(&mutex->owner, thread_current(), MO_RELAXED);
	mutex->site = site;
}

/* Sleeps until the mutex is free and it is this thread's turn. */
static void mutex_wait_locked(struct mutex *mutex)
{
	unsigned lost = 0;

	mutex->waiters++;
	do {
		(void)sleep_on_spin(mutex, &mutex->lock, mutex->name, SLEEP_FOREVER);
		if (!mutex_free_locked(mutex) && ++lost == MUTEX_PATIENCE)
			mutex->impatient++;
	} while (!mutex_free_locked(mutex));
	if (lost >= MUTEX_PATIENCE)
		mutex->impatient--;
	mutex->waiters--;
}

void mutex_lock_at(struct mutex *mutex, const char *site)
{
	struct lock_use use = mutex_use(mutex, site);

	if (mutex_ignored())
		return;
	mutex_check("mutex_lock", mutex, site);
	lock_order_check(&use);
	spin_lock_at(&mutex->lock, site);
	if (!mutex_free_locked(mutex) || mutex->impatient != 0)
		mutex_wait_locked(mutex);
	mutex_take_locked(mutex, site);
	spin_unlock(&mutex->lock);
	mutex_record(mutex);
}

bool mutex_trylock_at(struct mutex *mutex, const char *site)
{
	bool taken;

	if (mutex_ignored())
		return true;
	mutex_check("mutex_trylock", mutex, site);
	spin_lock_at(&mutex->lock, site);
	taken = mutex_free_locked(mutex) && mutex->impatient == 0;
	if (taken)
		mutex_take_locked(mutex, site);
	spin_unlock(&mutex->lock);
	if (taken)
		mutex_record(mutex);
	return taken;
}

void mutex_unlock(struct mutex *mutex)
{
	bool wake;

	if (mutex_ignored())
		return;
	if (!mutex_owned(mutex))
		panic("mutex \"%s\" released by a thread that does not hold it (last taken at %s)",
		      mutex->name, mutex->site);
	mutex_erase(mutex);
	spin_lock(&mutex->lock);
	atomic_ptr_store(&mutex->owner, NULL, MO_RELAXED);
	wake = mutex->waiters != 0;
	spin_unlock(&mutex->lock);
	/* The memory may be gone; the address still names the channel. */
	if (wake)
		wakeup_one(mutex);
}
