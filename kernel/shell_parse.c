/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/shell_parse.h"

/* A command while it is taken apart. */
struct splitter {
	struct shell_command *out;
	size_t used; /* of out->bytes */
	bool in_word;
	bool in_quotes;
};

static void split_problem(struct splitter *split, const char *problem)
{
	if (split->out->problem == NULL)
		split->out->problem = problem;
}

static void word_begin(struct splitter *split)
{
	struct shell_command *out = split->out;

	if (split->in_word)
		return;
	split->in_word = true;
	if (out->argc == SHELL_WORDS_MAX)
		split_problem(split, "too many words");
	else if (split->used < sizeof(out->bytes))
		out->argv[out->argc++] = &out->bytes[split->used];
}

static void word_put(struct splitter *split, char c)
{
	if (split->used < sizeof(split->out->bytes))
		split->out->bytes[split->used++] = c;
	else
		split_problem(split, "too long");
}

static void word_add(struct splitter *split, char c)
{
	word_begin(split);
	word_put(split, c);
}

static void word_end(struct splitter *split)
{
	if (split->in_word)
		word_put(split, '\0');
	split->in_word = false;
}

/* Takes one character, or two if the first is a backslash; false at the ';' that ends it. */
static bool split_take(struct splitter *split, struct parse_cursor *cursor)
{
	char c = *cursor->next++;

	if (c == '\\' && cursor->next < cursor->end)
		word_add(split, *cursor->next++);
	else if (c == '"') {
		word_begin(split); /* "" is a word, too */
		split->in_quotes = !split->in_quotes;
	} else if (split->in_quotes)
		word_add(split, c);
	else if (c == ';')
		return false;
	else if (parse_is_blank(c))
		word_end(split);
	else
		word_add(split, c);
	return true;
}

bool shell_next_command(struct parse_cursor *cursor, struct shell_command *out)
{
	struct splitter split = {out, 0, false, false};

	if (cursor->next >= cursor->end)
		return false;
	out->problem = NULL;
	out->argc = 0;
	while (cursor->next < cursor->end && split_take(&split, cursor))
		;
	word_end(&split);
	if (split.in_quotes)
		split_problem(&split, "a quote is not closed");
	out->argv[out->argc] = NULL;
	out->bytes[sizeof(out->bytes) - 1] = '\0'; /* what was cut is a string all the same */
	return true;
}
