/* SPDX-License-Identifier: BSD-2-Clause */
/* One run: a case in one mode, from its workers' memory to the line that tells what came out. */
#include "arch/ipi.h"
#include "bench/kernel/bench.h"
#include "bench/kernel/stats.h"
#include "bench/meter/marker.h"
#include "kernel/console.h"
#include "lib/bits.h"
#include "lib/format.h"
#include "lib/string.h"
#include "smp/smp.h"
#include "vm/vm_kern.h"

enum { BENCH_WARMUPS = 2, OPS_MIN = 4 };

/* --- What becomes of a run --- */

bool bench_short(struct bench_run *run, const char *what)
{
	spin_lock(&run->problem_lock);
	if (atomic32_load(&run->outcome, MO_RELAXED) == BENCH_OK) {
		format(run->problem, sizeof(run->problem), "memory is short %s", what);
		atomic32_store(&run->outcome, BENCH_SHORT, MO_RELEASE);
	}
	spin_unlock(&run->problem_lock);
	return false;
}

bool bench_fail(struct bench_run *run, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	spin_lock(&run->problem_lock);
	if (atomic32_load(&run->outcome, MO_RELAXED) != BENCH_FAILED) {
		format_v(run->problem, sizeof(run->problem), fmt, args);
		atomic32_store(&run->outcome, BENCH_FAILED, MO_RELEASE);
	}
	spin_unlock(&run->problem_lock);
	va_end(args);
	return false;
}

static enum bench_outcome run_outcome(struct bench_run *run)
{
	return (enum bench_outcome)atomic32_load(&run->outcome, MO_ACQUIRE);
}

/* --- One worker --- */

static void sample_for_count(struct bench_worker *worker)
{
	const struct bench_run *run = worker->run;
	bool (*sample)(struct bench_worker * worker) = run->test->sample;
	unsigned index = run->test->index | (run->mode == BENCH_ALL ? BENCH_ALL_CPUS : 0);
	uint64_t commands = arch_ipi_commands();
	uint64_t start = arch_cycles();

	meter_begin(index);
	sample(worker);
	meter_end(index);
	worker->ticks[worker->round - BENCH_WARMUPS] = arch_cycles() - start;
	worker->ipi_commands += arch_ipi_commands() - commands;
}

/* Returns true when the run is to end. */
static bool worker_round(struct bench_worker *worker)
{
	const struct bench_case *test = worker->run->test;

	if (test->before != NULL)
		test->before(worker);
	if (bench_gather(worker))
		return true;
	bench_start_line(worker);
	if (worker->round < BENCH_WARMUPS)
		test->sample(worker);
	else
		sample_for_count(worker);
	return bench_gather(worker);
}

static void worker_main(struct bench_worker *worker)
{
	const struct bench_run *run = worker->run;
	unsigned rounds = BENCH_WARMUPS + run->options->samples;
	bool stop;

	if (run->test->enter != NULL)
		run->test->enter(worker);
	stop = bench_gather(worker);
	for (; !stop && worker->round < rounds; worker->round++)
		stop = worker_round(worker);
	if (!stop) {
		/* While all hold what the case holds, and nobody allocates. */
		if (worker->index == 0)
			bench_account_take(&worker->run->account);
		bench_gather(worker);
		if (run->test->verify != NULL)
			run->test->verify(worker);
		bench_gather(worker);
	}
	if (run->test->leave != NULL && !worker->lost)
		run->test->leave(worker);
}

/* --- One run --- */

/* What each worker needs beside its structure, in bytes. All workers' lies in one piece: the
 * structures, then all slots, plans, ticks. */
struct run_memory {
	size_t slots, plan, ticks;
};

static struct run_memory run_memory(const struct bench_run *run)
{
	return (struct run_memory){
	    .slots = align_up(run->test->slots * sizeof(struct bench_slot), CACHE_LINE),
	    .plan = align_up(run->ops * sizeof(uint32_t), CACHE_LINE),
	    .ticks = run->options->samples * sizeof(uint64_t),
	};
}

static vm_size_t run_memory_size(const struct bench_run *run)
{
	struct run_memory each = run_memory(run);

	return run->worker_count *
	       (sizeof(struct bench_worker) + each.slots + each.plan + each.ticks);
}

