/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/complete.h"

#include "kernel/command.h"
#include "kernel/registry/sysctl.h"
#include "kernel/stress/scenario.h"
#include "lib/parse.h"
#include "lib/string.h"

/* Counts down to the name that is wanted. */
struct search {
	size_t left;
	const char *found;
};

static void search_visit(struct search *search, const char *name)
{
	if (search->found == NULL && search->left-- == 0)
		search->found = name;
}

static void search_sysctl(void *ctx, struct sysctl_oid *oid)
{
	search_visit(ctx, oid->name);
}

static struct search stress_search; /* stress_list has no context; the shell is one thread */

static void search_stress(const char *name, const char *help)
{
	(void)help;
	search_visit(&stress_search, name);
}

static const char *command_name(size_t index)
{
	const struct command *command = command_at(index);

	return command != NULL ? command->name : NULL;
}

static const char *sysctl_name(size_t index)
{
	struct search search = {index, NULL};

	sysctl_foreach("", search_sysctl, &search);
	return search.found;
}

static const char *stress_name(size_t index)
{
	stress_search = (struct search){index, NULL};
	stress_list(search_stress);
	return stress_search.found;
}

/* The first word of the command that is being typed: empty while it is that word itself. */
static size_t first_word(const char *before, size_t length, const char **word)
{
	size_t begin = length, end;

	while (begin > 0 && before[begin - 1] != ';')
		begin--;
	while (begin < length && parse_is_blank(before[begin]))
		begin++;
	for (end = begin; end < length && !parse_is_blank(before[end]);)
		end++;
	*word = before + begin;
	return end - begin;
}

const char *complete_word(const char *before, size_t length, size_t index)
{
	const char *word;
	size_t word_length = first_word(before, length, &word);

	if (word_length == 0 || str_is(word, word_length, "help"))
		return command_name(index);
	if (str_is(word, word_length, "sysctl"))
		return sysctl_name(index);
	if (str_is(word, word_length, "stress"))
		return stress_name(index);
	return NULL;
}
