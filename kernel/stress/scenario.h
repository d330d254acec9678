/* SPDX-License-Identifier: BSD-2-Clause */
/* Which kinds and acts take part in the stress, and how: the scenarios, and the programme. */
#ifndef QUIRE_KERNEL_STRESS_SCENARIO_H
#define QUIRE_KERNEL_STRESS_SCENARIO_H

#include "kernel/stress/stress.h"

enum { STRESS_MEMBERS_MAX = 24 };

struct stress_scenario {
	const char *name;
	const char *help;
	const char *const *members; /* names of kinds and acts, then NULL; NULL: all */
	unsigned memory_percent;    /* of what was free, all workers together */
	unsigned acts_times;        /* acts come so many times as often */
	unsigned hand_over_every;   /* steps on a full item, on average */
	bool may_wait;              /* for memory */
};

/* Ends with an entry whose name is NULL. */
extern const struct stress_scenario stress_scenarios[];

/* A scenario with its members looked up. */
struct stress_choice {
	struct stress_scenario scenario;
	const struct stress_kind *kinds[STRESS_MEMBERS_MAX];
	unsigned kind_count, weight_sum;
	const struct stress_act *acts[STRESS_MEMBERS_MAX];
	unsigned act_count;
};

/* --- The programme: made before the workers begin --- */

void stress_programme_clear(void);

/*
 * Adds a scenario; or a kind or an act, all of which become one scenario, "chosen". False when
 * there is nothing of that name.
 */
bool stress_programme_add(const char *name);

/* An empty programme becomes all scenarios; acts that were chosen alone get all kinds. */
void stress_programme_end(void);

unsigned stress_programme_count(void);
const struct stress_choice *stress_programme_at(unsigned index);

/* All workers' scenario: which one it is, and the way on. */
const struct stress_choice *stress_choice_now(void);
void stress_choice_set(unsigned index);

const struct stress_kind *stress_pick_kind(const struct stress_choice *choice, uint64_t random);
const struct stress_act *stress_pick_act(const struct stress_choice *choice,
					 struct stress_worker *worker);

/* Everything that has a name. */
void stress_list(void (*show)(const char *name, const char *help));

#endif
