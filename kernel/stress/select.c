/* SPDX-License-Identifier: BSD-2-Clause */
/* What takes part in the stress, and how often. */
#include "kernel/stress/stress.h"

#include "lib/check.h"
#include "lib/string.h"

enum { CHOICES_MAX = 32 };

static const struct stress_kind *const families[] = {
    stress_kinds_pages,
    stress_kinds_kmem,
    stress_kinds_zones,
};

/* Written before the workers begin. */
static const struct stress_kind *kinds[CHOICES_MAX];
static unsigned kind_count, weight_sum;
static const struct stress_act *acts[CHOICES_MAX];
static unsigned act_count;

static void kind_add(const struct stress_kind *kind)
{
	CHECK_LT(kind_count, CHOICES_MAX);
	for (unsigned i = 0; i < kind_count; i++)
		if (kinds[i] == kind)
			return;
	kinds[kind_count++] = kind;
	weight_sum += kind->weight;
}

static void act_add(const struct stress_act *act)
{
	CHECK_LT(act_count, CHOICES_MAX);
	for (unsigned i = 0; i < act_count; i++)
		if (acts[i] == act)
			return;
	acts[act_count++] = act;
}

static void kinds_add_all(void)
{
	for (size_t f = 0; f < nitems(families); f++)
		for (const struct stress_kind *kind = families[f]; kind->name != NULL; kind++)
			kind_add(kind);
}

void stress_select_none(void)
{
	kind_count = weight_sum = act_count = 0;
}

void stress_select_all(void)
{
	stress_select_none();
	kinds_add_all();
	for (const struct stress_act *act = stress_acts; act->name != NULL; act++)
		act_add(act);
}

bool stress_select(const char *name)
{
	for (size_t f = 0; f < nitems(families); f++)
		for (const struct stress_kind *kind = families[f]; kind->name != NULL; kind++)
			if (strcmp(kind->name, name) == 0) {
				kind_add(kind);
				return true;
			}
	for (const struct stress_act *act = stress_acts; act->name != NULL; act++)
		if (strcmp(act->name, name) == 0) {
			act_add(act);
			return true;
		}
	return false;
}

/* Acts that were chosen alone need something to act on. */
void stress_select_end(void)
{
	if (kind_count == 0)
		kinds_add_all();
}

const struct stress_kind *stress_pick_kind(uint64_t random)
{
	uint64_t at = random % weight_sum;

	for (unsigned i = 0;; i++) {
		CHECK_LT(i, kind_count);
		if (at < kinds[i]->weight)
			return kinds[i];
		at -= kinds[i]->weight;
	}
}

const struct stress_act *stress_pick_act(struct stress_worker *worker)
{
	for (unsigned i = 0; i < act_count; i++)
		if (stress_random(worker, acts[i]->every) == 0)
			return acts[i];
	return NULL;
}

void stress_list(void (*show)(const char *name, const char *help))
{
	for (size_t f = 0; f < nitems(families); f++)
		for (const struct stress_kind *kind = families[f]; kind->name != NULL; kind++)
			show(kind->name, kind->help);
	for (const struct stress_act *act = stress_acts; act->name != NULL; act++)
		show(act->name, act->help);
}
