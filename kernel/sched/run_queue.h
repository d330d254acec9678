/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one CPU has to run, and until when its sleepers sleep. Private to kernel/sched.
 *
 * All functions with _locked need the run queue's lock, taken with interrupts disabled already
 * (the lock may be released by another thread than took it, so it must not carry the interrupt
 * state of either).
 */
#ifndef QUIRE_KERNEL_SCHED_RUN_QUEUE_H
#define QUIRE_KERNEL_SCHED_RUN_QUEUE_H

#include "kernel/sched/thread.h"

#ifdef __cplusplus
extern "C" {
#endif

TAILQ_HEAD(thread_list, thread);

/* (l) lock  (c) constant after this CPU has begun */
struct run_queue {
	struct spinlock lock;
	struct thread *current; /* (l) NULL until this CPU has begun to schedule */
	struct thread *idle;    /* (c) runs when nothing else can; never in a list */
	struct thread *dead;    /* (l) is leaving its stack at this moment */
	bool slice_over;        /* (l) the running thread's tick is used up */
	uint64_t switched_ns;   /* (l) when it got the CPU */
	struct thread_list ready[THREAD_PRIO_COUNT]; /* (l) */
	struct thread_list timeouts;                 /* (l) soonest first */
} QUIRE_ALIGNED(CACHE_LINE);

/* Empties the queues of `cpus` CPUs. */
void run_queue_init_all(unsigned cpus);

struct run_queue *run_queue_of(unsigned cpu);

static inline struct run_queue *run_queue_self(void)
{
	return run_queue_of(arch_cpu_id());
}

/* Makes a thread READY, in front of its equals or behind them. */
enum run_place { RUN_FRONT, RUN_BACK };
void run_queue_insert_locked(struct run_queue *rq, struct thread *thread, enum run_place place);

/* Takes the best ready thread out, or gives the idle thread. */
struct thread *run_queue_take_locked(struct run_queue *rq);

/* The highest priority that is ready; negative when none is. */
int run_queue_best_locked(const struct run_queue *rq);

/* Makes a thread READY behind its equals, and its CPU look if it should run there at once. */
void run_queue_start_locked(struct run_queue *rq, struct thread *thread);

/* Puts the running thread to SLEEPING; deadline_ns as by the clock, 0 for none. */
void run_queue_sleep_locked(struct run_queue *rq, struct thread *thread, uint64_t deadline_ns);

/* Makes every sleeper ready whose deadline has come. */
void run_queue_expire_locked(struct run_queue *rq, uint64_t now_ns);

/*
 * Wakes a thread that its sleep queue has just let go, if it sleeps. False when its timeout had
 * been faster, so that somebody else should be woken. Takes the run queue's lock.
 */
bool run_queue_wake(struct thread *thread);

/*
 * Gives the CPU to the best ready thread and returns when the caller's thread runs again. Takes
 * over the lock and has released it on return, interrupts disabled. The caller has put the running
 * thread where it belongs: in a list, asleep, or in rq->dead. sched.c
 */
void sched_switch_locked(struct run_queue *rq);

/* The other half, on the other side: what a thread does first when it is given the CPU. */
void sched_switch_finish(struct run_queue *rq);

#ifdef __cplusplus
}
#endif

#endif
