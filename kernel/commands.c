/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/command.h"

#include "kernel/console.h"
#include "lib/parse.h"
#include "lib/string.h"

static const struct command commands[] = {
    {"help", "[COMMAND]", "list the commands, or explain one", cmd_help},
    {"sysinfo", "", "what this machine is and how it was started", cmd_sysinfo},
    {"cpus", "", "the CPUs: identity, ticks, interrupts", cmd_cpus},
    {"threads", "", "all threads and what they wait for", cmd_threads},
    {"top", "", "which CPUs and threads are busy, until q is pressed", cmd_top},
    {"trace", "[on|off|clear|N]", "what happened lately, on all CPUs, by time", cmd_trace},
    {"log", "", "the kernel log from its beginning", cmd_log},
    {"options", "", "the kernel options that there are", cmd_options},
    {"maps", "", "kernel_map: every range of kernel addresses in use", cmd_maps},
    {"vmstat", "[-z | -m]", "where all memory is; -z: zones, -m: types of malloc", cmd_vmstat},
    {"magazines", "[CPU]", "what is kept at hand: pages and kernel memory, by size", cmd_magazines},
    {"zones", "", "zones: items live, cached and free; types of malloc", cmd_zones},
    {"pages", "", "free physical memory by domain and block size", cmd_pages},
    {"tlb", "", "TLB shootdown: by reason, by time, by CPU; generations; quarantine", cmd_tlb},
    {"audit", "", "check every rule of the memory system", cmd_audit},
    {"alloc", "SIZE", "allocate kernel memory and fill it with a pattern", cmd_alloc},
    {"free", "ADDRESS", "check the pattern of an allocation and free it", cmd_free},
    {"sysctl", "[NAME[=V]]", "show the values below a name, or set one; -d NAME explains",
     cmd_sysctl},
    {"selftest", "[NAME...]", "run the self-test, or the cases whose names begin so", cmd_selftest},
    {"stress", "[SECONDS] [seed=N] [WHAT...]",
     "use all memory paths on all CPUs and verify contents", cmd_stress},
    {"panic", "", "stop the kernel as a broken invariant would", cmd_panic},
    {"reboot", "", "restart the machine", cmd_reboot},
    {"exit", "", "power off", cmd_exit},
};

/* The linker script's: what COMMAND_REGISTER has made. */
extern const struct command *const image_commands_start[];
extern const struct command *const image_commands_end[];

const struct command *command_at(size_t index)
{
	size_t registered = (size_t)(image_commands_end - image_commands_start);

	if (index < nitems(commands))
		return &commands[index];
	index -= nitems(commands);
	return index < registered ? image_commands_start[index] : NULL;
}

const struct command *command_find(const char *name)
{
	const struct command *command;

	for (size_t i = 0; (command = command_at(i)) != NULL; i++)
		if (strcmp(command->name, name) == 0)
			return command;
	return NULL;
}

int command_usage(char **argv)
{
	const struct command *command = command_find(argv[0]);

	console_printf("quire: usage: %s %s\n", argv[0], command != NULL ? command->args : "");
	return 1;
}

static bool number_ok(char **argv, const char *text, enum parse_status status)
{
	if (status == PARSE_OK)
		return true;
	console_printf("quire: %s: \"%s\" is %s\n", argv[0], text, parse_status_text(status));
	return false;
}

bool command_number(char **argv, const char *text, uint64_t *out)
{
	return number_ok(argv, text, parse_u64(text, strlen(text), out));
}

bool command_size(char **argv, const char *text, uint64_t *out)
{
	return number_ok(argv, text, parse_size(text, strlen(text), out));
}
