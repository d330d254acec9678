/* SPDX-License-Identifier: BSD-2-Clause */
/* One run: makes the workers, takes the samples, prints the line. harness.h explains. */
#include <linux/cpu.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "bench/kernel/stats.h"
#include "bench/meter/marker.h"
#include "bench/peers/linux/module/harness.h"

const char *bench_case_name(unsigned int index)
{
	switch (index) {
	case BENCH_INDEX_EMPTY:
		return "empty";
#define BENCH_CASE(number, id, name, operation)                                                    \
	case number:                                                                               \
		return name;
		BENCH_CASES
#undef BENCH_CASE
	}
	return NULL;
}

/* Asleep, so that who comes early leaves the host's processors to who has work left. */
static void gather(struct bench_run *run)
{
	unsigned int before = READ_ONCE(run->gathered);

	/* The last one changes `gathered` behind its arrival, so nobody reads it too late. */
	if (atomic_inc_return(&run->arrived) < (int)run->workers) {
		wait_event_idle(run->gather_wait, smp_load_acquire(&run->gathered) != before);
		return;
	}
	atomic_set(&run->arrived, 0);
	smp_store_release(&run->gathered, before + 1);
	wake_up_all(&run->gather_wait);
}

/* After gather: awake, so that all go on at the same moment. */
static void start_line(struct bench_cpu *cpu)
{
	int target = (int)(++cpu->lines * cpu->run->workers);

	atomic_inc_return(&cpu->run->line);
	while (atomic_read_acquire(&cpu->run->line) - target < 0)
		cpu_relax();
}

static void fail(struct bench_run *run, int error)
{
	if (error != 0)
		cmpxchg(&run->error, 0, error);
}

static int call(int (*hook)(struct bench_cpu *cpu), struct bench_cpu *cpu)
{
	return hook == NULL || READ_ONCE(cpu->run->error) != 0 ? 0 : hook(cpu);
}

static int take_sample(struct bench_cpu *cpu)
{
	const struct bench_run *run = cpu->run;
	unsigned int mark = run->what->index | (run->mode == BENCH_ALL ? BENCH_ALL_CPUS : 0);
	int (*sample)(struct bench_cpu * cpu) = run->what->sample;
	u64 begin;
	int error;

	if (cpu->round < BENCH_WARMUPS)
		return sample(cpu);
	begin = rdtsc();
	meter_begin(mark);
	error = sample(cpu);
	meter_end(mark);
	cpu->ticks[cpu->round - BENCH_WARMUPS] = rdtsc() - begin;
	return error;
}

static void work(struct bench_cpu *cpu)
{
	struct bench_run *run = cpu->run;
	const struct bench_case *what = run->what;

	fail(run, call(what->setup_cpu, cpu));
	for (cpu->round = 0; cpu->round < BENCH_WARMUPS + run->samples; cpu->round++) {
		gather(run);
		fail(run, call(what->prepare, cpu));
		gather(run);
		start_line(cpu);
		fail(run, call(take_sample, cpu));
	}
	gather(run);
	if (what->drain_cpu != NULL)
		what->drain_cpu(cpu);
}

