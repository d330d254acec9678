/* SPDX-License-Identifier: BSD-2-Clause */
/* The program: which scenarios, for how long, and what people are told about it. */
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <time.h>
#include <unistd.h>

#include "lib/check.h"
#include "tests/explore/engine/options.h"

#define NS 1000000000

/* Of one visit to a scenario, when the time is limited. */
#define SLICE_MIN_NS (UINT64_C(100) * 1000000)
#define SLICE_MAX_NS (UINT64_C(10) * NS)

uint64_t real_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS + (uint64_t)now.tv_nsec;
}

static struct options options;
static uint64_t started_ns, total_done;

/* --- The live line --- */

static const char *live_scenario;
static uint64_t live_ns, live_done, live_at_ns;

static void live_line(const struct worker_shared *shared)
{
	uint64_t now = real_ns(), done = __atomic_load_n(&shared->done, __ATOMIC_RELAXED);
	double rate;

	if (!isatty(STDERR_FILENO) || now - live_at_ns < NS / 4)
		return;
	rate = (double)done / ((double)(now - live_ns) / NS);
	fprintf(stderr, "\r%4lu s  %-28s %11lu schedules  %9.0f/s  nothing found \033[K",
		(unsigned long)((now - started_ns) / NS), live_scenario,
		(unsigned long)(total_done + done), rate);
	live_at_ns = now;
}

static void live_clear(void)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");
}

/* --- A failure --- */

static void print_command(const char *scenario, const char *rest)
{
	printf("To see it: ./quire explore %s %s", scenario, rest);
	if (planted_name() != NULL)
		printf(" --plant %s", planted_name());
	printf("\n");
}

static void print_failure(const struct failure *failure)
{
	char rest[EXPLORE_PATH_MAX + 64];

	live_clear();
	printf("FAILED %s: %s\n", failure->scenario, failure->message);
	if (!failure->tried) {
		rest[0] = '\0';
	} else if (failure->strategy[0] != '\0') {
		snprintf(rest, sizeof(rest), "--strategy %s --seed %#lx", failure->strategy,
			 (unsigned long)failure->seed);
		printf("strategy %s, seed %#lx\n", failure->strategy, (unsigned long)failure->seed);
	} else {
		snprintf(rest, sizeof(rest), "--pass %u --path '%s'", failure->extras,
			 failure->path);
	}
	print_command(failure->scenario, rest);
	fflush(stdout);
}

/* What is said of an outcome; true when the scenario is clean. */
static bool report(enum worker_outcome outcome, const struct worker_shared *shared,
		   const struct explore_scenario *scenario)
{
	switch (outcome) {
	case WORKER_CLEAN:
		return true;
	case WORKER_FAILED:
		print_failure(&shared->failure);
		return false;
	case WORKER_DIVERGED:
		printf("FAILED %s: seed %#lx did not give the same schedule in another process: "
		       "reset() forgets something that decides.\nTo see the difference: ./quire "
		       "explore "
		       "%s --seed %#lx, with and without --after 1000\n",
		       scenario->name, (unsigned long)shared->mismatch_seed, scenario->name,
		       (unsigned long)shared->mismatch_seed);
		return false;
	case WORKER_DIED:
		printf("FAILED %s: a worker process ended without a word (a sanitizer's report is "
		       "above, if there is one)\n",
		       scenario->name);
		return false;
	}
	return false;
}

/* --- Schedules by chance --- */

struct visit {
	uint64_t next_seed, done, ns;
};

static bool visit(const struct explore_scenario *scenario, struct visit *state, uint64_t schedules,
		  uint64_t ns)
{
	struct worker_task task = {
	    .scenario = scenario,
	    .strategy = options.strategy,
	    .jobs = options.jobs,
	    .first_seed = state->next_seed,
	    .schedules = schedules,
	    .ns = ns,
	    .progress = live_line,
	};
	struct worker_shared *shared;
	enum worker_outcome outcome;
	bool clean;

	live_scenario = scenario->name;
	live_ns = real_ns();
	live_done = 0;
	outcome = worker_run(&task, &shared);
	state->next_seed = shared->next_seed;
	state->done += shared->done;
	state->ns += real_ns() - live_ns;
	total_done += shared->done;
	clean = report(outcome, shared, scenario);
	worker_free(shared);
	return clean;
}

