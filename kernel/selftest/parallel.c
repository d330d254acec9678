/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One thread on each CPU, or several, and the barrier between them. The barrier sleeps, so that
 * CPUs which share one host processor do not take it from each other.
 */
#include "kernel/selftest/parallel.h"

#include "arch/clock.h"
#include "kernel/console.h"
#include "kernel/kthread.h"
#include "kernel/sched/sleepq.h"
#include "kernel/selftest/selftest.h"
#include "lib/check.h"
#include "lib/format.h"
#include "smp/smp.h"

static void (*parallel_fn)(unsigned index, unsigned count);
static unsigned parallel_count;

static struct spinlock barrier_lock = SPINLOCK_INIT("selftest barrier", LOCK_RANK_KERNEL);

/* Guarded by barrier_lock. */
static unsigned barrier_arrived;
static uint64_t barrier_generation;

void parallel_wake(void)
{
	/* Under the lock: whoever is about to sleep has looked before, or is asleep by now. */
	spin_lock(&barrier_lock);
	wakeup(&barrier_generation);
	spin_unlock(&barrier_lock);
}

/* Returns false when the time is over. */
static bool barrier_sleep_locked(uint64_t generation)
{
	while (barrier_generation == generation && !selftest_failed())
		if (sleep_on_spin(&barrier_generation, &barrier_lock, "selftest barrier",
				  SELFTEST_PATIENCE_NS) == SLEEP_TIMED_OUT)
			return barrier_generation != generation;
	return true;
}

bool selftest_barrier(void)
{
	unsigned arrived;
	bool in_time = true;

	spin_lock(&barrier_lock);
	arrived = ++barrier_arrived;
	if (arrived == parallel_count) {
		barrier_arrived = 0;
		barrier_generation++;
		wakeup(&barrier_generation);
	} else {
		in_time = barrier_sleep_locked(barrier_generation);
		arrived = barrier_arrived;
	}
	spin_unlock(&barrier_lock);
	if (!in_time)
		selftest_fail("only %u of %u CPUs came to a barrier", arrived, parallel_count);
	return !selftest_failed();
}

static void parallel_entry(void *arg)
{
	parallel_fn((unsigned)(uintptr_t)arg, parallel_count);
}

static struct kthread *thread_begin(void (*entry)(void *arg), unsigned index, unsigned cpu)
{
	struct kthread *kthread;
	char name[THREAD_NAME_MAX];

	format(name, sizeof(name), "selftest/%u", cpu);
	kthread = kthread_create(name, entry, (void *)(uintptr_t)index, cpu, THREAD_PRIO_NORMAL);
	if (kthread == NULL)
		selftest_fail("no memory for the thread of cpu %u", cpu);
	return kthread;
}

bool selftest_parallel(void (*fn)(unsigned index, unsigned count))
{
	static struct kthread *kthreads[MAXCPU];
	struct cpuset online;
	unsigned index = 0;

	smp_online_set(&online);
	parallel_fn = fn;
	parallel_count = cpuset_count(&online);
	barrier_arrived = 0;
	CPUSET_FOREACH (cpu, &online) {
		kthreads[index] = thread_begin(parallel_entry, index, cpu);
		index++;
	}
	for (unsigned i = 0; i < index; i++)
		if (kthreads[i] != NULL)
			kthread_join(kthreads[i]);
	return !selftest_failed();
}

static void (*crowd_fn)(unsigned index, unsigned count);
static unsigned crowd_count;
static struct kthread *crowd[MAXCPU * SELFTEST_CROWD_MAX];

static void crowd_entry(void *arg)
{
	crowd_fn((unsigned)(uintptr_t)arg, crowd_count);
}

unsigned selftest_crowd_start(unsigned per_cpu, void (*fn)(unsigned index, unsigned count))
{
	struct cpuset online;
	unsigned index = 0, started = 0;

	CHECK_LE(per_cpu, SELFTEST_CROWD_MAX);
	smp_online_set(&online);
	crowd_fn = fn;
	crowd_count = cpuset_count(&online) * per_cpu;
	CPUSET_FOREACH (cpu, &online) {
		for (unsigned i = 0; i < per_cpu; i++, index++) {
			crowd[index] = thread_begin(crowd_entry, index, cpu);
			started += crowd[index] != NULL;
		}
	}
	return started;
}

void selftest_crowd_join(void)
{
	for (unsigned i = 0; i < crowd_count; i++)
		if (crowd[i] != NULL)
			kthread_join(crowd[i]);
	crowd_count = 0;
}

/* For the one who reads why nobody came. */
static void show_thread(const struct thread *thread)
{
	const char *reason = thread->sleep_message;

	console_printf("  thread \"%s\" of cpu %u: %s\n", thread->name, thread->cpu,
		       thread->state == THREAD_SLEEPING && reason != NULL ? reason : "runs");
}

bool selftest_await(bool (*is_so)(void), const char *what)
{
	uint64_t deadline = arch_clock_ns() + SELFTEST_PATIENCE_NS;

	while (!selftest_failed()) {
		if (is_so())
			return true;
		if (arch_clock_ns() >= deadline) {
			kthread_foreach(show_thread);
			selftest_fail("waited too long: %s", what);
		}
		thread_sleep_ns(1);
	}
	return false;
}