static int worker_main(void *argument)
{
	struct bench_cpu *cpu = argument;
	struct bench_run *run = cpu->run;

	work(cpu);
	if (atomic_dec_and_test(&run->running))
		complete(&run->done);
	/* kthread_stop takes a thread that is still there; it comes when all are done. */
	set_current_state(TASK_INTERRUPTIBLE);
	while (!kthread_should_stop()) {
		schedule();
		set_current_state(TASK_INTERRUPTIBLE);
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

static void stop_workers(struct task_struct **tasks, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		kthread_stop(tasks[i]);
}

/* None has begun when not all can be made: kthread_stop then ends them without running them. */
static int run_workers(struct bench_run *run, struct task_struct **tasks)
{
	unsigned int made = 0, cpu = cpumask_first(cpu_online_mask);

	for (; cpu < nr_cpu_ids; cpu = cpumask_next(cpu, cpu_online_mask)) {
		struct task_struct *task;

		if (made == run->workers)
			break;
		task = kthread_create_on_cpu(worker_main, &run->cpus[made], cpu, "bench/%u");
		if (IS_ERR(task)) {
			stop_workers(tasks, made);
			return PTR_ERR(task);
		}
		tasks[made++] = task;
	}
	for (cpu = 0; cpu < made; cpu++)
		wake_up_process(tasks[cpu]);
	wait_for_completion_state(&run->done, TASK_IDLE);
	stop_workers(tasks, made);
	return 0;
}

static void print_run(struct bench_run *run, u64 *ticks)
{
	struct bench_stats stats = bench_stats(ticks, (size_t)run->workers * run->samples);

	pr_info("bench: case=%u name=%s mode=%s cpus=%u ops=%u samples=%u ticks_min=%llu "
		"ticks_med=%llu ticks_max=%llu\n",
		run->what->index, bench_case_name(run->what->index), bench_mode_name(run->mode),
		run->workers, run->ops, run->samples, stats.min, stats.median, stats.max);
	if (run->what->notes != NULL)
		run->what->notes(run);
}

static void print_failure(const struct bench_case *what, enum bench_mode mode, int error)
{
	pr_info("bench: %s case=%u name=%s mode=%s: error %d (%s)\n",
		error == -ENOMEM ? "skipped" : "FAIL", what->index, bench_case_name(what->index),
		bench_mode_name(mode), -error, error == -ENOMEM ? "memory is short" : "see errno");
}

static int run_prepared(struct bench_run *run, u64 *ticks, struct task_struct **tasks)
{
	const struct bench_case *what = run->what;
	int error = 0;

	atomic_set(&run->running, (int)run->workers);
	init_completion(&run->done);
	init_waitqueue_head(&run->gather_wait);
	for (unsigned int i = 0; i < run->workers; i++) {
		struct bench_cpu *cpu = &run->cpus[i];

		cpu->run = run;
		cpu->number = i;
		cpu->ticks = ticks + (size_t)i * run->samples;
		bench_random_seed(&cpu->random, BENCH_SEED, (u64)what->index << 32 | i);
	}
	if (what->setup != NULL)
		error = what->setup(run);
	if (error == 0)
		error = run_workers(run, tasks);
	if (what->teardown != NULL)
		what->teardown(run);
	return error != 0 ? error : run->error;
}

static unsigned int run_ops(const struct bench_case *what, unsigned int workers, bool quick)
{
	unsigned int ops = quick && what->quick_ops != 0 ? what->quick_ops : what->ops;

	if (what->ops_divided && workers > 1)
		ops = max_t(unsigned int, ops / workers, BENCH_OPS_MIN);
	return ops;
}

int bench_run_case(const struct bench_case *what, enum bench_mode mode, bool quick)
{
	static struct bench_run run; /* there is one at a time */
	struct task_struct **tasks;
	int error = -ENOMEM;
	u64 *ticks;

	run = (struct bench_run){.what = what, .mode = mode};
	run.samples = quick ? BENCH_SAMPLES_QUICK : BENCH_SAMPLES;
	cpus_read_lock();
	run.workers = mode == BENCH_ALL ? num_online_cpus() : 1;
	run.ops = run_ops(what, run.workers, quick);
	run.cpus = kcalloc(run.workers, sizeof(*run.cpus), GFP_KERNEL);
	tasks = kcalloc(run.workers, sizeof(*tasks), GFP_KERNEL);
	ticks = vzalloc(array3_size(run.workers, run.samples, sizeof(*ticks)));
	if (run.cpus != NULL && tasks != NULL && ticks != NULL)
		error = run_prepared(&run, ticks, tasks);
	cpus_read_unlock();
	if (error == 0)
		print_run(&run, ticks);
	else
		print_failure(what, mode, error);
	vfree(ticks);
	kfree(tasks);
	kfree(run.cpus);
	return error;
}
