/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes that run schedules. The parent never makes a machine, so each child starts from the
 * same state; its work is done by a thread whose stack stands at a fixed address, for the parent's
 * environment and arguments would move that of main().
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/string.h"
#include "smp/tlb_private.h"
#include "tests/explore/engine/engine.h"

enum { STACK_BYTES = 1 << 20, SEEDS_AT_ONCE = 64, POLL_NS = 10000000 };

/* Far from where the host puts anything by itself, and where the sanitizers allow a program's. */
#define STACK_ADDRESS ((void *)UINT64_C(0x7e9000000000))

static struct worker_shared *shared_create(void)
{
	struct worker_shared *shared =
	    mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(shared != MAP_FAILED);
	return shared;
}

void worker_free(struct worker_shared *shared)
{
	munmap(shared, sizeof(*shared));
}

/* --- In the child --- */

struct child {
	void (*work)(void *arg);
	void *arg;
};

static void *child_main(void *arg)
{
	const struct child *child = arg;

	failure_catch_signals();
	child->work(child->arg);
	return NULL;
}

static QUIRE_NORETURN void child_run(void (*work)(void *arg), void *arg)
{
	struct child child = {work, arg};
	pthread_attr_t attributes;
	pthread_t thread;
	void *stack = mmap(STACK_ADDRESS, STACK_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (pthread_attr_init(&attributes) != 0 ||
	    (stack != MAP_FAILED && pthread_attr_setstack(&attributes, stack, STACK_BYTES) != 0) ||
	    pthread_create(&thread, &attributes, child_main, &child) != 0 ||
	    pthread_join(thread, NULL) != 0) {
		fprintf(stderr, "explore: no thread to run schedules on\n");
		_exit(EXIT_USAGE);
	}
	fflush(NULL);
	_exit(0);
}

static pid_t child_start(void (*work)(void *arg), void *arg)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		fprintf(stderr, "explore: fork: %s\n", strerror(errno));
		exit(EXIT_USAGE);
	}
	if (pid == 0)
		child_run(work, arg);
	return pid;
}

static int child_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return EXIT_USAGE;
	if (WIFSIGNALED(status))
		fprintf(stderr, "explore: a worker was ended by signal %d\n", WTERMSIG(status));
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_USAGE;
}

static void scenario_begin(const struct explore_scenario *scenario)
{
	schedule_now.scenario = scenario;
	schedule_now.phase = "create";
	world_create(scenario, HOST_COROUTINES);
}

/* --- Many schedules --- */

struct slice {
	const struct worker_task *task;
	struct worker_shared *shared;
	unsigned index;
};

static void sample_store(const struct slice *slice, const struct strategy *strategy, uint64_t seed,
			 uint64_t trace, uint64_t number)
{
	struct worker_shared *shared = slice->shared;
	uint32_t *count = &shared->sample_count[slice->index];
	struct worker_sample *sample;

	/* The first of a process, and then the latest after ever longer histories. */
	if (*count < WORKER_SAMPLES)
		sample = &shared->samples[slice->index][(*count)++];
	else if ((number & (number - 1)) == 0)
		sample = &shared->samples[slice->index][1 + number % (WORKER_SAMPLES - 1)];
	else
		return;
	sample->seed = seed;
	sample->trace = trace;
	str_copy(sample->strategy, sizeof(sample->strategy), strategy->name);
}

static const struct strategy *task_strategy(const struct worker_task *task, uint64_t seed)
{
	return task->strategy != NULL ? task->strategy : strategy_of_seed(task->scenario, seed);
}

