/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel/sched: threads on the CPUs.
 *
 * 1. Purpose. Give every CPU something to run, let threads wait for each other without spinning,
 *    and for a time that is bounded. Nothing is allocated and no memory is reached that could be
 *    unmapped, so the memory system above can use all of it.
 *
 * 2. Vocabulary. Run queue: what one CPU has to run (run_queue.c). Channel: an address on which
 *    threads sleep (sleepq.c). Tick: the timer interrupt, SCHED_HZ times a second on every CPU.
 *    Idle thread: one per CPU, runs when nothing else can and never sleeps.
 *
 * 3. Structures. A thread belongs to one CPU for life. It is in one of these states:
 *
 *	NEW       created, not started
 *	READY     in the ready list of its priority, on its CPU's run queue
 *	RUNNING   its run queue's current
 *	SLEEPING  in a sleep queue, and in its CPU's timeouts if it has a deadline
 *	DEAD      off its stack for good
 *
 *    The idle thread is READY without being in a list, and runs when the lists are empty.
 *
 * 4. Locking. A run queue's lock guards the state of all its CPU's threads; a sleep queue's lock
 *    guards who waits on its channels, and is taken first. The run queue's lock is held ACROSS the
 *    switch: the thread that leaves takes it, the thread that comes releases it. So nobody else
 *    finds a thread READY, SLEEPING or DEAD while its CPU is still on its stack, and as threads do
 *    not move, a thread woken from elsewhere in the middle of its switch is simply started later.
 *    Every holder disables interrupts itself first, as the lock cannot carry the interrupt state
 *    of one thread into another.
 *
 *    need_resched is written by its own CPU only: a remote CPU that wants a switch sends
 *    ARCH_IPI_RESCHED. It is looked at where preemption becomes possible (smp/preempt.h), cleared
 *    with the lock held when a thread is chosen. The idle thread looks at its queue with
 *    interrupts disabled and then waits for one (arch_cpu_idle), so an interrupt sent after the
 *    look ends the wait.
 *
 * 5. A wake-up and a timeout of one sleep meet at the run queue's lock. Whoever finds the thread
 *    SLEEPING starts it; a timeout that was first leaves sleep_timed_out, by which a waker knows
 *    that its wake-up was not taken and goes on to the next thread.
 *
 * 6. Failure. Sleeping where it is not allowed, a lock taken twice or out of order, ending with a
 *    lock held: each is a panic that names the culprit. Nothing here can run out of anything.
 *
 * 7. Rejected. Moving threads between CPUs: the load here is pinned work, and per-CPU caches are
 *    simpler to use without it. Priority inheritance: three priorities, and no thread of a high
 *    one waits for a mutex in a path that has a deadline. A tick that stops on idle CPUs: worth it
 *    on battery, not here.
 */
#include "arch/clock.h"
#include "arch/ipi.h"
#include "kernel/sched/mutex.h"
#include "kernel/sched/run_queue.h"
#include "kernel/sched/sleepq.h"
#include "kernel/sched/thread.h"
#include "lib/check.h"
#include "lib/string.h"
#include "smp/preempt.h"
#include "smp/smp.h"
#include "smp/tlb.h"

void sched_switch_finish(struct run_queue *rq)
{
	struct thread *dead = rq->dead;

	rq->dead = NULL;
	if (dead != NULL)
		dead->state = THREAD_DEAD;
	spin_unlock(&rq->lock);
	/* Its memory may be gone already; the address still names the channel. */
	if (dead != NULL)
		wakeup(dead);
}

static void sched_account_locked(struct run_queue *rq, struct thread *next)
{
	uint64_t now = arch_clock_ns();

	rq->current->run_ns += now - rq->switched_ns;
	rq->switched_ns = now;
	next->switches++;
}

void sched_switch_locked(struct run_queue *rq)
{
	struct thread *self = rq->current;
	struct thread *next = run_queue_take_locked(rq);

	/* Exactly this lock, and it does not enable interrupts when it goes. */
	CHECK_EQ(spin_held_count(), 1);
	CHECK(!percpu_self()->spin_irq_was_enabled);
	arch_percpu()->need_resched = 0;
	rq->slice_over = false;
	if (self == rq->idle)
		self->state = THREAD_READY;
	next->state = THREAD_RUNNING;
	if (next != self) {
		sched_account_locked(rq, next);
		rq->current = next;
		arch_percpu()->thread = next;
		arch_context_switch(&self->context, &next->context);
	}
	sched_switch_finish(rq);
}

