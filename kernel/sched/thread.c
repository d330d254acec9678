/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/sched/thread.h"

#include "arch/clock.h"
#include "kernel/sched/run_queue.h"
#include "kernel/sched/sleepq.h"
#include "lib/check.h"
#include "lib/string.h"
#include "smp/preempt.h"
#include "smp/smp.h"

/* The first code of a new thread: interrupts are disabled, its run queue locked. */
static void thread_main(void *arg)
{
	struct thread *self = (struct thread *)arg;

	sched_switch_finish(run_queue_self());
	arch_irq_enable();
	preempt_check();
	self->entry(self->arg);
	thread_exit();
}

void thread_create(struct thread *thread, const char *name, void (*entry)(void *arg), void *arg,
		   unsigned cpu, enum thread_priority priority, void *stack, size_t stack_size)
{
	CHECK_LT(priority, THREAD_PRIO_COUNT);
	CHECK(smp_cpu_online(cpu));
	memset(thread, 0, sizeof(*thread));
	str_copy(thread->name, sizeof(thread->name), name);
	thread->entry = entry;
	thread->arg = arg;
	thread->cpu = cpu;
	thread->priority = priority;
	thread->state = THREAD_NEW;
	arch_context_init(&thread->context, stack, stack_size, thread_main, thread);
}

void thread_start(struct thread *thread)
{
	struct run_queue *rq = run_queue_of(thread->cpu);

	spin_lock(&rq->lock);
	CHECK_EQ(thread->state, THREAD_NEW);
	run_queue_start_locked(rq, thread);
	spin_unlock(&rq->lock);
}

void thread_yield(void)
{
	struct run_queue *rq = run_queue_self();

	sleep_check("thread_yield");
	arch_irq_disable();
	spin_lock(&rq->lock);
	CHECK(rq->current != rq->idle);
	run_queue_insert_locked(rq, rq->current, RUN_BACK);
	sched_switch_locked(rq);
	arch_irq_enable();
	preempt_check();
}

void thread_exit(void)
{
	struct thread *self = thread_current();
	struct run_queue *rq = run_queue_self();

	sleep_check("thread_exit");
	if (self->mutex_count != 0)
		panic("thread \"%s\" ends with a mutex held", self->name);
	arch_irq_disable();
	spin_lock(&rq->lock);
	CHECK(self != rq->idle);
	/* Somebody who joins may free the stack: so it is for the next thread to say DEAD. */
	rq->dead = self;
	sched_switch_locked(rq);
	panic("thread \"%s\" runs after its end", self->name);
}

static bool thread_is_dead(struct thread *thread)
{
	struct run_queue *rq = run_queue_of(thread->cpu);
	bool dead;

	spin_lock(&rq->lock);
	dead = thread->state == THREAD_DEAD;
	spin_unlock(&rq->lock);
	return dead;
}

void thread_join(struct thread *thread)
{
	CHECK(thread != thread_current());
	for (;;) {
		sleepq_prepare(thread, "join");
		if (thread_is_dead(thread))
			break;
		(void)sleepq_commit(SLEEP_FOREVER);
	}
	sleepq_cancel();
}

void thread_sleep_ns(uint64_t ns)
{
	uint64_t now = arch_clock_ns();
	uint64_t end = ns > UINT64_MAX - now ? UINT64_MAX : now + ns;
	/* Nobody wakes this channel on purpose; by chance somebody may. */
	const void *channel = &thread_current()->sleep_message;

	if (ns == 0)
		thread_yield();
	for (; now < end; now = arch_clock_ns()) {
		sleepq_prepare(channel, "time");
		(void)sleepq_commit(end - now);
	}
}
