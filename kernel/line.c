/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/line_private.h"

#include "lib/string.h"

#define CTRL(letter) ((letter) - 'A' + 1)

/* Escape sequences: ESC, '[' or 'O', parameters, a final character (ECMA-48 5.4). */
enum { ESCAPE_NONE, ESCAPE_BEGUN, ESCAPE_PARAMETERS };

static void show_string(struct line_editor *line, const char *s)
{
	line->show(s, strlen(s));
}

void line_show_repeated(struct line_editor *line, char c, unsigned times)
{
	while (times-- > 0)
		line->show(&c, 1);
}

static void cursor_move(struct line_editor *line, unsigned to)
{
	if (to < line->cursor)
		line_show_repeated(line, '\b', line->cursor - to);
	else
		line->show(&line->text[line->cursor], to - line->cursor);
	line->cursor = to;
}

/* Shows the text from the cursor on, then `blanks` blanks, and brings the cursor back. */
static void show_tail(struct line_editor *line, unsigned blanks)
{
	unsigned tail = line->length - line->cursor;

	line->show(&line->text[line->cursor], tail);
	line_show_repeated(line, ' ', blanks);
	line_show_repeated(line, '\b', tail + blanks);
}

void line_insert(struct line_editor *line, char c)
{
	if (line->length + 1 >= LINE_MAX) {
		show_string(line, "\a");
		return;
	}
	memmove(&line->text[line->cursor + 1], &line->text[line->cursor],
		line->length - line->cursor + 1);
	line->text[line->cursor++] = c;
	line->length++;
	line->show(&c, 1);
	show_tail(line, 0);
}

/* Deletes the `n` characters from the cursor on. */
static void text_delete_next(struct line_editor *line, unsigned n)
{
	memmove(&line->text[line->cursor], &line->text[line->cursor + n],
		line->length - line->cursor - n + 1);
	line->length -= n;
	show_tail(line, n);
}

/* Deletes the `n` characters before the cursor. */
static void text_delete(struct line_editor *line, unsigned n)
{
	cursor_move(line, line->cursor - n);
	text_delete_next(line, n);
}

static void text_replace(struct line_editor *line, const char *text)
{
	unsigned old = line->length, length;

	cursor_move(line, 0);
	length = (unsigned)str_copy(line->text, sizeof(line->text), text);
	line->length = length;
	show_tail(line, old > length ? old - length : 0);
	cursor_move(line, length);
}

void line_show_again(struct line_editor *line)
{
	unsigned cursor = line->cursor;

	if (line->prompt != NULL)
		show_string(line, line->prompt);
	line->cursor = 0;
	cursor_move(line, line->length);
	cursor_move(line, cursor);
}

/* Characters from the cursor back to the beginning of a word. */
static unsigned word_before(const struct line_editor *line)
{
	unsigned at = line->cursor;

	while (at > 0 && line->text[at - 1] == ' ')
		at--;
	while (at > 0 && line->text[at - 1] != ' ')
		at--;
	return line->cursor - at;
}

static void history_add(struct line_editor *line)
{
	if (line->length == 0 || (line->count > 0 && strcmp(line->history[0], line->text) == 0))
		return;
	memmove(line->history[1], line->history[0], sizeof(line->history) - LINE_MAX);
	memcpy(line->history[0], line->text, LINE_MAX);
	if (line->count < LINE_HISTORY)
		line->count++;
}

/* Shows the line `back` lines ago; 0 is a new one. */
static void history_recall(struct line_editor *line, unsigned back)
{
	line->recalled = back;
	text_replace(line, back == 0 ? "" : line->history[back - 1]);
}

/* Keys that terminals send as a number. */
static void escape_number(struct line_editor *line)
{
	switch (line->parameter) {
	case 1:
	case 7:
		cursor_move(line, 0);
		break;
	case 3:
		if (line->cursor < line->length)
			text_delete_next(line, 1);
		break;
	case 4:
	case 8:
		cursor_move(line, line->length);
		break;
	default:
		break;
	}
}