static void slice_run(void *arg)
{
	const struct slice *slice = arg;
	struct worker_shared *shared = slice->shared;
	uint64_t number = 0;

	failure_catch(&shared->failure);
	scenario_begin(slice->task->scenario);
	schedule_calibrate();
	while (!__atomic_load_n(&shared->stop, __ATOMIC_RELAXED)) {
		uint64_t seed =
		    __atomic_fetch_add(&shared->next_seed, SEEDS_AT_ONCE, __ATOMIC_RELAXED);
		uint64_t end = seed + SEEDS_AT_ONCE, begin = seed;

		if (end > shared->end_seed)
			end = shared->end_seed;
		for (; seed < end; seed++, number++) {
			const struct strategy *strategy = task_strategy(slice->task, seed);

			sample_store(slice, strategy, seed, schedule_run(strategy, seed), number);
		}
		if (begin >= shared->end_seed)
			return;
		__atomic_fetch_add(&shared->done, end - begin, __ATOMIC_RELAXED);
		if (shared->deadline_ns != 0 && real_ns() >= shared->deadline_ns)
			return;
	}
}

/* --- Looking whether the same seed gave the same schedule --- */

static void slice_verify(void *arg)
{
	const struct slice *slice = arg;
	struct worker_shared *shared = slice->shared;

	failure_catch(&shared->failure);
	scenario_begin(slice->task->scenario);
	schedule_calibrate();
	for (uint32_t i = shared->sample_count[slice->index]; i > 0; i--) {
		const struct worker_sample *sample = &shared->samples[slice->index][i - 1];

		if (schedule_run(strategy_find(sample->strategy), sample->seed) == sample->trace)
			continue;
		shared->mismatch_seed = sample->seed;
		shared->mismatch = 1;
		return;
	}
}

static void poll_pause(void)
{
	struct timespec pause = {0, POLL_NS};

	nanosleep(&pause, NULL);
}

/* Waits for all; calls progress meanwhile. False if one ended in a way that it should not. */
static bool children_wait(pid_t *pids, unsigned count, struct worker_shared *shared,
			  void (*progress)(const struct worker_shared *shared))
{
	unsigned left = count;
	bool good = true;

	while (left > 0) {
		for (unsigned i = 0; i < count; i++) {
			int status;

			if (pids[i] == 0 || waitpid(pids[i], &status, WNOHANG) == 0)
				continue;
			pids[i] = 0;
			left--;
			if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
				continue;
			__atomic_store_n(&shared->stop, 1, __ATOMIC_RELAXED);
			good = good && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FOUND;
			if (!WIFEXITED(status))
				fprintf(stderr, "explore: a worker was ended by signal %d\n",
					WTERMSIG(status));
		}
		if (left > 0)
			poll_pause();
		if (progress != NULL)
			progress(shared);
	}
	return good;
}

static enum worker_outcome outcome_of(const struct worker_shared *shared, bool good)
{
	if (__atomic_load_n(&shared->failure.valid, __ATOMIC_ACQUIRE) == 2)
		return WORKER_FAILED;
	if (!good)
		return WORKER_DIED;
	return shared->mismatch ? WORKER_DIVERGED : WORKER_CLEAN;
}

enum worker_outcome worker_run(const struct worker_task *task, struct worker_shared **out)
{
	struct worker_shared *shared = shared_create();
	struct slice slices[WORKERS_MAX];
	pid_t pids[WORKERS_MAX];
	bool good;

	CHECK(task->jobs >= 1 && task->jobs <= WORKERS_MAX);
	*out = shared;
	shared->next_seed = task->first_seed;
	shared->end_seed = task->schedules == 0 ? UINT64_MAX : task->first_seed + task->schedules;
	shared->deadline_ns = task->ns == 0 ? 0 : real_ns() + task->ns;
	for (unsigned i = 0; i < task->jobs; i++) {
		slices[i] = (struct slice){task, shared, i};
		pids[i] = child_start(slice_run, &slices[i]);
	}
	good = children_wait(pids, task->jobs, shared, task->progress);
	if (good && outcome_of(shared, good) == WORKER_CLEAN) {
		pids[0] = child_start(slice_verify, &slices[0]);
		good = children_wait(pids, 1, shared, NULL);
	}
	return outcome_of(shared, good);
}

/* --- One schedule, with everything that can be said about it --- */

struct replay {
	const struct explore_scenario *scenario;
	const struct strategy *strategy;
	uint64_t seed, after;
	struct exhaustive_limits limits;
	const char *path; /* of an exhaustive search, or NULL */
};

