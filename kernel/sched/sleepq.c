/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Channels hash to a fixed number of queues; a queue holds the sleepers of all its channels in the
 * order of arrival.
 *
 * A thread is on a queue while its sleep_channel is not NULL. It gets there in sleepq_prepare,
 * awake, with the caller's lock held, so that a waker which changes the condition afterwards, under
 * that lock, finds it. Then it goes to sleep in sleepq_commit, unless it was let go in between. A
 * waker takes it off the queue; a thread that timed out, or changed its mind, does so itself.
 */
#include "kernel/sched/sleepq.h"

#include "arch/clock.h"
#include "kernel/sched/run_queue.h"
#include "lib/check.h"
#include "lib/planted.h"
#include "smp/preempt.h"

/* A queue is shared by channels only by chance, and short: some tens of threads sleep at a time. */
enum { QUEUE_BITS = 6, QUEUE_COUNT = 1 << QUEUE_BITS };

struct sleep_queue {
	struct spinlock lock;
	struct thread_list waiters; /* under lock */
} QUIRE_ALIGNED(CACHE_LINE);

static struct sleep_queue queues[QUEUE_COUNT];

void sleepq_init(void)
{
	for (unsigned i = 0; i < QUEUE_COUNT; i++) {
		spin_init(&queues[i].lock, "sleep queue", LOCK_RANK_SLEEP_QUEUE, 0);
		TAILQ_INIT(&queues[i].waiters);
	}
}

/* Multiplicative hashing (Knuth, TAOCP 6.4): 2^64 divided by the golden ratio. */
static struct sleep_queue *queue_of(const void *channel)
{
	uint64_t hash = (uint64_t)(uintptr_t)channel * UINT64_C(0x9e3779b97f4a7c15);

	return &queues[hash >> (64 - QUEUE_BITS)];
}

static void queue_remove_locked(struct sleep_queue *queue, struct thread *thread)
{
	TAILQ_REMOVE(&queue->waiters, thread, sleep_link);
	thread->sleep_channel = NULL;
}

static void sleep_prepare(const void *channel, const char *message)
{
	struct sleep_queue *queue = queue_of(channel);
	struct thread *self = thread_current();

	CHECK(channel != NULL);
	CHECK(self != run_queue_self()->idle);
	if (self->sleep_queue != NULL)
		panic("thread \"%s\" sleeps on \"%s\" while it prepares to sleep on \"%s\"",
		      self->name, message, self->sleep_message);
	self->sleep_queue = queue;
	spin_lock(&queue->lock);
	self->sleep_channel = channel;
	self->sleep_message = message;
	self->sleep_timed_out = false;
	TAILQ_INSERT_TAIL(&queue->waiters, self, sleep_link);
	spin_unlock(&queue->lock);
}

void sleepq_prepare(const void *channel, const char *message)
{
	sleep_check(message);
	sleep_prepare(channel, message);
}

/* Off the queue, whether or not somebody was faster. */
void sleepq_cancel(void)
{
	struct thread *self = thread_current();
	struct sleep_queue *queue = self->sleep_queue;

	CHECK(queue != NULL);
	spin_lock(&queue->lock);
	if (self->sleep_channel != NULL)
		queue_remove_locked(queue, self);
	spin_unlock(&queue->lock);
	self->sleep_queue = NULL;
}

static uint64_t deadline_after(uint64_t timeout_ns)
{
	uint64_t now = arch_clock_ns();

	if (timeout_ns == SLEEP_FOREVER)
		return 0;
	return timeout_ns > UINT64_MAX - now ? UINT64_MAX : now + timeout_ns;
}

/* Sleeps unless let go already. Interrupts are disabled. */
static void sleep_until(struct thread *self, uint64_t deadline_ns)
{
	struct sleep_queue *queue = self->sleep_queue;
	struct run_queue *rq = run_queue_self();

	spin_lock(&queue->lock);
	if (self->sleep_channel == NULL) {
		spin_unlock(&queue->lock);
		return;
	}
	if (PLANTED(lock_release_early))
		spin_unlock(&queue->lock);
	spin_lock(&rq->lock);
	run_queue_sleep_locked(rq, self, deadline_ns);
	/* A waker that takes us off the queue now has to wait for the end of the switch. */
	if (!PLANTED(lock_release_early))
		spin_unlock(&queue->lock);
	sched_switch_locked(rq);
}

enum sleep_result sleepq_commit(uint64_t timeout_ns)
{
	struct thread *self = thread_current();
	enum sleep_result result;

	sleep_check(self->sleep_message);
	arch_irq_disable();
	sleep_until(self, deadline_after(timeout_ns));
	arch_irq_enable();
	preempt_check();
	/* Only the tick sets it, and only while we sleep. */
	result = self->sleep_timed_out ? SLEEP_TIMED_OUT : SLEEP_WOKEN;
	sleepq_cancel();
	return result;
}

enum sleep_result sleep_on_spin(const void *channel, struct spinlock *lock, const char *message,
				uint64_t timeout_ns)
{
	enum sleep_result result;

	sleep_check_holding(message, lock);
	if (PLANTED(lost_wakeup))
		spin_unlock(lock);
	sleep_prepare(channel, message);
	if (!PLANTED(lost_wakeup))
		spin_unlock(lock);
	result = sleepq_commit(timeout_ns);
	spin_lock(lock);
	return result;
}

enum sleep_result sleep_on_mutex(const void *channel, struct mutex *lock, const char *message,
				 uint64_t timeout_ns)
{
	enum sleep_result result;

	sleepq_prepare(channel, message);
	mutex_unlock(lock);
	result = sleepq_commit(timeout_ns);
	mutex_lock(lock);
	return result;
}

static void wakeup_some(const void *channel, unsigned limit)
{
	struct sleep_queue *queue = queue_of(channel);
	struct thread *thread, *next;
	unsigned woken = 0;

	spin_lock(&queue->lock);
	for (thread = TAILQ_FIRST(&queue->waiters); thread != NULL && woken < limit;
	     thread = next) {
		next = TAILQ_NEXT(thread, sleep_link);
		if (thread->sleep_channel != channel)
			continue;
		queue_remove_locked(queue, thread);
		/* One whose timeout was faster does not count. */
		woken += run_queue_wake(thread);
	}
	spin_unlock(&queue->lock);
}

void wakeup(const void *channel)
{
	wakeup_some(channel, UINT32_MAX);
}

void wakeup_one(const void *channel)
{
	wakeup_some(channel, 1);
}

unsigned sleepq_count(const void *channel)
{
	struct sleep_queue *queue = queue_of(channel);
	struct thread *thread;
	unsigned count = 0;

	spin_lock(&queue->lock);
	TAILQ_FOREACH (thread, &queue->waiters, sleep_link)
		count += thread->sleep_channel == channel;
	spin_unlock(&queue->lock);
	return count;
}
