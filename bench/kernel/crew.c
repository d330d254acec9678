/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One thread for each CPU that works, and how they wait for each other.
 *
 * Two ways, one after the other. In bench_gather they sleep: whoever comes early does not take the
 * host's processors from who has work left, in a machine whose CPUs share them. In
 * bench_start_line they spin, for a moment, since threads that are woken begin one after the other.
 */
#include "bench/kernel/bench.h"
#include "kernel/kthread.h"
#include "kernel/sched/sleepq.h"
#include "lib/format.h"
#include "smp/patience.h"
#include "smp/smp.h"
#include "vm/vm_kern.h"

/* No wait is longer without being a failure: enough for 64 CPUs on one processor. */
#define CREW_PATIENCE_NS (300 * NS_PER_SECOND)

static void (*crew_main)(struct bench_worker *worker);

/* The barrier opens; barrier_lock held. */
static void gather_open_locked(struct bench_run *run)
{
	run->arrived = 0;
	run->generation++;
	run->stopped = atomic32_load(&run->outcome, MO_ACQUIRE) != BENCH_OK;
	wakeup(&run->generation);
}

/* Returns false when the time is over. */
static bool gather_sleep_locked(struct bench_run *run)
{
	uint64_t generation = run->generation;

	while (run->generation == generation)
		if (sleep_on_spin(&run->generation, &run->barrier_lock, "benchmark barrier",
				  CREW_PATIENCE_NS) == SLEEP_TIMED_OUT)
			return run->generation != generation;
	return true;
}

bool bench_gather(struct bench_worker *worker)
{
	struct bench_run *run = worker->run;
	bool in_time = true, stopped;

	spin_lock(&run->barrier_lock);
	if (++run->arrived >= run->expected)
		gather_open_locked(run);
	else
		in_time = gather_sleep_locked(run);
	/* Not the outcome: it may change before others look, and all must decide alike. */
	stopped = run->stopped;
	spin_unlock(&run->barrier_lock);
	if (in_time)
		return stopped;
	worker->lost = true;
	bench_fail(run, "cpu %u waited too long for the others", worker->cpu);
	return true;
}

void bench_start_line(struct bench_worker *worker)
{
	struct bench_run *run = worker->run;
	struct patience patience;
	uint32_t target = ++worker->barriers * run->worker_count;

	atomic32_add(&run->line, 1, MO_ACQ_REL);
	patience_start(&patience, CREW_PATIENCE_NS, CREW_PATIENCE_NS);
	/* Signed: the counter may wrap. Nobody is a whole round ahead, as all gather in between. */
	while ((int32_t)(atomic32_load(&run->line, MO_ACQUIRE) - target) < 0) {
		if (patience_turn(&patience) != PATIENCE_OUT)
			continue;
		bench_fail(run, "cpu %u: the others did not come to the start", worker->cpu);
		return;
	}
}

static void crew_entry(void *arg)
{
	crew_main(arg);
}

static struct kthread *crew_start(struct bench_worker *worker)
{
	char name[THREAD_NAME_MAX];

	format(name, sizeof(name), "bench/%u", worker->cpu);
	return kthread_create(name, crew_entry, worker, worker->cpu, THREAD_PRIO_NORMAL);
}

/* A worker that there is no memory for: those who wait at the barrier need not. */
static void crew_do_without(struct bench_run *run)
{
	bench_short(run, "for the threads");
	spin_lock(&run->barrier_lock);
	run->expected--;
	if (run->expected != 0 && run->arrived >= run->expected)
		gather_open_locked(run);
	spin_unlock(&run->barrier_lock);
}

void bench_crew_run(struct bench_run *run, void (*main)(struct bench_worker *worker))
{
	static struct kthread *kthreads[MAXCPU];

	crew_main = main;
	run->expected = run->worker_count;
	for (unsigned i = 0; i < run->worker_count; i++) {
		kthreads[i] = crew_start(&run->workers[i]);
		if (kthreads[i] == NULL)
			crew_do_without(run);
	}
	for (unsigned i = 0; i < run->worker_count; i++)
		if (kthreads[i] != NULL)
			kthread_join(kthreads[i]);
}

/* --- CPUs that are busy with nothing --- */

static struct kthread *spinners[MAXCPU];
static struct atomic32 spinners_stop, spinners_running;

static void spinner_main(void *arg)
{
	(void)arg;
	atomic32_add(&spinners_running, 1, MO_RELAXED);
	while (atomic32_load(&spinners_stop, MO_RELAXED) == 0)
		arch_cpu_relax();
}

/* A CPU that has not yet left its idle loop would be measured as an idle one. */
static void spinners_await(unsigned count)
{
	while (atomic32_load(&spinners_running, MO_RELAXED) != count)
		arch_cpu_relax();
}

bool bench_spinners_start(struct bench_run *run)
{
	struct cpuset online;

	atomic32_store(&spinners_stop, 0, MO_RELEASE);
	atomic32_store(&spinners_running, 0, MO_RELEASE);
	smp_online_set(&online);
	CPUSET_FOREACH (cpu, &online) {
		if (cpu == arch_cpu_id())
			continue;
		spinners[cpu] =
		    kthread_create("bench spinner", spinner_main, NULL, cpu, THREAD_PRIO_NORMAL);
		if (spinners[cpu] == NULL)
			return bench_short(run, "for threads that keep CPUs busy");
	}
	spinners_await(cpuset_count(&online) - 1);
	return true;
}

void bench_spinners_stop(void)
{
	atomic32_store(&spinners_stop, 1, MO_RELEASE);
	for (unsigned cpu = 0; cpu < MAXCPU; cpu++) {
		if (spinners[cpu] != NULL)
			kthread_join(spinners[cpu]);
		spinners[cpu] = NULL;
	}
}
