/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel threads.
 *
 * Each thread belongs to one CPU for life, so per-CPU state read twice is the same CPU's. Threads
 * of equal priority share their CPU by the tick; a higher one preempts. The caller of
 * thread_create owns the memory of the thread and its stack: the scheduler allocates nothing.
 */
#ifndef QUIRE_KERNEL_SCHED_THREAD_H
#define QUIRE_KERNEL_SCHED_THREAD_H

#include <bsd/sys/queue.h>

#include "arch/cpu.h"
#include "lib/types.h"
#include "smp/spinlock.h"

#ifdef __cplusplus
extern "C" {
#endif

/* DEAD: it will not run again and its stack is free. */
enum thread_state { THREAD_NEW, THREAD_READY, THREAD_RUNNING, THREAD_SLEEPING, THREAD_DEAD };

/* Strict: a lower priority runs only when no thread of a higher one wants to. */
enum thread_priority { THREAD_PRIO_IDLE, THREAD_PRIO_NORMAL, THREAD_PRIO_HIGH, THREAD_PRIO_COUNT };

enum { THREAD_NAME_MAX = 24, THREAD_MUTEX_MAX = 8 };

struct mutex;
struct sleep_queue;

/*
 * (c) constant after create  (r) its CPU's run-queue lock  (s) lock of its channel's sleep queue
 * (t) the thread itself only
 */
struct thread {
	struct arch_context context;      /* valid while not running; its CPU only */
	char name[THREAD_NAME_MAX];       /* (c) */
	void (*entry)(void *arg);         /* (c) */
	void *arg;                        /* (c) */
	unsigned cpu;                     /* (c) */
	enum thread_priority priority;    /* (c) */
	enum thread_state state;          /* (r) */
	TAILQ_ENTRY(thread) run_link;     /* (r) in its priority's list while READY */
	struct sleep_queue *sleep_queue;  /* (t) where it waits, or is about to */
	TAILQ_ENTRY(thread) sleep_link;   /* (s) */
	const void *sleep_channel;        /* (s) NULL when it is on no sleep queue */
	const char *sleep_message;        /* (s) what it waits for, for people */
	TAILQ_ENTRY(thread) timeout_link; /* (r) in its CPU's timeouts while a deadline is set */
	uint64_t sleep_deadline_ns;       /* (r) 0 = none */
	bool sleep_timed_out;             /* (r) set by the tick; (t) cleared before it sleeps */
	const struct mutex *mutexes[THREAD_MUTEX_MAX]; /* (t) held, for the order checker */
	unsigned mutex_count;                          /* (t) */
	uint64_t run_ns;                               /* (r) statistics */
	uint64_t switches;                             /* (r) times that it got the CPU */
};

/*
 * Makes the flow that runs on this CPU a thread: the boot CPU's becomes a normal thread called
 * "boot"; an AP's becomes its idle thread (call sched_idle next). Once per CPU, the boot CPU first
 * and before the others are started. `self` and `idle` stay the scheduler's for ever, and so does
 * `idle_stack`, which is needed on the boot CPU only. Interrupts disabled; smp_init is all that
 * must have happened before.
 */
void sched_init_boot_cpu(struct thread *self, struct thread *idle, void *idle_stack,
			 size_t idle_stack_size);
void sched_init_cpu(struct thread *idle);

/* The rest of an idle thread's life; enables interrupts. */
QUIRE_NORETURN void sched_idle(void);

/*
 * What idle threads do while there is nothing else: work() does a small piece, interrupts on and
 * nothing locked, and returns true if it did. It is called again as long as no thread is ready;
 * one that becomes ready waits for no more than where work() has preemption disabled. Set once,
 * by the boot CPU.
 */
void sched_set_idle_work(bool (*work)(void));

/* Ticks per second of the timer; set by kernel/ when it starts timers. */
enum { SCHED_HZ = 100 };

/* The tick of this CPU: timeouts and time slices. Interrupt context; the timer's handler. */
void sched_tick(void);

/*
 * Prepares a thread for `cpu` (online). It runs entry(arg) after thread_start, with interrupts
 * on; returning from entry ends it. Memory of `thread` and `stack` may be taken back only after
 * thread_join returned. Any context.
 */
void thread_create(struct thread *thread, const char *name, void (*entry)(void *arg), void *arg,
		   unsigned cpu, enum thread_priority priority, void *stack, size_t stack_size);
void thread_start(struct thread *thread);

/* NULL before the scheduler has begun on this CPU. */
static inline struct thread *thread_current(void)
{
	return (struct thread *)arch_percpu()->thread;
}

/* Lets others of the same priority run. Thread context. */
void thread_yield(void);

/* Ends the running thread, which holds no lock. */
QUIRE_NORETURN void thread_exit(void);

/*
 * Sleeps until the thread has ended and its stack is no longer in use. Any number of threads may
 * join one, as long as its memory stays until the last of them has returned. Thread context.
 */
void thread_join(struct thread *thread);

/* Sleeps at least ns; 0 yields. Thread context. */
void thread_sleep_ns(uint64_t ns);

#ifdef __cplusplus
}
#endif

#endif
