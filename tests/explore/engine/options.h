/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line, taken apart. */
#ifndef QUIRE_TESTS_EXPLORE_ENGINE_OPTIONS_H
#define QUIRE_TESTS_EXPLORE_ENGINE_OPTIONS_H

#include "tests/explore/engine/engine.h"

enum expectation { EXPECT_NOTHING, EXPECT_CLEAN, EXPECT_FOUND };

struct options {
	const struct explore_scenario *scenarios[EXPLORE_SCENARIOS_MAX];
	unsigned scenario_count;
	const struct strategy *strategy; /* NULL: the portfolio */
	bool has_seed, list, exhaustive, rate;
	uint64_t seed;
	uint64_t first;     /* the seed to begin with */
	uint64_t after;     /* schedules to run before that of the seed */
	uint64_t schedules; /* 0: by time */
	uint64_t ns;        /* for all scenarios together; 0: by schedules */
	uint64_t states;
	unsigned jobs;
	unsigned rounds; /* on threads; 0: not */
	enum expectation expect;
	const char *path; /* of an exhaustive search */
	unsigned pass;    /* the search that the path belongs to */
};

/* Fills *options; on bad input says what is wrong and returns false. */
bool options_parse(int argc, char **argv, struct options *options);

/*
 * Where Bazel deals one test to several machines or processes (TEST_TOTAL_SHARDS), takes this one's
 * part of the schedules that were asked for: an equal stretch of seeds. Says what is wrong with
 * the environment and returns false.
 */
bool shard_take(struct options *options);

extern const char options_help[];

#endif
