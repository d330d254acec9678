/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sleeping on a channel: any address that waiter and waker agree on.
 *
 * The waiter holds a spinlock or a mutex that guards its condition; it is released only after the
 * waiter can be woken, so a wake-up that happens in between is not lost. Waking does not pass the
 * condition on: whoever returns looks again.
 */
#ifndef QUIRE_KERNEL_SCHED_SLEEPQ_H
#define QUIRE_KERNEL_SCHED_SLEEPQ_H

#include "kernel/sched/mutex.h"
#include "kernel/sched/thread.h"

#ifdef __cplusplus
extern "C" {
#endif

enum sleep_result { SLEEP_WOKEN, SLEEP_TIMED_OUT };

enum { SLEEP_FOREVER = 0 };

/*
 * Sleeps on `channel` until a wake-up or until timeout_ns have passed (SLEEP_FOREVER: no limit; a
 * limit is rounded up to the next tick). The lock is held on entry, and again on return; it must
 * be the only spinlock held, of a rank below LOCK_RANK_SLEEP_QUEUE. A wake-up and a timeout at the
 * same moment are one or the other: a thread that returns SLEEP_TIMED_OUT has used up no
 * wakeup_one(). `message` is a literal that names the reason. Thread context.
 */
enum sleep_result sleep_on_spin(const void *channel, struct spinlock *lock, const char *message,
				uint64_t timeout_ns);
enum sleep_result sleep_on_mutex(const void *channel, struct mutex *lock, const char *message,
				 uint64_t timeout_ns);

/*
 * The same in steps, for a condition that no single lock guards:
 *
 *	sleepq_prepare(channel, message);   a wake-up counts from here on
 *	if (condition)
 *		sleepq_cancel();            or
 *	else
 *		sleepq_commit(timeout_ns);  sleeps, unless woken since
 *
 * Between them the thread may take locks and be preempted, but may not sleep on anything else.
 */
void sleepq_prepare(const void *channel, const char *message);
void sleepq_cancel(void);
enum sleep_result sleepq_commit(uint64_t timeout_ns);

/* Wake all waiters of a channel, or the one that has waited longest. Any context. */
void wakeup(const void *channel);
void wakeup_one(const void *channel);

/* Threads that sleep on the channel now; for audits. */
unsigned sleepq_count(const void *channel);

/* For sched_init_boot_cpu: empties all queues. */
void sleepq_init(void);

#ifdef __cplusplus
}
#endif

#endif
