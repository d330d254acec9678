/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench/kernel/options.h"

#include "lib/parse.h"
#include "lib/string.h"

/* Each returns NULL, or why the value is not taken. */
static const char *set_seed(struct bench_options *options, const char *value)
{
	enum parse_status status = parse_u64(value, strlen(value), &options->seed);

	return status == PARSE_OK ? NULL : parse_status_text(status);
}

static const char *set_samples(struct bench_options *options, const char *value)
{
	uint64_t samples;
	enum parse_status status = parse_u64(value, strlen(value), &samples);

	if (status != PARSE_OK)
		return parse_status_text(status);
	if (samples == 0 || samples > BENCH_SAMPLES_MAX)
		return "not from 1 to 1000";
	options->samples = (unsigned)samples;
	return NULL;
}

static const char *set_mode(struct bench_options *options, const char *value)
{
	if (strcmp(value, "alone") == 0)
		options->modes = BENCH_ALONE;
	else if (strcmp(value, "all") == 0)
		options->modes = BENCH_ALL;
	else
		return "neither alone nor all";
	return NULL;
}

static const struct {
	const char *name;
	const char *(*set)(struct bench_options *options, const char *value);
} valued[] = {
    {"--seed", set_seed},
    {"--samples", set_samples},
    {"--mode", set_mode},
};

/* What a switch without a value sets, or NULL. */
static bool *plain_switch(struct bench_options *options, const char *word)
{
	if (strcmp(word, "--quick") == 0)
		return &options->quick;
	if (strcmp(word, "--list") == 0)
		return &options->list;
	return strcmp(word, "--help") == 0 ? &options->help : NULL;
}

/* The switch at argv[*at] and its value; *at ends on the last word that was used. */
static const char *take_switch(struct bench_options *options, int argc, char *const *argv, int *at)
{
	bool *plain = plain_switch(options, argv[*at]);

	if (plain != NULL) {
		*plain = true;
		return NULL;
	}
	for (size_t i = 0; i < nitems(valued); i++) {
		if (strcmp(argv[*at], valued[i].name) != 0)
			continue;
		if (*at + 1 >= argc)
			return "a switch without its value";
		(*at)++;
		return valued[i].set(options, argv[*at]);
	}
	return "no switch of this command";
}

const char *bench_options_parse(struct bench_options *options, int argc, char *const *argv,
				const char **bad_word)
{
	int at = 1;

	memset(options, 0, sizeof(*options));
	options->modes = BENCH_BOTH;
	options->seed = 1;
	for (; at < argc && str_begins(argv[at], "--"); at++) {
		const char *problem = take_switch(options, argc, argv, &at);

		*bad_word = argv[at];
		if (problem != NULL)
			return problem;
	}
	if (options->samples == 0)
		options->samples = options->quick ? BENCH_SAMPLES_QUICK : BENCH_SAMPLES;
	options->names = argv + at;
	options->name_count = argc - at;
	return NULL;
}

bool bench_name_covers(const char *wanted, const char *name)
{
	size_t length = strlen(wanted);

	return length > 0 && str_begins(name, wanted) &&
	       (name[length] == '\0' || name[length] == '.');
}

bool bench_options_chosen(const struct bench_options *options, const char *name)
{
	for (int i = 0; i < options->name_count; i++)
		if (bench_name_covers(options->names[i], name))
			return true;
	return options->name_count == 0;
}
