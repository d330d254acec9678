/* SPDX-License-Identifier: BSD-2-Clause */
/* Workers on all CPUs, from beginning to end, and the way through the programme. */
#include "kernel/stress/run.h"

#include "arch/clock.h"
#include "kernel/console.h"
#include "kernel/kthread.h"
#include "kernel/stress/dashboard.h"
#include "kernel/stress/figures.h"
#include "kernel/stress/report.h"
#include "kernel/stress/scenario.h"
#include "kernel/stress/stress.h"
#include "kernel/stress/summary.h"
#include "lib/format.h"
#include "smp/patience.h"
#include "smp/smp.h"
#include "vm/vm_audit.h"
#include "vm/vm_kern.h"
#include "vm/vm_page.h"

/* All scenarios have their turn in a run, however short, unless that is less than a tenth of a
 * second for each. */
enum {
	SCENARIO_NS_MAX = 3 * 1000 * 1000 * 1000L,
	SCENARIO_NS_MIN = 100 * 1000 * 1000,
	LOOK_NS = 50 * 1000 * 1000, /* between two looks at clock and keys */
	SHOW_SECONDS_MIN = 5,       /* between two lines of progress, */
	SHOW_PARTS = 60,            /* of which there are about so many in a long run */
};

static struct stress_worker *workers[MAXCPU];
static struct kthread *threads[MAXCPU];
static unsigned worker_count;
static struct atomic32 stopped, paused;

bool stress_stopped(void)
{
	return atomic32_load(&stopped, MO_RELAXED) != 0;
}

void stress_stop(void)
{
	atomic32_store(&stopped, 1, MO_RELAXED);
}

bool stress_paused(void)
{
	return atomic32_load(&paused, MO_RELAXED) != 0;
}

void stress_pause(bool pause)
{
	atomic32_store(&paused, pause, MO_RELAXED);
}

struct stress_worker *stress_worker_of(unsigned index)
{
	return workers[index];
}

/* --- Workers --- */

static void workers_free(void)
{
	for (unsigned i = 0; i < worker_count; i++)
		kmem_free(kernel_map, (vm_offset_t)workers[i], round_page(sizeof(*workers[i])));
	worker_count = 0;
}

static bool worker_add(unsigned cpu, uint64_t seed)
{
	struct stress_worker *worker =
	    (struct stress_worker *)kmem_alloc(kernel_map, round_page(sizeof(*worker)));

	if (worker == NULL)
		return false;
	worker->index = worker_count;
	worker->cpu = cpu;
	worker->random = seed + cpu * UINT64_C(0xd1342543de82ef95);
	spin_init(&worker->lock, "stress inbox", LOCK_RANK_KERNEL, 0);
	workers[worker_count++] = worker;
	return true;
}

static bool workers_make(uint64_t seed)
{
	struct cpuset online;
	uint64_t share;

	worker_count = 0;
	smp_online_set(&online);
	CPUSET_FOREACH (cpu, &online) {
		if (!worker_add(cpu, seed)) {
			workers_free();
			return false;
		}
	}
	share = ptoa(vm_page_free_count()) / worker_count;
	for (unsigned i = 0; i < worker_count; i++) {
		workers[i]->count = worker_count;
		workers[i]->share_bytes = share;
	}
	return true;
}

static void worker_entry(void *arg)
{
	stress_worker_run((struct stress_worker *)arg);
}

static void workers_start(void)
{
	char name[THREAD_NAME_MAX];

	for (unsigned i = 0; i < worker_count; i++) {
		format(name, sizeof(name), "stress/%u", workers[i]->cpu);
		threads[i] = kthread_create(name, worker_entry, workers[i], workers[i]->cpu,
					    THREAD_PRIO_NORMAL);
		if (threads[i] == NULL)
			stress_error("no memory for the thread of cpu %u", workers[i]->cpu);
	}
}

static void workers_join(void)
{
	for (unsigned i = 0; i < worker_count; i++)
		if (threads[i] != NULL)
			kthread_join(threads[i]);
	for (unsigned i = 0; i < worker_count; i++)
		stress_worker_empty(workers[i]);
}

/* --- The programme --- */

static uint64_t scenario_ns(uint64_t seconds)
{
	uint64_t ns = seconds * NS_PER_SECOND / stress_programme_count();

	if (seconds == 0 || ns > SCENARIO_NS_MAX)
		return SCENARIO_NS_MAX;
	return ns < SCENARIO_NS_MIN ? SCENARIO_NS_MIN : ns;
}

/* The scenario whose turn it is after so much time; pauses do not count. */
static void programme_follow(struct stress_state *state)
{
	uint64_t turn = state->elapsed_ns / scenario_ns(state->options.seconds);

	state->passes = turn / stress_programme_count();
	state->scenario = (unsigned)(turn % stress_programme_count());
	stress_choice_set(state->scenario);
}

static void show_progress(struct stress_state *state, uint64_t *next_ns)
{
	uint64_t every = state->options.seconds / SHOW_PARTS;

	if (state->elapsed_ns < *next_ns)
		return;
	if (*next_ns != 0)
		stress_show_progress(state);
	if (every < SHOW_SECONDS_MIN)
		every = SHOW_SECONDS_MIN;
	*next_ns = (state->elapsed_ns / NS_PER_SECOND + every) * NS_PER_SECOND;
}

/* The workers work meanwhile; ends early when one of them found an error. */
static void follow(struct stress_state *state)
{
	uint64_t last = arch_clock_ns(), next_line_ns = 0, now;

	while (!stress_stopped()) {
		thread_sleep_ns(LOOK_NS);
		now = arch_clock_ns();
		if (!state->paused)
			state->elapsed_ns += now - last;
		last = now;
		if (state->options.seconds != 0 &&
		    state->elapsed_ns >= state->options.seconds * NS_PER_SECOND)
			break;
		programme_follow(state);
		if (state->options.live)
			dashboard_turn(state);
		else
			show_progress(state, &next_line_ns);
	}
	stress_stop();
}

static void report_audit(const char *line)
{
	stress_error("audit: %s", line);
}

static void run_between(struct stress_state *state)
{
	stress_windows_make();
	figures_begin(state);
	workers_start();
	if (state->options.live)
		dashboard_begin();
	follow(state);
	stress_pause(false);
	workers_join();
	stress_windows_free();
	vm_audit(report_audit);
	if (state->options.live)
		dashboard_end();
}

int stress_run(const struct stress_options *options)
{
	struct stress_state state = {.options = *options};

	atomic32_store(&stopped, 0, MO_RELAXED);
	atomic32_store(&paused, 0, MO_RELAXED);
	stress_errors_reset(!options->live);
	if (!workers_make(options->seed)) {
		console_printf("quire: stress: no memory for the workers\n");
		return 1;
	}
	state.workers = worker_count;
	summary_begin(&state);
	run_between(&state);
	summary_end(&state);
	workers_free();
	return stress_error_count() != 0;
}
