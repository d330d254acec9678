/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/sched/run_queue.h"

#include "arch/ipi.h"
#include "lib/check.h"

/* Static, as the scheduler allocates nothing: about 200 bytes a CPU. */
static struct run_queue queues[MAXCPU];

struct run_queue *run_queue_of(unsigned cpu)
{
	return &queues[cpu];
}

static void run_queue_init(struct run_queue *rq)
{
	spin_init(&rq->lock, "run queue", LOCK_RANK_RUN_QUEUE, 0);
	rq->current = NULL;
	rq->idle = NULL;
	rq->dead = NULL;
	rq->slice_over = false;
	rq->switched_ns = 0;
	for (unsigned i = 0; i < THREAD_PRIO_COUNT; i++)
		TAILQ_INIT(&rq->ready[i]);
	TAILQ_INIT(&rq->timeouts);
}

void run_queue_init_all(unsigned cpus)
{
	CHECK_LE(cpus, MAXCPU);
	for (unsigned i = 0; i < cpus; i++)
		run_queue_init(&queues[i]);
}

void run_queue_insert_locked(struct run_queue *rq, struct thread *thread, enum run_place place)
{
	struct thread_list *list = &rq->ready[thread->priority];

	CHECK(spin_owned(&rq->lock));
	thread->state = THREAD_READY;
	if (place == RUN_FRONT)
		TAILQ_INSERT_HEAD(list, thread, run_link);
	else
		TAILQ_INSERT_TAIL(list, thread, run_link);
}

int run_queue_best_locked(const struct run_queue *rq)
{
	int priority = THREAD_PRIO_COUNT - 1;

	while (priority >= 0 && TAILQ_EMPTY(&rq->ready[priority]))
		priority--;
	return priority;
}

struct thread *run_queue_take_locked(struct run_queue *rq)
{
	int priority = run_queue_best_locked(rq);
	struct thread *thread;

	if (priority < 0)
		return rq->idle;
	thread = TAILQ_FIRST(&rq->ready[priority]);
	TAILQ_REMOVE(&rq->ready[priority], thread, run_link);
	return thread;
}

static bool preempts(const struct run_queue *rq, const struct thread *thread)
{
	if (rq->current == NULL) /* it looks at the queue when it begins */
		return false;
	return rq->current == rq->idle || thread->priority > rq->current->priority;
}

void run_queue_start_locked(struct run_queue *rq, struct thread *thread)
{
	run_queue_insert_locked(rq, thread, RUN_BACK);
	if (!preempts(rq, thread))
		return;
	if (thread->cpu == arch_cpu_id())
		arch_percpu()->need_resched = 1;
	else
		arch_ipi_send(thread->cpu, ARCH_IPI_RESCHED);
}

static void timeout_insert_locked(struct run_queue *rq, struct thread *thread)
{
	struct thread *other;

	TAILQ_FOREACH (other, &rq->timeouts, timeout_link) {
		if (thread->sleep_deadline_ns < other->sleep_deadline_ns) {
			TAILQ_INSERT_BEFORE(other, thread, timeout_link);
			return;
		}
	}
	TAILQ_INSERT_TAIL(&rq->timeouts, thread, timeout_link);
}

static void timeout_remove_locked(struct run_queue *rq, struct thread *thread)
{
	if (thread->sleep_deadline_ns == 0)
		return;
	TAILQ_REMOVE(&rq->timeouts, thread, timeout_link);
	thread->sleep_deadline_ns = 0;
}

void run_queue_sleep_locked(struct run_queue *rq, struct thread *thread, uint64_t deadline_ns)
{
	CHECK_EQ(thread->state, THREAD_RUNNING);
	thread->state = THREAD_SLEEPING;
	thread->sleep_deadline_ns = deadline_ns;
	if (deadline_ns != 0)
		timeout_insert_locked(rq, thread);
}

void run_queue_expire_locked(struct run_queue *rq, uint64_t now_ns)
{
	struct thread *thread;

	while ((thread = TAILQ_FIRST(&rq->timeouts)) != NULL &&
	       thread->sleep_deadline_ns <= now_ns) {
		timeout_remove_locked(rq, thread);
		thread->sleep_timed_out = true;
		run_queue_start_locked(rq, thread);
	}
}

bool run_queue_wake(struct thread *thread)
{
	struct run_queue *rq = run_queue_of(thread->cpu);
	bool in_time;

	spin_lock(&rq->lock);
	in_time = !thread->sleep_timed_out;
	/* Awake still: it is about to sleep, and will see that it has been let go. */
	if (in_time && thread->state == THREAD_SLEEPING) {
		timeout_remove_locked(rq, thread);
		run_queue_start_locked(rq, thread);
	}
	spin_unlock(&rq->lock);
	return in_time;
}
