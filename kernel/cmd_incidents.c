/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands about what the machine does uninvited, and those that make it happen. */
#include "arch/clock.h"
#include "arch/incident.h"
#include "kernel/command.h"
#include "kernel/console.h"
#include "kernel/incidents.h"
#include "kernel/kthread.h"
#include "kernel/panic.h"
#include "kernel/watchdog.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "lib/symbol.h"
#include "smp/patience.h"
#include "smp/smp.h"
#include "vm/vm_page_retire.h"

enum { HANG_SECONDS_MAX = 60 };

/* --- incidents --- */

static void show_vectors(void)
{
	for (unsigned vector = 0; vector < ARCH_VECTORS; vector++)
		if (arch_unexpected_count(vector) != 0)
			console_printf("vector %u (%s), which nobody handles: %lu\n", vector,
				       arch_unexpected_kind(vector),
				       (unsigned long)arch_unexpected_count(vector));
}

static void show_nmis(unsigned cpu)
{
	char place[SYMBOL_TEXT_SIZE];
	struct arch_nmi_stats stats;

	arch_nmi_stats(cpu, &stats);
	if (stats.asked != 0)
		console_printf("cpu %u: asked by NMI where it is: %lu\n", cpu,
			       (unsigned long)stats.asked);
	if (stats.unasked != 0)
		console_printf("cpu %u: NMIs: %lu, the last one at %s, %s\n", cpu,
			       (unsigned long)stats.unasked,
			       symbol_text(stats.pc, place, sizeof(place)), stats.cause);
}

static int cmd_incidents(int argc, char **argv)
{
	struct incidents_counts counts;

	if (argc != 1)
		return command_usage(argv);
	show_vectors();
	for (unsigned cpu = 0; cpu < smp_cpu_count(); cpu++)
		show_nmis(cpu);
	incidents_counts(&counts);
	console_printf("machine checks: %lu corrected, %lu uncorrected, in %u banks of each CPU\n",
		       (unsigned long)counts.corrected, (unsigned long)counts.uncorrected,
		       arch_machine_check_banks());
	console_printf("bad pages: %lu out of use, %u wait to be freed\n",
		       (unsigned long)vm_page_retired_count(), vm_page_retire_waiting());
	console_printf("CPUs found without a tick: %lu\n", (unsigned long)watchdog_count());
	return 0;
}

/* --- retire --- */

static int cmd_retire(int argc, char **argv)
{
	uint64_t pa;
	enum vm_page_retirement how;

	if (argc != 2)
		return command_usage(argv);
	if (!command_number(argv, argv[1], &pa))
		return 1;
	how = vm_page_retire(pa);
	console_printf("page %#lx: %s\n", (unsigned long)trunc_page(pa),
		       vm_page_retirement_text(how));
	return how != VM_PAGE_RETIRE_DONE && how != VM_PAGE_RETIRE_LATER;
}

/* --- hang --- */

static void hang(void *arg)
{
	uint64_t ns = *(const uint64_t *)arg * NS_PER_SECOND, start = arch_clock_ns();
	bool irq_was_enabled = arch_irq_save();

	while (arch_clock_ns() - start < ns)
		arch_cpu_relax();
	arch_irq_restore(irq_was_enabled);
}

static int cmd_hang(int argc, char **argv)
{
	uint64_t cpu, seconds;
	struct kthread *thread;

	if (argc != 3)
		return command_usage(argv);
	if (!command_number(argv, argv[1], &cpu) || !command_number(argv, argv[2], &seconds))
		return 1;
	if (cpu >= smp_cpu_count() || !smp_cpu_online((unsigned)cpu)) {
		console_printf("quire: hang: CPU %lu is not online\n", (unsigned long)cpu);
		return 1;
	}
	if (seconds == 0 || seconds > HANG_SECONDS_MAX) {
		console_printf("quire: hang: 1 to %d seconds\n", HANG_SECONDS_MAX);
		return 1;
	}
	thread = kthread_create("hang", hang, &seconds, (unsigned)cpu, THREAD_PRIO_HIGH);
	if (thread == NULL) {
		console_printf("quire: hang: no memory for a thread\n");
		return 1;
	}
	kthread_join(thread);
	return 0;
}

/* --- repanic --- */

static void panic_again(void)
{
	panic("the second one, asked for by the command repanic");
}

/* A fault, as a broken structure would cause it while a panic looks at it. */
static void fault_again(void)
{
	static volatile uintptr_t nowhere = 1; /* volatile: the compiler may not know */

	panic_set_amid(panic_again);
	*(volatile unsigned char *)nowhere = 0;
}

static int cmd_repanic(int argc, char **argv)
{
	bool by_fault = argc == 2 && strcmp(argv[1], "fault") == 0;

	if (argc != 1 && !by_fault)
		return command_usage(argv);
	panic_set_amid(by_fault ? fault_again : panic_again);
	panic("the first one, asked for by the command repanic");
}

static const struct command incidents_command = {
    "incidents", "", "NMIs, machine checks, bad pages, vectors that nobody handles", cmd_incidents};
static const struct command retire_command = {
    "retire", "ADDRESS", "take the page at a physical address out of use for good", cmd_retire};
static const struct command hang_command = {
    "hang", "CPU SECONDS", "keep a CPU from everything else, for the watchdog to find", cmd_hang};
static const struct command repanic_command = {
    "repanic", "[fault]", "panic, and once more while that is told", cmd_repanic};

COMMAND_REGISTER(incidents_command);
COMMAND_REGISTER(retire_command);
COMMAND_REGISTER(hang_command);
COMMAND_REGISTER(repanic_command);
