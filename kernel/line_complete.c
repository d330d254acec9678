/* SPDX-License-Identifier: BSD-2-Clause */
/* The tab key: as much of a word as all candidates have in common, or a list of them. */
#include "kernel/line_private.h"

#include "lib/string.h"

enum {
	CANDIDATES_MAX = 1000, /* looked at; a bound, not a table */
	LIST_COLUMNS = 78,
	LIST_GAP = 2,
};

/* The word before the cursor, and the candidates that begin with it. */
struct completion {
	const char *word;
	size_t typed;     /* its length */
	const char *best; /* the first candidate */
	size_t common;    /* how much of it all have in common */
	unsigned count;
	size_t widest;
};

static void candidate_add(struct completion *completion, const char *candidate)
{
	size_t length = strlen(candidate), same = 0;

	if (length < completion->typed || memcmp(candidate, completion->word, completion->typed))
		return;
	if (length > completion->widest)
		completion->widest = length;
	if (completion->count++ == 0) {
		completion->best = candidate;
		completion->common = length;
		return;
	}
	while (same < completion->common && same < length &&
	       candidate[same] == completion->best[same])
		same++;
	completion->common = same;
}

static struct completion look(const struct line_editor *line)
{
	unsigned begin = line->cursor;
	struct completion completion = {0};
	const char *candidate;

	while (begin > 0 && line->text[begin - 1] != ' ' && line->text[begin - 1] != ';')
		begin--;
	completion.word = &line->text[begin];
	completion.typed = line->cursor - begin;
	for (size_t i = 0; i < CANDIDATES_MAX; i++) {
		candidate = line->word(line->text, begin, i);
		if (candidate == NULL)
			break;
		candidate_add(&completion, candidate);
	}
	return completion;
}

static void show_candidate(struct line_editor *line, const char *candidate, size_t width,
			   size_t *column)
{
	size_t length = strlen(candidate);

	if (*column + width > LIST_COLUMNS) {
		line->show("\n", 1);
		*column = 0;
	}
	line->show(candidate, length);
	line_show_repeated(line, ' ', (unsigned)(width - length));
	*column += width;
}

static void show_list(struct line_editor *line, const struct completion *completion)
{
	size_t begin = (size_t)(completion->word - line->text), column = 0;
	const char *candidate;

	line->show("\n", 1);
	for (size_t i = 0; i < CANDIDATES_MAX; i++) {
		candidate = line->word(line->text, begin, i);
		if (candidate == NULL)
			break;
		if (strlen(candidate) >= completion->typed &&
		    memcmp(candidate, completion->word, completion->typed) == 0)
			show_candidate(line, candidate, completion->widest + LIST_GAP, &column);
	}
	line->show("\n", 1);
	line_show_again(line);
}

void line_complete(struct line_editor *line)
{
	struct completion completion;

	if (line->word == NULL)
		return;
	completion = look(line);
	if (completion.count == 0) {
		line->show("\a", 1);
	} else if (completion.common > completion.typed || completion.count == 1) {
		for (size_t i = completion.typed; i < completion.common; i++)
			line_insert(line, completion.best[i]);
		if (completion.count == 1)
			line_insert(line, ' ');
	} else {
		show_list(line, &completion);
	}
}