static void print_summary(const struct explore_scenario *scenario, const struct visit *state)
{
	live_clear();
	printf("%-32s %12lu schedules  %9.0f/s\n", scenario->name, (unsigned long)state->done,
	       state->ns == 0 ? 0 : (double)state->done / ((double)state->ns / NS));
}

static bool skipped(const struct explore_scenario *scenario)
{
	return options.strategy != NULL && !strategy_applies(options.strategy, scenario);
}

static bool explore_counted(void)
{
	for (unsigned i = 0; i < options.scenario_count; i++) {
		struct visit state = {.next_seed = options.first};

		if (skipped(options.scenarios[i]))
			continue;
		if (!visit(options.scenarios[i], &state, options.schedules, 0))
			return false;
		print_summary(options.scenarios[i], &state);
	}
	return true;
}

/* Round after round, so that each scenario gets its turn soon. */
static bool explore_timed(void)
{
	struct visit *states = calloc(options.scenario_count, sizeof(*states));
	uint64_t end = started_ns + options.ns, slice = options.ns / options.scenario_count / 4;
	bool clean = true;

	CHECK(states != NULL);
	slice = slice < SLICE_MIN_NS ? SLICE_MIN_NS : slice > SLICE_MAX_NS ? SLICE_MAX_NS : slice;
	for (unsigned i = 0; i < options.scenario_count; i++)
		states[i].next_seed = options.first;
	while (clean && real_ns() < end)
		for (unsigned i = 0; i < options.scenario_count && clean && real_ns() < end; i++)
			if (!skipped(options.scenarios[i]))
				clean = visit(options.scenarios[i], &states[i], 0, slice);
	for (unsigned i = 0; i < options.scenario_count; i++)
		if (states[i].done != 0)
			print_summary(options.scenarios[i], &states[i]);
	free(states);
	return clean;
}

/* --- Every schedule --- */

static const struct exhaustive_pass {
	const char *name;
	unsigned extras;
	unsigned forbidden_by; /* flags of a scenario */
} passes[] = {
    {"stores in order", STRATEGY_DELAY | STRATEGY_NMI, 0},
    {"store buffers", STRATEGY_DELAY | STRATEGY_TSO, EXPLORE_NO_TSO},
    {"reading ahead", STRATEGY_DELAY | STRATEGY_SPECULATE, EXPLORE_NO_SPECULATION},
    {"everything", STRATEGY_DELAY | STRATEGY_NMI | STRATEGY_TSO | STRATEGY_SPECULATE, 0},
};

static void live_states(const struct worker_shared *shared)
{
	uint64_t now = real_ns();

	if (!isatty(STDERR_FILENO) || now - live_at_ns < NS / 4)
		return;
	fprintf(stderr, "\r%4lu s  %-28s %11lu states  %11lu schedules \033[K",
		(unsigned long)((now - started_ns) / NS), live_scenario,
		(unsigned long)shared->exhaustive.states,
		(unsigned long)shared->exhaustive.schedules);
	live_at_ns = now;
}

static bool exhaust(const struct explore_scenario *scenario, const struct exhaustive_pass *pass)
{
	struct exhaustive_limits limits = {
	    .states = options.states,
	    .schedules = UINT64_MAX,
	    .hashing = true,
	    .extras = pass->extras,
	};
	struct worker_shared *shared;
	const struct exhaustive_result *result;
	enum worker_outcome outcome;
	bool clean;

	live_scenario = scenario->name;
	outcome = worker_exhaust(scenario, &limits, live_states, &shared);
	result = &shared->exhaustive;
	clean = report(outcome, shared, scenario);
	live_clear();
	if (clean && result->complete) {
		printf("%-32s exhausted: %lu states, %lu schedules (%s)\n", scenario->name,
		       (unsigned long)result->states, (unsigned long)result->schedules, pass->name);
	} else if (clean) {
		printf("%-32s NOT exhausted: stopped at %lu states, %lu schedules (%s); --states N "
		       "searches further\n",
		       scenario->name, (unsigned long)result->states,
		       (unsigned long)result->schedules, pass->name);
		clean = options.expect != EXPECT_CLEAN;
	}
	worker_free(shared);
	return clean;
}

