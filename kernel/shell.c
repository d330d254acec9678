/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/shell.h"

#include "arch/system.h"
#include "kernel/command.h"
#include "kernel/complete.h"
#include "kernel/console.h"
#include "kernel/line.h"
#include "kernel/manual.h"
#include "kernel/pager.h"
#include "kernel/shell_parse.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "lib/trace.h"

#define PROMPT "quire> "

/* The shell is one thread. */
static bool some_failed; /* of run= */
static bool has_person;

bool shell_has_person(void)
{
	return has_person;
}

/* --- Paging --- */

static struct pager pager;

static void page_ask(void)
{
	static const char question[] = "-- more: space, return for a line, q for no more --";
	static const char gone[] = "\r                                                    \r";

	console_show(question, sizeof(question) - 1);
	while (pager_key(&pager, console_getchar()) == PAGER_AGAIN)
		;
	console_show(gone, sizeof(gone) - 1);
}

static void page_write(const char *text, size_t length)
{
	while (length > 0) {
		size_t part;

		if (pager_must_ask(&pager))
			page_ask();
		part = pager_take(&pager, text, length);
		if (!pager.discard)
			console_show(text, part);
		text += part;
		length -= part;
	}
}

static int run_paged(const struct command *command, const struct shell_command *parsed)
{
	const struct manual *manual = manual_find(command->name);
	int status;

	if (!has_person || manual == NULL || !manual->paged)
		return command->run(parsed->argc, (char **)parsed->argv);
	pager_begin(&pager);
	console_set_filter(page_write);
	status = command->run(parsed->argc, (char **)parsed->argv);
	console_set_filter(NULL);
	return status;
}

/* --- Executing --- */

static int shell_execute(const struct shell_command *parsed)
{
	const struct command *command;
	int status;

	if (parsed->problem != NULL) {
		console_printf("quire: the command cannot be read: %s\n", parsed->problem);
		return 1;
	}
	if (parsed->argc == 0)
		return 0;
	command = command_find(parsed->argv[0]);
	if (command == NULL) {
		console_printf("quire: unknown command \"%s\" (try help)\n", parsed->argv[0]);
		return 1;
	}
	trace(TRACE_COMMAND, (uint64_t)(uintptr_t)command->name, (uint64_t)parsed->argc);
	status = run_paged(command, parsed);
	trace(TRACE_COMMAND_END, (uint64_t)(uintptr_t)command->name, (uint64_t)status);
	return status;
}

static void show_command(const struct shell_command *parsed)
{
	console_printf(PROMPT);
	for (int i = 0; i < parsed->argc; i++)
		console_printf(i == 0 ? "%s" : " %s", parsed->argv[i]);
	console_printf("\n");
}

void shell_power_off(void)
{
	arch_power_off(some_failed ? ARCH_EXIT_FAILED : ARCH_EXIT_OK);
}

void shell_run_and_power_off(const char *text)
{
	static struct shell_command parsed;
	struct parse_cursor cursor;
	unsigned failed = 0;

	parse_begin(&cursor, text, strlen(text));
	while (shell_next_command(&cursor, &parsed)) {
		if (parsed.argc == 0 && parsed.problem == NULL)
			continue;
		show_command(&parsed);
		if (shell_execute(&parsed) != 0) {
			some_failed = true;
			failed++;
		}
	}
	if (failed != 0)
		kprintf("run: %u command%s failed\n", failed, failed == 1 ? "" : "s");
	shell_power_off();
}

/* --- A person --- */

static void shell_read_line(struct line_editor *line)
{
	line_begin(line);
	console_printf(PROMPT);
	while (line_input(line, console_getchar()) == LINE_MORE)
		;
}

static void shell_run_length(const char *text, size_t length)
{
	static struct shell_command parsed;
	struct parse_cursor cursor;

	parse_begin(&cursor, text, length);
	while (shell_next_command(&cursor, &parsed))
		shell_execute(&parsed);
}

void shell_interactive(const char *start)
{
	static struct line_editor line = {
	    .show = console_write, .word = complete_word, .prompt = PROMPT};

	has_person = true;
	console_printf("\nType help for the commands, exit to power off.\n");
	if (start[0] != '\0')
		shell_run_length(start, strlen(start));
	for (;;) {
		shell_read_line(&line);
		shell_run_length(line.text, line.length);
	}
}
