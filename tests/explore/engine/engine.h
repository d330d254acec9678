/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the engine share.
 *
 * 1. Purpose. Runs scenarios (../scenario.h) under schedules that it chooses, as many as it can,
 *    and makes each of them repeatable.
 *
 * 2. Vocabulary. Schedule: one run of a scenario. Strategy: how decisions are made; with the seed
 *    it determines a schedule. World: what has been brought up on the machine. Worker: a process
 *    with one machine, one world, one scenario.
 *
 * 3. Structure. registry: the scenarios. world: a machine for a scenario, and its CPUs' parking.
 *    memory: what is kept, watched, named. schedule: one schedule. strategy: decisions by chance.
 *    exhaustive, visited: all decisions, one after the other. failure: the end of a schedule that
 *    fails. trace, symbols: what people read. worker, portfolio: processes, and who runs what.
 *    threads: the same scenarios with real threads. planted: the switches of planted bugs.
 *
 * 4. Determinism. A schedule depends on scenario, strategy and seed, and on nothing that an
 *    earlier schedule left behind: the worker's schedules are sampled and run again in fresh
 *    processes, and a checksum over all hooks has to agree. Where an address takes part (sleep
 *    queues hash them), it must be the same in each process: the program runs without address
 *    randomisation and each worker on a stack that stands at a fixed address.
 *
 * 5. Failure. The first failing schedule ends its process: nothing is cleaned up after a panic.
 *
 * 6. Rejected. A process for each schedule (fork): 300 times slower. Restoring all memory between
 *    schedules: a scenario knows which few variables matter. Aborting a schedule whose state has
 *    been seen: running it to its end without branching costs little and needs no clean-up.
 *
 * The thread sanitizer does not look into the engine, for the reason that internal.h of the host
 * machine gives.
 */
#ifndef QUIRE_TESTS_EXPLORE_ENGINE_ENGINE_H
#define QUIRE_TESTS_EXPLORE_ENGINE_ENGINE_H

#include <stdio.h>

#include "arch/host/director.h"
#include "arch/host/machine.h"
#include "lib/types.h"
#include "tests/explore/scenario.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { EXPLORE_MESSAGE_MAX = 512, EXPLORE_SCENARIOS_MAX = 256, EXPLORE_PATH_MAX = 4096 };

/* Of the TLB, before each schedule: the numbers wrap after two. */
#define FIRST_GENERATION (UINT64_MAX - 2)

/* --- registry.c --- */

unsigned explore_scenario_count(void);
const struct explore_scenario *explore_scenario_at(unsigned i); /* sorted by name */
const struct explore_scenario *explore_scenario_find(const char *name);

/* --- world.c --- */

/* Makes the machine and the world, and calls create(). Once for each process. */
void world_create(const struct explore_scenario *scenario, enum host_mode mode);

/* run() on every CPU, the calling one (0) included; returns when all have returned. */
void world_run_all(void);

/* Until every other CPU waits for the next round, with no interrupt under way. */
void world_settle(void);

/* Brings the kernel's idle threads, if there are any, to where they stand before each schedule. */
void world_rest(void);

/* --- memory.c --- */

void memory_restore(void);        /* what is kept, as it was when create() had returned */
void memory_snapshot(void);       /* create() has returned */
uint64_t memory_hash(bool plain); /* of all that is watched; or only of plain memory */
bool memory_has_plain(void);
bool memory_has_leaves(void);

/* The i-th address that explore_leaf() was asked for; false behind the last. */
bool memory_leaf_va(unsigned i, vm_offset_t *va);

/* "name+0x8" for an address with a name of its own; false otherwise. */
bool memory_describe(const volatile void *where, char *text, size_t size);

/* --- strategy.c --- */

enum strategy_extras {
	STRATEGY_TSO = 1 << 0,       /* store buffers */
	STRATEGY_SPECULATE = 1 << 1, /* TLB fills that nobody asked for */
	STRATEGY_NMI = 1 << 2,
	STRATEGY_DELAY = 1 << 3, /* interrupts arrive late */
};

struct strategy {
	const char *name, *about;
	unsigned depth; /* of PCT; 0: switches by chance */
	unsigned extras;
};

unsigned strategy_count(void);
const struct strategy *strategy_at(unsigned i);
const struct strategy *strategy_find(const char *name);

/* The extras that mean something for this scenario, in this build. */
unsigned strategy_possible_extras(const struct explore_scenario *scenario);

/* Those of them that the strategy uses. */
unsigned strategy_extras(const struct strategy *strategy, const struct explore_scenario *scenario);

/* Whether it differs from its basis for this scenario. */
bool strategy_applies(const struct strategy *strategy, const struct explore_scenario *scenario);

/* The portfolio's strategy for a seed. */
const struct strategy *strategy_of_seed(const struct explore_scenario *scenario, uint64_t seed);

/* Prepares the director's decisions; `length` is the number of steps that a schedule has, about. */
void strategy_begin(const struct strategy *strategy, const struct explore_scenario *scenario,
		    uint64_t seed, uint64_t length);
unsigned strategy_choose(unsigned n);

/* --- schedule.c --- */

/* What is run now, in this process. */
struct schedule {
	const struct explore_scenario *scenario;
	const struct strategy *strategy; /* NULL: exhaustive */
	uint64_t seed;
	bool running; /* between reset and check */
	bool in_run;
	bool tried; /* there was a schedule: the world was made */
	const char *phase;
};
extern struct schedule schedule_now;

/* Runs one to its end, or does not return. Gives the checksum of its trace. */
uint64_t schedule_run(const struct strategy *strategy, uint64_t seed);

