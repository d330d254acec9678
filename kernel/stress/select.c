/* SPDX-License-Identifier: BSD-2-Clause */
/* What the programme of the stress consists of. */
#include "kernel/stress/scenario.h"

#include "arch/atomic.h"
#include "lib/check.h"
#include "lib/string.h"
#include "lib/trace.h"

enum { PROGRAMME_MAX = 24, ACT_EVERY_MIN = 4 };

static const struct stress_kind *const families[] = {
    stress_kinds_pages,
    stress_kinds_kmem,
    stress_kinds_zones,
    stress_kinds_hoard,
};

/* The first ones, which "all" means. */
enum { FAMILIES_OF_ALL = 3 };

/* Written before the workers begin. */
static struct stress_choice programme[PROGRAMME_MAX];
static unsigned programme_count;
static struct stress_choice *chosen; /* of single kinds and acts; NULL without */

static struct atomic32 now; /* index into the programme */

/* --- Names --- */

static const struct stress_kind *kind_find(const char *name)
{
	for (size_t f = 0; f < nitems(families); f++)
		for (const struct stress_kind *kind = families[f]; kind->name != NULL; kind++)
			if (strcmp(kind->name, name) == 0)
				return kind;
	return NULL;
}

static const struct stress_act *act_find(const char *name)
{
	for (const struct stress_act *act = stress_acts; act->name != NULL; act++)
		if (strcmp(act->name, name) == 0)
			return act;
	return NULL;
}

static const struct stress_scenario *scenario_find(const char *name)
{
	for (const struct stress_scenario *at = stress_scenarios; at->name != NULL; at++)
		if (strcmp(at->name, name) == 0)
			return at;
	return NULL;
}

/* --- One scenario --- */

static void kind_add(struct stress_choice *choice, const struct stress_kind *kind)
{
	for (unsigned i = 0; i < choice->kind_count; i++)
		if (choice->kinds[i] == kind)
			return;
	CHECK_LT(choice->kind_count, STRESS_MEMBERS_MAX);
	choice->kinds[choice->kind_count++] = kind;
	choice->weight_sum += kind->weight;
}

static void act_add(struct stress_choice *choice, const struct stress_act *act)
{
	for (unsigned i = 0; i < choice->act_count; i++)
		if (choice->acts[i] == act)
			return;
	CHECK_LT(choice->act_count, STRESS_MEMBERS_MAX);
	choice->acts[choice->act_count++] = act;
}

static bool member_add(struct stress_choice *choice, const char *name)
{
	const struct stress_kind *kind = kind_find(name);
	const struct stress_act *act = act_find(name);

	if (kind != NULL)
		kind_add(choice, kind);
	else if (act != NULL)
		act_add(choice, act);
	return kind != NULL || act != NULL;
}

static void kinds_add_all(struct stress_choice *choice)
{
	for (size_t f = 0; f < FAMILIES_OF_ALL; f++)
		for (const struct stress_kind *kind = families[f]; kind->name != NULL; kind++)
			kind_add(choice, kind);
}

static struct stress_choice *choice_new(const struct stress_scenario *scenario)
{
	struct stress_choice *choice;

	CHECK_LT(programme_count, PROGRAMME_MAX);
	choice = &programme[programme_count++];
	memset(choice, 0, sizeof(*choice));
	choice->scenario = *scenario;
	return choice;
}

static void scenario_add(const struct stress_scenario *scenario)
{
	struct stress_choice *choice;

	for (unsigned i = 0; i < programme_count; i++)
		if (strcmp(programme[i].scenario.name, scenario->name) == 0)
			return;
	choice = choice_new(scenario);
	if (scenario->members == NULL) {
		kinds_add_all(choice);
		for (const struct stress_act *act = stress_acts; act->name != NULL; act++)
			act_add(choice, act);
		return;
	}
	for (const char *const *name = scenario->members; *name != NULL; name++)
		CHECK(member_add(choice, *name));
}

/* --- The programme --- */

void stress_programme_clear(void)
{
	programme_count = 0;
	chosen = NULL;
	atomic32_store(&now, 0, MO_RELAXED);
}

bool stress_programme_add(const char *name)
{
	const struct stress_scenario *scenario = scenario_find(name);

	if (scenario != NULL) {
		scenario_add(scenario);
		return true;
	}
	if (kind_find(name) == NULL && act_find(name) == NULL)
		return false;
	if (chosen == NULL) {
		chosen = choice_new(&stress_scenarios[0]);
		chosen->scenario.name = "chosen";
	}
	return member_add(chosen, name);
}

void stress_programme_end(void)
{
	if (programme_count == 0)
		for (const struct stress_scenario *at = stress_scenarios; at->name != NULL; at++)
			scenario_add(at);
	if (chosen != NULL && chosen->kind_count == 0)
		kinds_add_all(chosen);
}

unsigned stress_programme_count(void)
{
	return programme_count;
}

const struct stress_choice *stress_programme_at(unsigned index)
{
	CHECK_LT(index, programme_count);
	return &programme[index];
}

const struct stress_choice *stress_choice_now(void)
{
	return &programme[atomic32_load(&now, MO_RELAXED)];
}

void stress_choice_set(unsigned index)
{
	CHECK_LT(index, programme_count);
	if (atomic32_load(&now, MO_RELAXED) == index)
		return;
	atomic32_store(&now, index, MO_RELAXED);
	trace(TRACE_SCENARIO, (uint64_t)(uintptr_t)programme[index].scenario.name, 0);
}

/* --- Picking --- */

const struct stress_kind *stress_pick_kind(const struct stress_choice *choice, uint64_t random)
{
	uint64_t at = random % choice->weight_sum;

	for (unsigned i = 0;; i++) {
		CHECK_LT(i, choice->kind_count);
		if (at < choice->kinds[i]->weight)
			return choice->kinds[i];
		at -= choice->kinds[i]->weight;
	}
}

const struct stress_act *stress_pick_act(const struct stress_choice *choice,
					 struct stress_worker *worker)
{
	for (unsigned i = 0; i < choice->act_count; i++) {
		uint64_t every = choice->acts[i]->every / choice->scenario.acts_times;

		/* However many there are, steps are left for items. */
		if (every < ACT_EVERY_MIN)
			every = ACT_EVERY_MIN;
		if (stress_random(worker, every) == 0)
			return choice->acts[i];
	}
	return NULL;
}

void stress_list(void (*show)(const char *name, const char *help))
{
	for (const struct stress_scenario *at = stress_scenarios; at->name != NULL; at++)
		show(at->name, at->help);
	for (size_t f = 0; f < nitems(families); f++)
		for (const struct stress_kind *kind = families[f]; kind->name != NULL; kind++)
			show(kind->name, kind->help);
	for (const struct stress_act *act = stress_acts; act->name != NULL; act++)
		show(act->name, act->help);
}
