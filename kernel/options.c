/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/options.h"

#include "lib/cmdline.h"
#include "lib/format.h"
#include "lib/string.h"

/* Long options are cut in messages: they name, they need not repeat. */
enum { OPTION_SHOWN_MAX = 60, OPTION_LINE_MAX = 160 };

static int shown_length(const struct cmdline_option *option)
{
	return (int)(option->text_len < OPTION_SHOWN_MAX ? option->text_len : OPTION_SHOWN_MAX);
}

void option_report_ignored(const struct cmdline_option *option, const char *problem,
			   void (*report)(const char *text))
{
	char line[OPTION_LINE_MAX];

	format(line, sizeof(line), "option \"%.*s\" ignored: %s", shown_length(option),
	       option->text, problem);
	report(line);
}

void option_report_unknown(const struct cmdline_option *option, void (*report)(const char *text))
{
	char line[OPTION_LINE_MAX];

	format(line, sizeof(line), "unknown option \"%.*s\" ignored", shown_length(option),
	       option->text);
	report(line);
}

bool option_is_dotted(const struct cmdline_option *option)
{
	return memchr(option->key, '.', option->key_len) != NULL;
}

const struct option *option_find(const struct option *table, size_t count,
				 const struct cmdline_option *option)
{
	for (size_t i = 0; i < count; i++)
		if (cmdline_key_is(option, table[i].name))
			return &table[i];
	return NULL;
}

/* Returns NULL, or why the option is not taken. */
static const char *option_set(const struct option *known, const struct cmdline_option *option)
{
	/* Options are read once, before any thread exists; the stack need not hold this. */
	static char value[OPTION_VALUE_MAX];

	if (known->value == NULL && option->has_value)
		return "it takes no value";
	if (known->value != NULL && !option->has_value)
		return "it needs a value";
	if (cmdline_value(option, value, sizeof(value)) >= sizeof(value))
		return "its value is too long";
	return known->set(value);
}

void options_apply(const struct option *table, size_t count, const char *line,
		   void (*report)(const char *text))
{
	struct cmdline_iter iter;
	struct cmdline_option option;

	cmdline_begin(&iter, line, strlen(line));
	while (cmdline_next(&iter, &option)) {
		const struct option *known;
		const char *problem = option.problem;

		if (problem == NULL) {
			known = option_find(table, count, &option);
			if (known == NULL) {
				if (!option_is_dotted(&option))
					option_report_unknown(&option, report);
				continue;
			}
			problem = option_set(known, &option);
		}
		if (problem != NULL)
			option_report_ignored(&option, problem, report);
	}
}
