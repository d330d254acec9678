/* SPDX-License-Identifier: BSD-2-Clause */
/* The command stress: what its words mean. */
#include "arch/cpu.h"
#include "kernel/command.h"
#include "kernel/console.h"
#include "kernel/shell.h"
#include "kernel/stress/run.h"
#include "kernel/stress/scenario.h"
#include "lib/string.h"

enum { DEFAULT_SECONDS = 60 };

static void show_choice(const char *name, const char *help)
{
	console_printf("  %-10s %s\n", name, help);
}

static int refuse(char **argv, const char *word)
{
	console_printf("quire: %s: \"%s\" is neither a number of seconds, forever, seed=N, live, "
		       "plain nor one of\n",
		       argv[0], word);
	stress_list(show_choice);
	return 1;
}

static bool is_number(const char *word)
{
	return word[0] >= '0' && word[0] <= '9';
}

static bool seconds_set(char **argv, const char *word, struct stress_options *options)
{
	if (!command_number(argv, word, &options->seconds))
		return false;
	if (options->seconds > 0 && options->seconds <= UINT32_MAX)
		return true;
	console_printf("quire: %s: the number of seconds is 1 to %u; without an end: %s forever\n",
		       argv[0], UINT32_MAX, argv[0]);
	return false;
}

/* False after saying what is wrong with the word. */
static bool word_take(char **argv, const char *word, struct stress_options *options)
{
	if (is_number(word))
		return seconds_set(argv, word, options);
	if (str_begins(word, "seed="))
		return command_number(argv, word + strlen("seed="), &options->seed);
	if (strcmp(word, "forever") == 0)
		options->seconds = 0;
	else if (strcmp(word, "live") == 0)
		options->live = true;
	else if (strcmp(word, "plain") == 0)
		options->live = false;
	else if (!stress_programme_add(word))
		return refuse(argv, word) == 0;
	return true;
}

int cmd_stress(int argc, char **argv)
{
	struct stress_options options = {DEFAULT_SECONDS, arch_cycles(), shell_has_person()};

	stress_programme_clear();
	for (int i = 1; i < argc; i++)
		if (!word_take(argv, argv[i], &options))
			return 1;
	stress_programme_end();
	stress_zones_make();
	return stress_run(&options);
}