static uint64_t replay_seed(const struct replay *replay, uint64_t seed)
{
	return schedule_run(replay->strategy != NULL ? replay->strategy
						     : strategy_of_seed(replay->scenario, seed),
			    seed);
}

static void replay_run(void *arg)
{
	const struct replay *replay = arg;
	uint64_t trace = 0;

	failure_catch(NULL);
	scenario_begin(replay->scenario);
	if (replay->path == NULL)
		schedule_calibrate();
	for (uint64_t i = replay->after; i > 0; i--)
		replay_seed(replay, replay->seed - i);
	trace_start();
	if (replay->path != NULL)
		exhaustive_replay(&replay->limits, replay->path);
	else
		trace = replay_seed(replay, replay->seed);
	trace_print(stdout);
	printf("passed: %s\n", replay->scenario->name);
	if (replay->path == NULL)
		printf("checksum of the schedule: %016lx\n", (unsigned long)trace);
}

int worker_replay(const struct explore_scenario *scenario, const struct strategy *strategy,
		  uint64_t seed, uint64_t after)
{
	struct replay replay = {
	    .scenario = scenario, .strategy = strategy, .seed = seed, .after = after};

	return child_wait(child_start(replay_run, &replay));
}

int worker_replay_path(const struct explore_scenario *scenario, unsigned extras, const char *path)
{
	struct replay replay = {.scenario = scenario, .path = path};

	replay.limits = (struct exhaustive_limits){.states = UINT64_MAX, .extras = extras};
	return child_wait(child_start(replay_run, &replay));
}

/* --- All schedules --- */

struct exhaust {
	const struct explore_scenario *scenario;
	const struct exhaustive_limits *limits;
	struct worker_shared *shared;
};

static struct worker_shared *exhaust_shared;

static void exhaust_progress(const struct exhaustive_result *so_far)
{
	exhaust_shared->exhaustive = *so_far;
}

static void exhaust_run(void *arg)
{
	const struct exhaust *exhaust = arg;

	exhaust_shared = exhaust->shared;
	exhaust->shared->failure.extras = exhaust->limits->extras;
	failure_catch(&exhaust->shared->failure);
	scenario_begin(exhaust->scenario);
	exhaustive_search(exhaust->limits, &exhaust->shared->exhaustive, exhaust_progress);
}

enum worker_outcome worker_exhaust(const struct explore_scenario *scenario,
				   const struct exhaustive_limits *limits,
				   void (*progress)(const struct worker_shared *shared),
				   struct worker_shared **out)
{
	struct worker_shared *shared = shared_create();
	struct exhaust exhaust = {scenario, limits, shared};
	pid_t pid = child_start(exhaust_run, &exhaust);

	*out = shared;
	return outcome_of(shared, children_wait(&pid, 1, shared, progress));
}

/* --- Threads --- */

struct rounds {
	const struct explore_scenario *scenario;
	unsigned count;
};

static void call(const char *phase, void (*fn)(void))
{
	schedule_now.phase = phase;
	if (fn != NULL)
		fn();
}

static void threads_run(void *arg)
{
	const struct rounds *rounds = arg;
	const struct explore_scenario *scenario = rounds->scenario;

	schedule_now.scenario = scenario;
	schedule_now.phase = "create";
	failure_catch(NULL);
	world_create(scenario, HOST_THREADS);
	for (unsigned i = 0; i < rounds->count; i++) {
		schedule_now.seed = i;
		host_rewind(i);
		tlb_set_generation(FIRST_GENERATION);
		memory_restore();
		call("reset", scenario->reset);
		schedule_now.phase = "run";
		world_run_all();
		world_settle();
		call("check", scenario->check);
	}
	_exit(0); /* threads of the machine wait for ever */
}

int worker_threads(const struct explore_scenario *scenario, unsigned rounds)
{
	struct rounds all = {scenario, rounds};

	return child_wait(child_start(threads_run, &all));
}
