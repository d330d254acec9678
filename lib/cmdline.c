/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/cmdline.h"

#include "lib/parse.h"
#include "lib/string.h"

void cmdline_begin(struct cmdline_iter *iter, const char *line, size_t len)
{
	iter->next = line;
	iter->end = len == 0 ? line : line + strnlen(line, len);
}

static bool is_key_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || c == '.';
}

/* The quote that closes the one before `p`, or NULL. */
static const char *find_quote(const char *p, const char *end)
{
	for (; p < end && *p != '"'; p++)
		if (*p == '\\' && p + 1 < end)
			p++;
	return p < end ? p : NULL;
}

static const char *find_blank(const char *p, const char *end)
{
	while (p < end && !parse_is_blank(*p))
		p++;
	return p;
}

/* The option as it stands, from option->text to `end`, is not well-formed. */
static void set_problem(struct cmdline_option *option, const char *end, const char *problem)
{
	const char *text = option->text;

	*option = (struct cmdline_option){
	    .problem = problem, .text = text, .text_len = (size_t)(end - text)};
}

/* A slice [p, end) that begins with a key: returns where its value or its end is. */
static const char *take_key(struct cmdline_option *option, const char *p, const char *end)
{
	option->key = p;
	while (p < end && is_key_char(*p))
		p++;
	option->key_len = (size_t)(p - option->key);
	if (p < end && *p == '=') {
		option->has_value = true;
		p++;
	}
	return p;
}

/* "key=value" with the quotes around all of it; `p` is behind the first. Returns what follows. */
static const char *take_quoted_option(struct cmdline_option *option, const char *p, const char *end)
{
	const char *quote = find_quote(p, end);

	if (quote == NULL) {
		set_problem(option, end, "a quote that is not closed");
		return end;
	}
	option->value = take_key(option, p, quote);
	option->value_len = (size_t)(quote - option->value);
	option->quoted = true;
	return quote + 1;
}

/* Commands, which have blanks and quotes of their own. */
static bool takes_rest(const struct cmdline_option *option)
{
	return cmdline_key_is(option, "run") || cmdline_key_is(option, "start");
}

static const char *take_value(struct cmdline_option *option, const char *p, const char *end)
{
	const char *stop;

	option->value = p;
	if (option->has_value && p < end && *p == '"') {
		option->value = p + 1;
		option->quoted = true;
		stop = find_quote(p + 1, end);
		if (stop == NULL) {
			set_problem(option, end, "a quote that is not closed");
			return end;
		}
		p = stop + 1;
	} else if (option->has_value && takes_rest(option)) {
		p = end;
		while (p > option->value && parse_is_blank(p[-1]))
			p--;
		stop = p;
	} else {
		p = find_blank(p, end);
		stop = p;
	}
	option->value_len = (size_t)(stop - option->value);
	return p;
}

static const char *check_option(const struct cmdline_option *option, const char *end,
				const char *line_end)
{
	if (option->key_len == 0)
		return "no name";
	if (!option->has_value && option->value_len != 0)
		return "a character that no name has";
	if (end < line_end && !parse_is_blank(*end))
		return "something behind the closing quote";
	if (!option->quoted && !takes_rest(option) && option->value_len != 0 &&
	    memchr(option->value, '"', option->value_len) != NULL)
		return "a quote in the middle";
	return NULL;
}

bool cmdline_next(struct cmdline_iter *iter, struct cmdline_option *out)
{
	const char *p = iter->next;

	while (p < iter->end && parse_is_blank(*p))
		p++;
	*out = (struct cmdline_option){.text = p};
	if (p >= iter->end) {
		iter->next = p;
		return false;
	}
	if (*p == '"')
		p = take_quoted_option(out, p + 1, iter->end);
	else
		p = take_value(out, take_key(out, p, iter->end), iter->end);
	if (out->problem == NULL) {
		const char *problem = check_option(out, p, iter->end);

		p = problem == NULL ? p : find_blank(p, iter->end);
		out->text_len = (size_t)(p - out->text);
		if (problem != NULL)
			set_problem(out, p, problem);
	}
	iter->next = p;
	return true;
}

bool cmdline_key_is(const struct cmdline_option *option, const char *key)
{
	return option->problem == NULL && str_is(option->key, option->key_len, key);
}

size_t cmdline_value(const struct cmdline_option *option, char *buf, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < option->value_len; i++) {
		if (option->quoted && option->value[i] == '\\' && i + 1 < option->value_len)
			i++;
		if (n + 1 < size)
			buf[n] = option->value[i];
		n++;
	}
	if (size != 0)
		buf[n < size ? n : size - 1] = '\0';
	return n;
}

enum cmdline_found cmdline_get(const char *line, const char *key, char *buf, size_t size)
{
	enum cmdline_found found = CMDLINE_MISSING;
	struct cmdline_iter iter;
	struct cmdline_option option;

	if (size != 0)
		buf[0] = '\0';
	cmdline_begin(&iter, line, strlen(line));
	while (cmdline_next(&iter, &option))
		if (cmdline_key_is(&option, key))
			found =
			    cmdline_value(&option, buf, size) < size ? CMDLINE_FOUND : CMDLINE_CUT;
	return found;
}
