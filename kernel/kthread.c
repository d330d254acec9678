/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The structure of a thread lies at the top of its stack, so that one allocation makes a thread
 * and the guard page below the stack is far from it.
 */
#include "kernel/kthread.h"

#include "kernel/sched/mutex.h"
#include "kernel/stack.h"
#include "kernel/trace.h"
#include "lib/bits.h"
#include "lib/string.h"

static TAILQ_HEAD(, kthread) kthreads = TAILQ_HEAD_INITIALIZER(kthreads);
static struct mutex kthread_lock;
static bool kthread_lock_ready;

/* The first threads are adopted while the boot CPU is alone. */
static void kthread_lock_init(void)
{
	if (!kthread_lock_ready)
		mutex_init(&kthread_lock, "kthread list", LOCK_RANK_KERNEL);
	kthread_lock_ready = true;
}

void kthread_adopt(struct kthread *kthread)
{
	kthread_lock_init();
	TAILQ_INSERT_TAIL(&kthreads, kthread, link);
}

struct kthread *kthread_create(const char *name, void (*fn)(void *arg), void *arg, unsigned cpu,
			       enum thread_priority priority)
{
	struct kthread *kthread;
	size_t size, usable;
	char *stack = kstack_alloc(&size);

	if (stack == NULL)
		return NULL;
	usable = align_down(size - sizeof(*kthread), CACHE_LINE);
	kthread = (struct kthread *)(stack + usable);
	memset(kthread, 0, sizeof(*kthread));
	kthread->stack = stack;
	kthread->stack_size = size;
	thread_create(&kthread->thread, name, fn, arg, cpu, priority, stack, usable);

	mutex_lock(&kthread_lock);
	TAILQ_INSERT_TAIL(&kthreads, kthread, link);
	mutex_unlock(&kthread_lock);
	trace(TRACE_THREAD, trace_name(name), cpu);
	thread_start(&kthread->thread);
	return kthread;
}

void kthread_join(struct kthread *kthread)
{
	thread_join(&kthread->thread);
	mutex_lock(&kthread_lock);
	TAILQ_REMOVE(&kthreads, kthread, link);
	mutex_unlock(&kthread_lock);
	trace(TRACE_THREAD_END, trace_name(kthread->thread.name), kthread->thread.cpu);
	kstack_free(kthread->stack, kthread->stack_size);
}

void kthread_foreach(void (*show)(const struct thread *thread))
{
	struct kthread *kthread;

	mutex_lock(&kthread_lock);
	TAILQ_FOREACH (kthread, &kthreads, link)
		show(&kthread->thread);
	mutex_unlock(&kthread_lock);
}