static bool explore_exhaustively(void)
{
	unsigned searched = 0;

	for (unsigned i = 0; i < options.scenario_count; i++) {
		const struct explore_scenario *scenario = options.scenarios[i];

		if (!(scenario->flags & EXPLORE_LITMUS) && options.scenario_count > 1)
			continue;
		for (unsigned p = 0; p < nitems(passes); p++) {
			if (scenario->flags & passes[p].forbidden_by)
				continue;
			if (!exhaust(scenario, &passes[p]))
				return false;
		}
		searched++;
	}
	printf("%u programs searched\n", searched);
	return true;
}

/* --- Threads --- */

static bool explore_threads(void)
{
	for (unsigned i = 0; i < options.scenario_count; i++) {
		const struct explore_scenario *scenario = options.scenarios[i];
		int status;

		if (scenario->flags & EXPLORE_NO_THREADS)
			continue;
		status = worker_threads(scenario, options.rounds);
		if (status != 0) {
			printf("FAILED %s: on threads, status %d\n", scenario->name, status);
			return false;
		}
		printf("%-32s %12u rounds on threads\n", scenario->name, options.rounds);
	}
	return true;
}

/* --- The program --- */

static int list(void)
{
	for (unsigned i = 0; i < explore_scenario_count(); i++) {
		const struct explore_scenario *scenario = explore_scenario_at(i);

		printf("%-32s %u CPUs%s  %s\n", scenario->name, scenario->cpus,
		       scenario->flags & EXPLORE_LITMUS ? ", litmus" : "        ", scenario->about);
	}
	printf("\nstrategies:\n");
	for (unsigned i = 0; i < strategy_count(); i++)
		printf("%-10s %s\n", strategy_at(i)->name, strategy_at(i)->about);
	return 0;
}

static int replay(void)
{
	const struct explore_scenario *scenario = options.scenarios[0];
	const struct strategy *strategy = options.strategy;

	if (options.path != NULL)
		return worker_replay_path(scenario, options.pass, options.path);
	printf("%s, strategy %s, seed %#lx\n", scenario->name,
	       strategy != NULL ? strategy->name : strategy_of_seed(scenario, options.seed)->name,
	       (unsigned long)options.seed);
	return worker_replay(scenario, strategy, options.seed, options.after);
}

/* Addresses decide where the kernel hashes them: they have to be the same in every process. */
static void fix_addresses(char **argv)
{
	int now = personality(UINT32_MAX);

	if (now == -1 || (now & ADDR_NO_RANDOMIZE) ||
	    personality((unsigned long)now | ADDR_NO_RANDOMIZE) == -1)
		return;
	/* Where this is forbidden the samples that are run twice tell whether it mattered. */
	if (personality(UINT32_MAX) & ADDR_NO_RANDOMIZE)
		execv("/proc/self/exe", argv);
}

static int verdict(bool clean)
{
	if (planted_name() != NULL && !planted_reached()) {
		printf("FAILED: no planted bug with the name %s was passed\n", planted_name());
		return EXIT_USAGE;
	}
	if (options.expect != EXPECT_FOUND)
		return clean ? 0 : EXIT_FOUND;
	printf(clean ? "FAILED: nothing was found, and something should have been\n"
		     : "found, as it should be\n");
	return clean ? EXIT_FOUND : 0;
}

static bool explore(void)
{
	if (options.rounds != 0)
		return explore_threads();
	if (options.exhaustive)
		return explore_exhaustively();
	if (options.schedules != 0)
		return explore_counted();
	return explore_timed();
}

static void scenarios_default(void)
{
	if (options.scenario_count != 0)
		return;
	options.scenario_count = explore_scenario_count();
	for (unsigned i = 0; i < options.scenario_count; i++)
		options.scenarios[i] = explore_scenario_at(i);
}

int explore_main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			fputs(options_help, stdout);
			return 0;
		}
	}
	fix_addresses(argv);
	if (!options_parse(argc, argv, &options))
		return EXIT_USAGE;
	if (options.list)
		return list();
	scenarios_default();
	if (options.scenario_count == 0) {
		fprintf(stderr, "explore: no scenario is linked into this program\n");
		return EXIT_USAGE;
	}
	if (options.schedules == 0 && options.ns == 0)
		options.ns = UINT64_C(60) * NS;
	if (options.has_seed || options.path != NULL)
		return replay();
	started_ns = real_ns();
	return verdict(explore());
}
