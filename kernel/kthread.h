/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads that bring their own memory, and a list of all threads for people. */
#ifndef QUIRE_KERNEL_KTHREAD_H
#define QUIRE_KERNEL_KTHREAD_H

#include "kernel/sched/thread.h"

struct kthread;

/*
 * A thread that runs fn(arg) on `cpu`, which is online; it is started already. NULL when memory
 * is short. Every kthread has to be joined. Thread context.
 */
struct kthread *kthread_create(const char *name, void (*fn)(void *arg), void *arg, unsigned cpu,
			       enum thread_priority priority);

/* Sleeps until fn has returned, and takes the memory back. */
void kthread_join(struct kthread *kthread);

/* Puts a thread that is none of the above (a CPU's first ones) on the list for ever. */
void kthread_adopt(struct kthread *kthread);

/* The size of what kthread_adopt takes, and the thread inside. */
struct kthread {
	struct thread thread; /* first */
	void *stack;
	size_t stack_size;
	TAILQ_ENTRY(kthread) link; /* kthread_lock */
};

/* Calls show() for every thread, oldest first. Thread context; show may not create or join. */
void kthread_foreach(void (*show)(const struct thread *thread));

#endif