static void worker_init(struct bench_run *run, unsigned index, unsigned cpu)
{
	struct run_memory each = run_memory(run);
	struct bench_worker *worker = &run->workers[index];
	unsigned count = run->worker_count;
	char *slots = (char *)&run->workers[count], *plan = slots + count * each.slots;

	worker->run = run;
	worker->index = index;
	worker->cpu = cpu;
	worker->own = (struct bench_slot *)(slots + index * each.slots);
	worker->plan = (uint32_t *)(plan + index * each.plan);
	/* All of them in one row, for the statistics. */
	worker->ticks = (uint64_t *)(plan + count * each.plan + index * each.ticks);
	bench_random_seed(&worker->random, run->options->seed,
			  (uint64_t)run->test->index << 32 | index);
}

static bool run_prepare(struct bench_run *run)
{
	struct cpuset online;
	unsigned index = 0;

	run->workers = (struct bench_worker *)kmem_alloc(kernel_map, run_memory_size(run));
	if (run->workers == NULL)
		return bench_short(run, "for the benchmark itself");
	smp_online_set(&online);
	CPUSET_FOREACH (cpu, &online) {
		if (index < run->worker_count)
			worker_init(run, index++, cpu);
	}
	return true;
}

static unsigned run_ops(const struct bench_run *run)
{
	const struct bench_case *test = run->test;
	unsigned ops = run->options->quick && test->quick_ops != 0 ? test->quick_ops : test->ops;

	/* What interrupts every other CPU takes n^2 of them where n work. */
	if (test->ops_divided && run->worker_count > 1)
		ops = ops / run->worker_count > OPS_MIN ? ops / run->worker_count : OPS_MIN;
	return ops;
}

static void run_init(struct bench_run *run, const struct bench_case *test,
		     const struct bench_options *options, unsigned mode)
{
	memset(run, 0, sizeof(*run));
	spin_init(&run->barrier_lock, "benchmark barrier", LOCK_RANK_KERNEL, 0);
	spin_init(&run->problem_lock, "benchmark problem", LOCK_RANK_KERNEL, 0);
	run->test = test;
	run->options = options;
	run->mode = mode;
	run->worker_count = mode == BENCH_ALL ? smp_online_count() : 1;
	run->ops = run_ops(run);
}

static void run_execute(struct bench_run *run)
{
	if (!run_prepare(run))
		return;
	if (run->test->setup == NULL || run->test->setup(run))
		bench_crew_run(run, worker_main);
	if (run->test->teardown != NULL)
		run->test->teardown(run);
}

static const char *mode_name(unsigned mode)
{
	return mode == BENCH_ALL ? "all" : "alone";
}

static void run_print(const struct bench_run *run, const char *name)
{
	unsigned samples = run->options->samples;
	struct bench_stats stats =
	    bench_stats(run->workers->ticks, (size_t)samples * run->worker_count);

	console_printf("bench: case=%u name=%s mode=%s cpus=%u ops=%u samples=%u ticks_min=%lu "
		       "ticks_med=%lu ticks_max=%lu\n",
		       run->test->index, name, mode_name(run->mode), run->worker_count, run->ops,
		       samples, (unsigned long)stats.min, (unsigned long)stats.median,
		       (unsigned long)stats.max);
	if (run->test->report_ipis)
		console_printf("bench: note case=%u mode=%s ipi_commands=%lu operations=%lu\n",
			       run->test->index, mode_name(run->mode),
			       (unsigned long)run->workers->ipi_commands,
			       (unsigned long)run->ops * samples * run->worker_count);
	if (run->test->index != BENCH_INDEX_EMPTY)
		bench_account_print(&run->account, run->test->index, mode_name(run->mode));
}

static void run_report(struct bench_run *run, const char *name)
{
	switch (run_outcome(run)) {
	case BENCH_OK:
		run_print(run, name);
		if (run->test->notes != NULL)
			run->test->notes(run);
		break;
	case BENCH_SHORT:
		console_printf("bench: skipped case=%u name=%s mode=%s: %s\n", run->test->index,
			       name, mode_name(run->mode), run->problem);
		break;
	case BENCH_FAILED:
		console_printf("bench: FAIL case=%u name=%s mode=%s: %s\n", run->test->index, name,
			       mode_name(run->mode), run->problem);
		break;
	}
}

static void run_release(struct bench_run *run)
{
	if (run->workers != NULL)
		kmem_free(kernel_map, (vm_offset_t)run->workers, run_memory_size(run));
}

enum bench_outcome bench_case_run(const struct bench_case *test, const char *name,
				  const struct bench_options *options, unsigned mode)
{
	static struct bench_run run; /* the shell is one thread */

	run_init(&run, test, options, mode);
	run_execute(&run);
	run_report(&run, name);
	run_release(&run);
	return run_outcome(&run);
}