static void escape_final(struct line_editor *line, char c)
{
	switch (c) {
	case '~':
		escape_number(line);
		break;
	case 'A':
		if (line->recalled < line->count)
			history_recall(line, line->recalled + 1);
		break;
	case 'B':
		if (line->recalled > 0)
			history_recall(line, line->recalled - 1);
		break;
	case 'C':
		if (line->cursor < line->length)
			cursor_move(line, line->cursor + 1);
		break;
	case 'D':
		if (line->cursor > 0)
			cursor_move(line, line->cursor - 1);
		break;
	case 'H':
		cursor_move(line, 0);
		break;
	case 'F':
		cursor_move(line, line->length);
		break;
	default:
		break;
	}
}

/* One number is understood; with others beside it (Shift, Ctrl) it is another key. */
static void escape_parameter(struct line_editor *line, char c)
{
	enum { OTHER = 1000 };

	if (c >= '0' && c <= '9' && line->parameter < OTHER)
		line->parameter = line->parameter * 10 + (unsigned)(c - '0');
	else if (c == ';')
		line->parameter = OTHER;
}

/* Takes a character that belongs to an escape sequence; false if it does not. */
static bool escape_input(struct line_editor *line, char c)
{
	switch (line->escape) {
	case ESCAPE_BEGUN:
		line->escape = c == '[' || c == 'O' ? ESCAPE_PARAMETERS : ESCAPE_NONE;
		line->parameter = 0;
		return c >= ' ' && c < 0x7f; /* a letter typed with Alt means nothing */
	case ESCAPE_PARAMETERS:
		escape_parameter(line, c);
		if (c >= 0x20 && c < 0x40)
			return true;
		line->escape = ESCAPE_NONE;
		if (c < 0x40 || c > 0x7e)
			return false;
		escape_final(line, c);
		return true;
	default:
		if (c != '\033')
			return false;
		line->escape = ESCAPE_BEGUN;
		return true;
	}
}

static enum line_result line_finish(struct line_editor *line)
{
	show_string(line, "\n");
	history_add(line);
	return LINE_DONE;
}

static enum line_result line_give_up(struct line_editor *line)
{
	show_string(line, "^C\n");
	line->text[0] = '\0';
	line->length = line->cursor = 0;
	return LINE_GIVEN_UP;
}

static void line_edit(struct line_editor *line, char c)
{
	switch (c) {
	case '\b':
	case 0x7f:
		if (line->cursor > 0)
			text_delete(line, 1);
		break;
	case CTRL('A'):
		cursor_move(line, 0);
		break;
	case CTRL('E'):
		cursor_move(line, line->length);
		break;
	case CTRL('K'):
		text_delete_next(line, line->length - line->cursor);
		break;
	case CTRL('L'):
		show_string(line, "\033[2J\033[H");
		line_show_again(line);
		break;
	case '\t':
		line_complete(line);
		break;
	case CTRL('U'):
		text_replace(line, "");
		break;
	case CTRL('W'):
		text_delete(line, word_before(line));
		break;
	default:
		if (c >= ' ' && c < 0x7f)
			line_insert(line, c);
	}
}

void line_begin(struct line_editor *line)
{
	line->text[0] = '\0';
	line->length = line->cursor = 0;
	line->escape = ESCAPE_NONE;
	line->recalled = 0;
}

enum line_result line_input(struct line_editor *line, char c)
{
	bool after_cr = line->after_cr;

	line->after_cr = c == '\r';
	if (c == '\n' && after_cr)
		return LINE_MORE;
	if (escape_input(line, c))
		return LINE_MORE;
	if (c == '\r' || c == '\n')
		return line_finish(line);
	if (c == CTRL('C'))
		return line_give_up(line);
	line_edit(line, c);
	return LINE_MORE;
}
