/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands about the machine, its CPUs and threads, and its end. */
#include "arch/bootinfo.h"
#include "arch/clock.h"
#include "arch/cpus.h"
#include "arch/ipi.h"
#include "arch/system.h"
#include "kernel/command.h"
#include "kernel/config.h"
#include "kernel/console.h"
#include "kernel/kthread.h"
#include "kernel/log.h"
#include "kernel/manual.h"
#include "kernel/shell.h"
#include "kernel/version.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "smp/smp.h"

#define NS_PER_MS_UL 1000000ul

static int help_one(char **argv)
{
	const struct command *command = command_find(argv[1]);
	const struct manual *manual;

	if (command == NULL) {
		console_printf("quire: help: there is no command \"%s\"\n", argv[1]);
		return 1;
	}
	manual = manual_find(command->name);
	console_printf("%s %s\n  %s\n", command->name, command->args, command->help);
	if (manual != NULL)
		console_printf("%s  Example: %s\n    %s\n", manual->more, manual->example,
			       manual->effect);
	return 0;
}

/* Name and arguments to the left, and a line of their own where they are long. */
static void help_line(const struct command *command)
{
	enum { LEFT = 28 };
	int left = (int)strlen(command->name) + 1;
	bool fits = left + (int)strlen(command->args) < LEFT;

	console_printf("  %s %-*s%s", command->name, LEFT - left, command->args, fits ? "" : "\n");
	console_printf("%*s%s\n", fits ? 0 : LEFT + 2, "", command->help);
}

int cmd_help(int argc, char **argv)
{
	const struct command *command;

	if (argc > 2)
		return command_usage(argv);
	if (argc == 2)
		return help_one(argv);
	for (size_t i = 0; (command = command_at(i)) != NULL; i++)
		help_line(command);
	console_printf("Several commands may stand on a line: alloc 64K; maps; audit. The tab key\n"
		       "completes names; help NAME has an example.\n");
	return 0;
}

int cmd_sysinfo(int argc, char **argv)
{
	const struct boot_info *info = arch_boot_info();
	unsigned long ms = arch_clock_ns() / NS_PER_MS_UL;

	if (argc != 1)
		return command_usage(argv);
	console_printf("version   Quire " QUIRE_VERSION "\n");
	console_printf("machine   %s\n", arch_cpu_description());
	console_printf("cpus      %u of %u online\n", smp_online_count(), smp_cpu_count());
	console_printf("memory    %lu MiB in %u range%s and %u domain%s\n",
		       (unsigned long)(info->ram_bytes >> 20), info->range_count,
		       info->range_count == 1 ? "" : "s", info->domain_count,
		       info->domain_count == 1 ? "" : "s");
	console_printf("loader    %s\n", info->loader[0] != '\0' ? info->loader : "unknown");
	console_printf("options   %s\n", info->cmdline[0] != '\0' ? info->cmdline : "none");
	console_printf("screen    %s\n", info->fb.kind == BOOT_FB_RGB    ? "pixels"
					 : info->fb.kind == BOOT_FB_TEXT ? "text"
									 : "none");
	console_printf("uptime    %lu.%03lu s\n", ms / 1000, ms % 1000);
	return 0;
}

static void show_cpu(unsigned cpu)
{
	const struct percpu *area = percpu_of(cpu);

	if (area == NULL || !smp_cpu_online(cpu)) {
		console_printf("%4u %8u  %-8s\n", cpu, (unsigned)arch_cpu_hwid(cpu), "left out");
		return;
	}
	console_printf("%4u %8u  %-8s %10lu %10lu %10lu %10lu\n", cpu, (unsigned)arch_cpu_hwid(cpu),
		       "online", (unsigned long)area->tick_count, (unsigned long)area->ipi_count,
		       (unsigned long)area->irq_count, (unsigned long)area->idle_count);
}

int cmd_cpus(int argc, char **argv)
{
	if (argc != 1)
		return command_usage(argv);
	console_printf("%4s %8s  %-8s %10s %10s %10s %10s\n", "cpu", "apic id", "state", "ticks",
		       "ipis", "interrupts", "idle turns");
	for (unsigned cpu = 0; cpu < smp_cpu_count(); cpu++)
		show_cpu(cpu);
	console_printf("%u of %u CPUs online, %lu interrupts sent between them\n",
		       smp_online_count(), smp_cpu_count(), (unsigned long)arch_ipi_commands());
	return 0;
}

static const char *thread_state_name(enum thread_state state)
{
	static const char *const names[] = {"new", "ready", "running", "sleeping", "dead"};

	return (unsigned)state < nitems(names) ? names[state] : "?";
}

static void show_thread(const struct thread *thread)
{
	static const char *const priorities[THREAD_PRIO_COUNT] = {"idle", "normal", "high"};
	const char *message = thread->state == THREAD_SLEEPING ? thread->sleep_message : NULL;

	console_printf("%4u  %-24s %-8s %-8s %10lu %10lu  %s\n", thread->cpu, thread->name,
		       priorities[thread->priority], thread_state_name(thread->state),
		       (unsigned long)(thread->run_ns / NS_PER_MS_UL),
		       (unsigned long)thread->switches, message != NULL ? message : "");
}

int cmd_threads(int argc, char **argv)
{
	if (argc != 1)
		return command_usage(argv);
	console_printf("%4s  %-24s %-8s %-8s %10s %10s  %s\n", "cpu", "thread", "priority", "state",
		       "run ms", "switches", "waits for");
	kthread_foreach(show_thread);
	return 0;
}

int cmd_log(int argc, char **argv)
{
	if (argc != 1)
		return command_usage(argv);
	log_show();
	return 0;
}

int cmd_options(int argc, char **argv)
{
	if (argc != 1)
		return command_usage(argv);
	console_printf("Kernel options, on the command line that the loader passes:\n");
	config_help();
	return 0;
}

int cmd_panic(int argc, char **argv)
{
	if (argc != 1)
		return command_usage(argv);
	panic("asked for by the command panic");
}

int cmd_reboot(int argc, char **argv)
{
	if (argc != 1)
		return command_usage(argv);
	arch_reboot();
}

int cmd_exit(int argc, char **argv)
{
	if (argc != 1)
		return command_usage(argv);
	shell_power_off();
}
