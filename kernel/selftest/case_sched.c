/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads are preempted, wake in time and not before, exclude each other, and lose no wake-up. */
#include "arch/clock.h"
#include "kernel/kthread.h"
#include "kernel/sched/mutex.h"
#include "kernel/sched/sleepq.h"
#include "kernel/selftest/selftest.h"
#include "smp/smp.h"

#define MS UINT64_C(1000000)

static struct atomic32 stop_spinning[MAXCPU];
static struct atomic32 spinning[MAXCPU];

/* Never gives its CPU away: only the tick can take it. */
static void spinner(void *arg)
{
	unsigned cpu = arch_cpu_id();
	uint64_t deadline = arch_clock_ns() + SELFTEST_PATIENCE_NS;

	(void)arg;
	atomic32_store(&spinning[cpu], 1, MO_RELEASE);
	while (!atomic32_load(&stop_spinning[cpu], MO_ACQUIRE)) {
		arch_cpu_relax();
		SELFTEST_CHECK(arch_clock_ns() < deadline);
	}
}

static void preempt_on(unsigned index, unsigned count)
{
	unsigned cpu = arch_cpu_id();
	struct kthread *kthread;

	(void)index;
	(void)count;
	atomic32_store(&stop_spinning[cpu], 0, MO_RELEASE);
	atomic32_store(&spinning[cpu], 0, MO_RELEASE);
	kthread = kthread_create("spinner", spinner, NULL, cpu, THREAD_PRIO_NORMAL);
	if (kthread == NULL) {
		selftest_fail("no memory for a thread");
		return;
	}
	/* It has begun, and cannot end by itself: when this thread goes on, it was preempted. */
	while (!atomic32_load(&spinning[cpu], MO_ACQUIRE) && !selftest_failed())
		thread_yield();
	atomic32_store(&stop_spinning[cpu], 1, MO_RELEASE);
	kthread_join(kthread);
}

static void preempt(void)
{
	selftest_parallel(preempt_on);
}

static struct spinlock sleep_lock = SPINLOCK_INIT("selftest sleep", LOCK_RANK_KERNEL);

static void sleep_on_cpu(unsigned index, unsigned count)
{
	uint64_t start = arch_clock_ns(), channel = 0;
	enum sleep_result result;

	(void)index;
	(void)count;
	thread_sleep_ns(30 * MS);
	SELFTEST_CHECK(arch_clock_ns() - start >= 30 * MS);
	SELFTEST_CHECK(arch_clock_ns() - start < SELFTEST_PATIENCE_NS);

	start = arch_clock_ns();
	spin_lock(&sleep_lock);
	result = sleep_on_spin(&channel, &sleep_lock, "selftest timeout", 20 * MS);
	spin_unlock(&sleep_lock);
	SELFTEST_CHECK(result == SLEEP_TIMED_OUT);
	SELFTEST_CHECK(arch_clock_ns() - start >= 20 * MS);
}

static void timeouts(void)
{
	selftest_parallel(sleep_on_cpu);
}

enum { MUTEX_ROUNDS = 100 };
static struct mutex mutex;
static volatile uint64_t mutex_counter; /* guarded by mutex */

static void mutex_on(unsigned index, unsigned count)
{
	if (!selftest_barrier())
		return;
	for (unsigned i = 0; i < MUTEX_ROUNDS; i++) {
		uint64_t before;

		mutex_lock(&mutex);
		before = mutex_counter;
		/* Now and then the owner goes away with it, so that others have to sleep. */
		if ((i + index) % 8 == 0)
			thread_yield();
		mutex_counter = before + 1;
		mutex_unlock(&mutex);
	}
	if (!selftest_barrier())
		return;
	SELFTEST_CHECK(mutex_counter == (uint64_t)MUTEX_ROUNDS * count);
	SELFTEST_CHECK(!mutex_owned(&mutex));
}

static void mutexes(void)
{
	mutex_init(&mutex, "selftest mutex", LOCK_RANK_KERNEL);
	mutex_counter = 0;
	selftest_parallel(mutex_on);
}

enum { TOKEN_ROUNDS = 50 };
static struct spinlock token_lock = SPINLOCK_INIT("selftest token", LOCK_RANK_KERNEL);
static uint64_t token; /* guarded by token_lock: whose turn it is, modulo the CPUs */

/* A token goes round. If one wake-up is lost, it stops and somebody's sleep times out. */
static void wakeup_on(unsigned index, unsigned count)
{
	for (uint64_t turn = index; turn < (uint64_t)TOKEN_ROUNDS * count; turn += count) {
		bool timed_out = false;

		spin_lock(&token_lock);
		while (token != turn && !timed_out && !selftest_failed())
			timed_out = sleep_on_spin(&token, &token_lock, "selftest token",
						  SELFTEST_PATIENCE_NS) == SLEEP_TIMED_OUT;
		if (token == turn)
			timed_out = false;
		token = turn + 1;
		wakeup(&token);
		spin_unlock(&token_lock);
		SELFTEST_CHECK(!timed_out);
		if (selftest_failed())
			return;
	}
}

static void wakeups(void)
{
	token = 0;
	selftest_parallel(wakeup_on);
}

const struct selftest_case selftest_sched[] = {
    {"sched.preempt", preempt},
    {"sched.timeouts", timeouts},
    {"sched.mutex", mutexes},
    {"sched.wakeup", wakeups},
    {NULL, NULL},
};