/* Switches if a better thread is ready or the slice is over. Interrupts are disabled. */
static void sched_preempt(void)
{
	struct run_queue *rq = run_queue_self();

	spin_lock(&rq->lock);
	if (rq->current != rq->idle)
		run_queue_insert_locked(rq, rq->current, rq->slice_over ? RUN_BACK : RUN_FRONT);
	sched_switch_locked(rq);
}

static void resched_handler(void)
{
	percpu_count_ipi();
	arch_percpu()->need_resched = 1;
}

void sched_tick(void)
{
	struct run_queue *rq = run_queue_self();

	percpu_self()->tick_count++;
	percpu_self()->irq_count++;
	tlb_catch_up();
	spin_lock(&rq->lock);
	run_queue_expire_locked(rq, arch_clock_ns());
	if (rq->current != rq->idle && run_queue_best_locked(rq) >= (int)rq->current->priority) {
		rq->slice_over = true;
		arch_percpu()->need_resched = 1;
	}
	spin_unlock(&rq->lock);
}

typedef bool idle_worker(void);

static struct atomic_ptr idle_work; /* idle_worker * */

void sched_set_idle_work(bool (*work)(void))
{
	/* Pairs with the load in idle_do_work. */
	atomic_ptr_store(&idle_work, (void *)work, MO_RELEASE);
}

/* Runs a thread if one is ready. Interrupts disabled. */
static bool idle_give_way(struct run_queue *rq)
{
	spin_lock(&rq->lock);
	if (run_queue_best_locked(rq) >= 0) {
		sched_switch_locked(rq);
		return true;
	}
	spin_unlock(&rq->lock);
	return false;
}

/* A piece of work. Interrupts disabled, enabled meanwhile. */
static bool idle_do_work(void)
{
	idle_worker *work = (idle_worker *)atomic_ptr_load(&idle_work, MO_ACQUIRE);
	bool did;

	if (work == NULL)
		return false;
	arch_irq_enable();
	did = work();
	arch_irq_disable();
	return did;
}

void sched_idle(void)
{
	struct run_queue *rq = run_queue_self();

	CHECK(rq->idle == thread_current());
	arch_irq_disable();
	for (;;) {
		bool did = idle_do_work();

		/* The last look: from here on interrupts stay disabled, as said above. */
		if (idle_give_way(rq) || did)
			continue;
		percpu_self()->idle_count++;
		tlb_lazy_enter();
		arch_cpu_idle();
		tlb_lazy_leave(); /* an interrupt has done it; what is none has not */
	}
}

static void idle_main(void *arg)
{
	sched_switch_finish((struct run_queue *)arg);
	sched_idle();
}

static void thread_adopt(struct thread *thread, const char *name, enum thread_priority priority)
{
	memset(thread, 0, sizeof(*thread));
	str_copy(thread->name, sizeof(thread->name), name);
	thread->cpu = arch_cpu_id();
	thread->priority = priority;
	thread->state = THREAD_RUNNING;
}

/* From here on others may make this CPU switch. */
static void sched_begin(struct thread *self, struct thread *idle)
{
	struct run_queue *rq = run_queue_self();
	bool irq_was_enabled = arch_irq_save();

	arch_context_adopt(&self->context);
	spin_lock(&rq->lock);
	rq->idle = idle;
	rq->current = self;
	rq->switched_ns = arch_clock_ns();
	arch_percpu()->thread = self;
	spin_unlock(&rq->lock);
	arch_irq_restore(irq_was_enabled);
}

void sched_init_boot_cpu(struct thread *self, struct thread *idle, void *idle_stack,
			 size_t idle_stack_size)
{
	CHECK_EQ(arch_cpu_id(), 0);
	run_queue_init_all(smp_cpu_count());
	sleepq_init();
	thread_adopt(self, "boot", THREAD_PRIO_NORMAL);
	thread_adopt(idle, "idle", THREAD_PRIO_IDLE);
	idle->state = THREAD_READY;
	arch_context_init(&idle->context, idle_stack, idle_stack_size, idle_main, run_queue_self());
	lock_order_set_thread_hook(mutex_highest_held);
	arch_ipi_set_handler(ARCH_IPI_RESCHED, resched_handler);
	sched_begin(self, idle);
	preempt_set_handler(sched_preempt);
}

void sched_init_cpu(struct thread *idle)
{
	thread_adopt(idle, "idle", THREAD_PRIO_IDLE);
	sched_begin(idle, idle);
}
