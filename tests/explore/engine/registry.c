/* SPDX-License-Identifier: BSD-2-Clause */
/* The scenarios of the program, in the order of their names: constructors run in any order. */
#include <string.h>

#include "lib/check.h"
#include "tests/explore/engine/engine.h"

static const struct explore_scenario *scenarios[EXPLORE_SCENARIOS_MAX];
static unsigned count;

static void check_scenario(const struct explore_scenario *scenario)
{
	CHECK(scenario->name != NULL && scenario->about != NULL && scenario->run != NULL);
	CHECK(scenario->name[0] != '\0' && strlen(scenario->name) < 64);
	if (scenario->cpus < 1 || scenario->cpus > EXPLORE_CPUS_MAX)
		panic("scenario %s: %u CPUs; 1 to %d are possible", scenario->name, scenario->cpus,
		      EXPLORE_CPUS_MAX);
}

void explore_add(const struct explore_scenario *scenario)
{
	unsigned at = count;

	check_scenario(scenario);
	CHECK_LT(count, EXPLORE_SCENARIOS_MAX);
	while (at > 0 && strcmp(scenarios[at - 1]->name, scenario->name) > 0) {
		scenarios[at] = scenarios[at - 1];
		at--;
	}
	if (at > 0 && strcmp(scenarios[at - 1]->name, scenario->name) == 0)
		panic("two scenarios are called %s", scenario->name);
	scenarios[at] = scenario;
	count++;
}

unsigned explore_scenario_count(void)
{
	return count;
}

const struct explore_scenario *explore_scenario_at(unsigned i)
{
	CHECK_LT(i, count);
	return scenarios[i];
}

const struct explore_scenario *explore_scenario_find(const char *name)
{
	for (unsigned i = 0; i < count; i++)
		if (strcmp(scenarios[i]->name, name) == 0)
			return scenarios[i];
	return NULL;
}
