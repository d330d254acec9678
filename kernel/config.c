/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/config.h"

#include "kernel/console.h"
#include "kernel/log.h"
#include "kernel/tunables.h"
#include "lib/panic.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "smp/smp.h"

static struct kernel_config config;

const struct kernel_config *kernel_config(void)
{
	return &config;
}

static const char *set_run(const char *value)
{
	config.has_run = true;
	str_copy(config.run, sizeof(config.run), value);
	return NULL;
}

static const char *set_start(const char *value)
{
	str_copy(config.start, sizeof(config.start), value);
	return NULL;
}

static const char *set_bench(const char *value)
{
	(void)value;
	return set_run("bench; audit");
}

static const char *set_panic(const char *value)
{
	if (strcmp(value, "halt") == 0)
		config.panic = PANIC_HALT;
	else if (strcmp(value, "exit") == 0)
		config.panic = PANIC_EXIT;
	else if (strcmp(value, "reboot") == 0)
		config.panic = PANIC_REBOOT;
	else
		return "the value is one of halt, exit, reboot";
	return NULL;
}

static const char *set_quiet(const char *value)
{
	(void)value;
	config.quiet = true;
	log_set_quiet(true);
	return NULL;
}

static const char *set_smp_max(const char *value)
{
	uint64_t max;
	enum parse_status status = parse_u64(value, strlen(value), &max);

	if (status != PARSE_OK)
		return parse_status_text(status);
	if (max == 0)
		return "one CPU is the least";
	smp_set_limit(max < MAXCPU ? (unsigned)max : MAXCPU);
	return NULL;
}

/* No sysctl, no other spelling: nobody breaks the machine by a slip. */
static const char *set_sabotage(const char *value)
{
	if (strcmp(value, "0") == 0)
		return NULL;
	if (strcmp(value, "1") != 0)
		return "the value is 0, or 1 to have memory corrupted on purpose";
	config.sabotage = true;
	return NULL;
}

static const char *set_map_size(const char *value, vm_size_t *size)
{
	enum parse_status status = parse_size(value, strlen(value), size);

	return status == PARSE_OK ? NULL : parse_status_text(status);
}

static const char *set_kmem_size(const char *value)
{
	return set_map_size(value, &config.maps.kmem);
}

static const char *set_exec_size(const char *value)
{
	return set_map_size(value, &config.maps.exec);
}

static const char *set_pipe_size(const char *value)
{
	return set_map_size(value, &config.maps.pipe);
}

static const char *set_buffer_size(const char *value)
{
	return set_map_size(value, &config.maps.buffer);
}

static const struct option options[] = {
    {"bench", NULL, "run the benchmark and power off: run=bench; audit", set_bench},
    {"kmem.size", "SIZE", "address space of kmem_map (default: half of RAM)", set_kmem_size},
    {"exec.size", "SIZE", "address space of exec_map (default: 4M)", set_exec_size},
    {"pipe.size", "SIZE", "address space of pipe_map (default: 1/64 of RAM)", set_pipe_size},
    {"buffer.size", "SIZE", "address space of buffer_map (default: 1/16 of RAM)", set_buffer_size},
    {"panic", "halt|exit|reboot", "what a panic ends in (default: exit after run=, else halt)",
     set_panic},
    {"quiet", NULL, "keep the log off the console; the command log shows it", set_quiet},
    {"smp.max", "COUNT", "use at most so many CPUs", set_smp_max},
    {"tlb.sabotage", "0|1", "1 breaks shootdown on purpose, to see tests fail", set_sabotage},
    {"start", "COMMAND; ...", "execute these, then the shell; the last option on the line",
     set_start},
    {"run", "COMMAND; ...", "execute these and power off; the last option on the line", set_run},
};

static void report(const char *text)
{
	kprintf("%s\n", text);
}

void config_init(const char *cmdline)
{
	options_apply(options, nitems(options), cmdline, report);
}

static bool is_option(const struct cmdline_option *option)
{
	return option_find(options, nitems(options), option) != NULL;
}

void config_apply_tunables(const char *cmdline)
{
	tunables_apply(cmdline, is_option, report);
}

static void config_help_line(const struct option *option)
{
	int width = 30 - (int)strlen(option->name) - 3;

	if (option->value != NULL)
		console_printf("  %s=%-*s %s\n", option->name, width, option->value, option->help);
	else
		console_printf("  %s %-*s %s\n", option->name, width, "", option->help);
}

void config_help(void)
{
	for (size_t i = 0; i < nitems(options); i++)
		config_help_line(&options[i]);
	console_printf("Any other name with a dot sets that value, as the command sysctl does.\n");
}
