/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/explore/engine/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STATES_DEFAULT = 20000000 };

/* No run is so long that its seeds come to an end. */
#define FIRST_MAX (UINT64_MAX / 2)

const char options_help[] =
    "usage: explore [SCENARIO...] [OPTIONS]\n"
    "\n"
    "Runs scenarios, all of them or those named, under schedules that it chooses, and stops at\n"
    "the first that fails. Without --minutes and --schedules: one minute.\n"
    "\n"
    "  --list             names the scenarios and strategies\n"
    "  --minutes M        for so long, all scenarios together (such as 10 or 0.5)\n"
    "  --schedules N      so many of each scenario\n"
    "  --strategy S       only this one; otherwise the seed says which\n"
    "  --first N          begins with seed N instead of 1\n"
    "  --seed S           one schedule, with everything that happens in it\n"
    "  --after N          with --seed: runs the N schedules before that one first\n"
    "  --exhaustive       every schedule of the scenarios that are small enough\n"
    "  --states N         gives up an exhaustive search after so many states\n"
    "  --path P --pass N  one schedule of an exhaustive search, as a failure printed it\n"
    "  --threads N        N rounds of each scenario on threads of the host instead\n"
    "  --jobs N           processes; otherwise as many as there are CPUs\n"
    "  --plant NAME       switches a planted bug on\n"
    "  --expect found     success is a failing schedule; --expect clean: none\n"
    "\n"
    "The status is 0 when no schedule failed, 1 when one did, 2 when nothing could be run.\n";

static bool complain(const char *what, const char *argument)
{
	fprintf(stderr, "explore: %s%s; see --help\n", what, argument);
	return false;
}

static bool parse_number(const char *text, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	return end != text && *end == '\0' && errno == 0 && text[0] != '-';
}

static bool parse_unsigned(const char *text, unsigned *value, unsigned least, unsigned most)
{
	uint64_t number;

	if (!parse_number(text, &number) || number < least || number > most)
		return false;
	*value = (unsigned)number;
	return true;
}

static bool parse_minutes(const char *text, uint64_t *ns)
{
	char *end;
	double minutes = strtod(text, &end);

	if (end == text || *end != '\0' || !(minutes > 0 && minutes <= 1e6))
		return false;
	*ns = (uint64_t)(minutes * 60e9);
	return true;
}

static bool parse_expect(const char *text, enum expectation *expect)
{
	*expect = strcmp(text, "found") == 0 ? EXPECT_FOUND : EXPECT_CLEAN;
	return *expect == EXPECT_FOUND || strcmp(text, "clean") == 0;
}

static bool parse_plant(const char *name)
{
	if (!planted_available()) {
		fprintf(stderr, "explore: --plant: this program was built without planted bugs; "
				"//tests/explore:explore_plants has them\n");
		return false;
	}
	planted_set(name);
	return true;
}

/* An option with a value. Unknown ones give false, as bad values do. */
static bool parse_valued(const char *name, const char *value, struct options *options)
{
	if (strcmp(name, "--minutes") == 0)
		return parse_minutes(value, &options->ns);
	if (strcmp(name, "--schedules") == 0)
		return parse_number(value, &options->schedules) && options->schedules != 0;
	if (strcmp(name, "--first") == 0)
		return parse_number(value, &options->first) && options->first <= FIRST_MAX;
	if (strcmp(name, "--states") == 0)
		return parse_number(value, &options->states) && options->states != 0;
	if (strcmp(name, "--seed") == 0)
		return options->has_seed = parse_number(value, &options->seed);
	if (strcmp(name, "--after") == 0)
		return parse_number(value, &options->after);
	if (strcmp(name, "--strategy") == 0)
		return (options->strategy = strategy_find(value)) != NULL;
	if (strcmp(name, "--jobs") == 0)
		return parse_unsigned(value, &options->jobs, 1, WORKERS_MAX);
	if (strcmp(name, "--threads") == 0)
		return parse_unsigned(value, &options->rounds, 1, UINT32_MAX);
	if (strcmp(name, "--pass") == 0)
		return parse_unsigned(value, &options->pass, 0, UINT32_MAX);
	if (strcmp(name, "--path") == 0)
		return (options->path = value) != NULL;
	if (strcmp(name, "--expect") == 0)
		return parse_expect(value, &options->expect);
	return strcmp(name, "--plant") == 0 && parse_plant(value);
}

static bool takes_value(const char *name)
{
	static const char *const names[] = {
	    "--minutes", "--schedules", "--states", "--seed",  "--first",  "--strategy", "--jobs",
	    "--threads", "--pass",      "--path",   "--after", "--expect", "--plant"};

	for (unsigned i = 0; i < nitems(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static bool parse_scenario(const char *name, struct options *options)
{
	const struct explore_scenario *scenario = explore_scenario_find(name);

	if (scenario == NULL) {
		fprintf(stderr, "explore: there is no scenario '%s'; --list names them\n", name);
		return false;
	}
	for (unsigned i = 0; i < options->scenario_count; i++)
		if (options->scenarios[i] == scenario)
			return true;
	options->scenarios[options->scenario_count++] = scenario;
	return true;
}

static bool parse_flag(const char *name, struct options *options)
{
	if (strcmp(name, "--list") == 0)
		options->list = true;
	else if (strcmp(name, "--exhaustive") == 0)
		options->exhaustive = true;
	else
		return complain("unknown option ", name);
	return true;
}

static bool parse_all(int argc, char **argv, struct options *options)
{
	for (int i = 1; i < argc; i++) {
		const char *name = argv[i];

		if (name[0] != '-') {
			if (!parse_scenario(name, options))
				return false;
		} else if (!takes_value(name)) {
			if (!parse_flag(name, options))
				return false;
		} else if (++i == argc) {
			return complain("a value is missing behind ", name);
		} else if (!parse_valued(name, argv[i], options)) {
			fprintf(stderr, "explore: %s %s is not possible; see --help\n", name,
				argv[i]);
			return false;
		}
	}
	return true;
}

static bool check(const struct options *options)
{
	bool single = options->has_seed || options->path != NULL;

	if (single && options->scenario_count != 1)
		return complain("--seed and --path", " need one scenario");
	if (options->has_seed && options->path != NULL)
		return complain("--seed and --path", " exclude each other");
	if (options->strategy == NULL || options->list)
		return true;
	for (unsigned i = 0; i < options->scenario_count; i++) {
		if (strategy_applies(options->strategy, options->scenarios[i]))
			continue;
		fprintf(stderr, "explore: strategy %s has nothing to do in scenario %s\n",
			options->strategy->name, options->scenarios[i]->name);
		return false;
	}
	return true;
}

static unsigned cpus_here(void)
{
	long count = sysconf(_SC_NPROCESSORS_ONLN);

	return count < 1 ? 1 : count > WORKERS_MAX ? WORKERS_MAX : (unsigned)count;
}

bool options_parse(int argc, char **argv, struct options *options)
{
	memset(options, 0, sizeof(*options));
	options->states = STATES_DEFAULT;
	options->jobs = cpus_here();
	options->first = 1;
	return parse_all(argc, argv, options) && check(options) && shard_take(options);
}
