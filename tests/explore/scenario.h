/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a scenario is: a few CPUs that run code of the kernel against each other, small enough for
 * a hundred thousand runs each second, and a question that must have the same answer after each.
 *
 * A scenario is one object, registered where it is defined:
 *
 *	static void reset(void) { ... }          // everything as it was before the first run
 *	static void run(unsigned cpu) { ... }    // on all CPUs at once
 *	static void check(void) { if (...) explore_fail("..."); }
 *
 *	static const struct explore_scenario counter = {
 *	    .name = "counter", .about = "...", .cpus = 2, .reset = reset, .run = run,
 *	    .check = check,
 *	};
 *	EXPLORE_REGISTER(counter)
 *
 * The machine lives as long as the process; one *schedule* is reset(), run() on every CPU, then
 * check(). A schedule must depend on nothing but the scenario, the strategy and the seed, so
 * reset() has to put back all that decides anything: explore_keep() does that for plain memory.
 * The engine itself puts back time, chance, TLBs, store buffers, pending interrupts, steps.
 *
 * A schedule fails when anything panics (CHECK, the TLB oracle, a deadlock, a crash) or calls
 * explore_fail(), in any of the three functions.
 *
 * The same scenario runs on threads and on fibres under the thread sanitizer: what CPUs share is
 * accessed through arch/atomic.h, under locks, or through arch_pte_*.
 */
#ifndef QUIRE_TESTS_EXPLORE_SCENARIO_H
#define QUIRE_TESTS_EXPLORE_SCENARIO_H

#include "arch/host/machine.h"
#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What has been brought up when create() is called. */
enum explore_world {
	/* The host machine alone: atomics, tables, TLBs, interrupts. No spinlocks. */
	EXPLORE_BARE,
	/* Also smp/: per-CPU areas, spinlocks, smp_call, CPUs online, shootdown. No threads. */
	EXPLORE_SMP,
	/* Also kernel/sched: run() is in a thread of each CPU and may sleep. No timer ticks. */
	EXPLORE_SCHED,
	/* Also vm/: vm_init, faults, kernel_map and its submaps. */
	EXPLORE_VM,
};

enum explore_flags {
	/* Small enough to be searched to the end with --exhaustive. */
	EXPLORE_LITMUS = 1 << 0,
	/* Its answer holds only where CPUs take turns: not run on threads. */
	EXPLORE_NO_THREADS = 1 << 1,
	/* Its question is about stores in order (or it needs them so): no store buffers. */
	EXPLORE_NO_TSO = 1 << 2,
	/* Its addresses must not be read ahead by the simulated walker. */
	EXPLORE_NO_SPECULATION = 1 << 3,
};

enum { EXPLORE_CPUS_MAX = 8 };

/* Functions may be NULL except run. Nothing is copied: the object stays. */
struct explore_scenario {
	const char *name;  /* [a-z0-9_]+, unique */
	const char *about; /* one line */
	unsigned cpus;     /* 1 to EXPLORE_CPUS_MAX */
	enum explore_world world;
	unsigned flags; /* enum explore_flags */

	/* Fills in what differs from a default machine; cpus, mode and seed are the engine's. */
	void (*configure)(struct host_config *config);

	/* CPU 0, once for each process, in the world that was asked for; interrupts on. */
	void (*create)(void);

	/* CPU 0, before each schedule. No switches by chance, but others answer interrupts. */
	void (*reset)(void);

	/* Every CPU at once. Interrupts on at the start. */
	void (*run)(unsigned cpu);

	/* CPU 0, after all have returned and every store buffer is empty. */
	void (*check)(void);

	/*
	 * On any CPU at a point that the schedule chooses, interrupts off or not: a non-maskable
	 * interrupt. Takes no locks, sends nothing. NULL: none are sent.
	 */
	void (*nmi)(void);

	/* When a failing schedule is replayed, after the trace: further lines on the state. */
	void (*describe)(void (*emit)(const char *line));
};

void explore_add(const struct explore_scenario *scenario);

#define EXPLORE_REGISTER(object)                                                                   \
	static __attribute__((constructor)) void explore_register_##object(void)                   \
	{                                                                                          \
		explore_add(&object);                                                              \
	}

/* Ends the schedule as failed. From reset, run, check, nmi, or whatever they call. */
QUIRE_NORETURN void explore_fail(const char *fmt, ...) QUIRE_PRINTF(1, 2);

/* One more place at which the schedule may switch, for steps of a scenario's own. In run only. */
void explore_step(void);

/* A number in [0, n) that the schedule chooses; exhaustive search tries each. In run only. */
unsigned explore_choose(unsigned n);

/* --- Called from create() --- */

/*
 * Memory that is put back before each reset() to what it held when create() had returned. For the
 * plain variables of a scenario and of the code that it runs. At most 64 pieces.
 */
void explore_keep(void *memory, size_t size);

/*
 * Memory that is part of the state, for exhaustive search: two moments at which all watched
 * memory, TLBs, store buffers, pending interrupts and all that each CPU has seen so far are equal
 * have the same future. Everything that CPUs share must be watched: variables and page tables.
 * Watched memory is kept as well.
 */
void explore_watch(void *memory, size_t size, const char *name);

/*
 * The same for plain memory that CPUs share under locks: what it holds counts as seen by a CPU at
 * each of its atomic accesses, for nobody else can tell what was read.
 */
void explore_watch_plain(void *memory, size_t size, const char *name);

/* A name for [memory, memory + size), in traces. The string is not copied. */
void explore_name(const volatile void *memory, size_t size, const char *name);

/* A frame of RAM that nobody else uses, zeroed. EXPLORE_BARE and EXPLORE_SMP. */
vm_paddr_t explore_frame(void);

/*
 * The leaf entry for va, a kernel address outside of direct map and image; tables on the way are
 * made, and their entries and this one are watched. EXPLORE_BARE and EXPLORE_SMP.
 */
pte_t *explore_leaf(vm_offset_t va);

/* --- Anywhere --- */

/* True while a schedule runs without store buffers, so that stores are seen in one order. */
bool explore_is_sc(void);

#ifdef __cplusplus
}
#endif

#endif