/* The same around any director that is set by now. */
uint64_t schedule_run_directed(uint64_t seed, bool store_buffers);

/* Finds out how long schedules are; before the first. */
void schedule_calibrate(void);

/* Where strategies and exhaustive search send the scenario's own choices. */
void schedule_set_chooser(unsigned (*choose)(unsigned n));

void schedule_nmi(unsigned cpu);
extern bool schedule_has_plain; /* memory_has_plain(), for the hot path */

/* --- exhaustive.c --- */

struct exhaustive_limits {
	uint64_t states;
	uint64_t schedules;
	bool hashing; /* false: every interleaving */
	unsigned extras;
};

struct exhaustive_result {
	uint64_t states, schedules;
	bool complete;
};

void exhaustive_search(const struct exhaustive_limits *limits, struct exhaustive_result *result,
		       void (*progress)(const struct exhaustive_result *so_far));

/* Repeats one schedule of a search by its decisions, "0.1.0.2". */
void exhaustive_replay(const struct exhaustive_limits *limits, const char *path);

/* The decisions of the schedule that runs. */
void exhaustive_path(char *text, size_t size);

/* --- visited.c: a set of 64-bit numbers --- */

void visited_reset(void);
bool visited_add(uint64_t key); /* false: was there */
uint64_t visited_count(void);

/* --- failure.c --- */

struct failure {
	uint32_t valid; /* (a) 1: being written, 2: there */
	char scenario[64];
	char strategy[16]; /* "" for exhaustive search */
	uint32_t tried;    /* 0: the world could not even be made */
	uint64_t seed;
	unsigned extras; /* of exhaustive search */
	uint64_t after;  /* schedules of this worker before it */
	char message[EXPLORE_MESSAGE_MAX];
	char path[EXPLORE_PATH_MAX];
};

enum { EXIT_FOUND = 1, EXIT_USAGE = 2 };

/* Failures go to *record and end the process; NULL: they are printed with the trace. */
void failure_catch(struct failure *record);

/* On the stack for signals, of the thread that calls. */
void failure_catch_signals(void);

/* --- trace.c, symbols.c --- */

void trace_start(void); /* from here on everything is recorded; slow */
bool trace_on(void);
void trace_hook(unsigned cpu, enum arch_hook_kind kind, const volatile void *where);
void trace_value(unsigned cpu, uint64_t value);
void trace_stored(unsigned cpu, uint64_t value);
void trace_event(unsigned cpu, const char *fmt, ...) QUIRE_PRINTF(2, 3);
void trace_store_visible(unsigned cpu); /* its oldest store is about to drain */
void trace_print(FILE *out);

/* "function+0x12" of this program; false if there is none. */
bool symbol_describe(uintptr_t address, bool with_offset, char *text, size_t size);

/* demangle.cc */
void symbol_demangle(const char *name, char *text, size_t size);

/* --- worker.c --- */

struct worker_sample {
	uint64_t seed, trace;
	char strategy[16];
};

enum { WORKER_SAMPLES = 4, WORKERS_MAX = 64 };

/* Shared by the parent and the workers of one scenario. */
struct worker_shared {
	uint64_t next_seed; /* (a) */
	uint64_t end_seed;
	uint64_t deadline_ns; /* 0: none */
	uint64_t done;        /* (a) schedules finished */
	uint32_t stop;        /* (a) */
	struct failure failure;
	struct worker_sample samples[WORKERS_MAX][WORKER_SAMPLES];
	uint32_t sample_count[WORKERS_MAX];
	uint32_t mismatch; /* a sample ran differently */
	uint64_t mismatch_seed;
	struct exhaustive_result exhaustive;
};

struct worker_task {
	const struct explore_scenario *scenario;
	const struct strategy *strategy; /* NULL: the portfolio's */
	unsigned jobs;
	uint64_t first_seed;
	uint64_t schedules; /* 0: until the time is over */
	uint64_t ns;        /* 0: no limit */
	void (*progress)(const struct worker_shared *shared);
};

enum worker_outcome { WORKER_CLEAN, WORKER_FAILED, WORKER_DIVERGED, WORKER_DIED };

/* Runs a task in new processes; what came of it is in *shared, which is the caller's to free. */
enum worker_outcome worker_run(const struct worker_task *task, struct worker_shared **shared);

/*
 * Runs one schedule again in a new process and prints it, `after` those with the seeds before it
 * (0: none) by the portfolio or the strategy. NULL: the portfolio's. The process's exit status.
 */
int worker_replay(const struct explore_scenario *scenario, const struct strategy *strategy,
		  uint64_t seed, uint64_t after);

/* The same for a schedule of an exhaustive search. */
int worker_replay_path(const struct explore_scenario *scenario, unsigned extras, const char *path);

enum worker_outcome worker_exhaust(const struct explore_scenario *scenario,
				   const struct exhaustive_limits *limits,
				   void (*progress)(const struct worker_shared *shared),
				   struct worker_shared **shared);

/* Runs the scenario's rounds on threads of the host, in a new process: its exit status. */
int worker_threads(const struct explore_scenario *scenario, unsigned rounds);

void worker_free(struct worker_shared *shared);

/* --- planted.c --- */

/* False: this program was built without planted bugs. */
bool planted_available(void);
void planted_set(const char *name);
const char *planted_name(void); /* or NULL */
bool planted_reached(void);     /* by any process */

/* --- run.c --- */

uint64_t real_ns(void);

/* For programs: everything that the command line offers. The exit status. */
int explore_main(int argc, char **argv);

#ifdef __cplusplus
}
#endif

#endif
