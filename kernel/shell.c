/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/shell.h"

#include "arch/system.h"
#include "kernel/command.h"
#include "kernel/console.h"
#include "kernel/line.h"
#include "kernel/shell_parse.h"
#include "lib/panic.h"
#include "lib/string.h"

#define PROMPT "quire> "

/* Of run=; the shell is one thread. */
static bool some_failed;

static int shell_execute(const struct shell_command *parsed)
{
	const struct command *command;

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
	return command->run(parsed->argc, (char **)parsed->argv);
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

static void shell_read_line(struct line_editor *line)
{
	line_begin(line);
	console_printf(PROMPT);
	while (line_input(line, console_getchar()) == LINE_MORE)
		;
}

void shell_interactive(void)
{
	static struct line_editor line = {.show = console_write};
	static struct shell_command parsed;
	struct parse_cursor cursor;

	console_printf("\nType help for the commands, exit to power off.\n");
	for (;;) {
		shell_read_line(&line);
		parse_begin(&cursor, line.text, line.length);
		while (shell_next_command(&cursor, &parsed))
			shell_execute(&parsed);
	}
}
