/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end. The first CPU that panics stops the others and tells what it knows; one that panics
 * after it stops silently, for its trouble is often a consequence; a panic while panicking says
 * one line and halts.
 */
#include "lib/panic.h"
#include "arch/clock.h"
#include "arch/cpus.h"
#include "arch/ipi.h"
#include "arch/mmu.h"
#include "arch/system.h"
#include "kernel/config.h"
#include "kernel/log.h"
#include "kernel/panic.h"
#include "kernel/sched/thread.h"
#include "kernel/symbols.h"
#include "lib/format.h"
#include "smp/smp.h"

enum { BACKTRACE_MAX = 32, MESSAGE_MAX = 512 };

static struct atomic32 panic_owner; /* CPU number + 1, or 0 */
static void (*panic_amid)(void);    /* to see that a panic survives it */

static unsigned panic_cpu_id(void)
{
	return percpu_ready ? arch_cpu_id() : 0;
}

/* Returns when this CPU is to tell the story; else it stops here. */
static void panic_claim(void)
{
	uint32_t me = panic_cpu_id() + 1, owner = 0;

	if (atomic32_cas(&panic_owner, &owner, me, MO_SEQ_CST))
		return;
	if (owner != me)
		arch_cpu_halt();
}

static void print_frame(void *ctx, uintptr_t pc)
{
	struct symbol_table symbols = kernel_symbols();
	char text[SYMBOL_TEXT_MAX];

	(void)ctx;
	/* What is on the stack are return addresses: the call lies before them. */
	symbol_format(&symbols, KERNBASE, pc - 1, text, sizeof(text));
	kprintf("    %016lx  %s\n", (unsigned long)pc, text);
}

static void print_held_locks(const struct percpu *area)
{
	unsigned depth = area->spin_depth < SPIN_HELD_MAX ? area->spin_depth : SPIN_HELD_MAX;

	for (unsigned i = 0; i < depth; i++) {
		const struct spinlock *lock = area->spin_held[i];

		if (lock != NULL)
			kprintf("    holds \"%s\" (rank %u), taken at %s\n", lock->name, lock->rank,
				spin_site(lock));
	}
}

/* Where the CPU was when the others were stopped; nothing for the one that panics. */
static void print_stopped(unsigned cpu)
{
	struct symbol_table symbols = kernel_symbols();
	char text[SYMBOL_TEXT_MAX];
	uintptr_t pc;

	if (cpu == panic_cpu_id())
		return;
	if (!arch_cpu_stopped_pc(cpu, &pc)) {
		kprintf("    did not stop when it was told to\n");
		return;
	}
	symbol_format(&symbols, KERNBASE, pc, text, sizeof(text));
	kprintf("    stopped at %016lx  %s\n", (unsigned long)pc, text);
}

static const char *thread_name_of(const struct percpu *area)
{
	const struct thread *thread = (const struct thread *)area->arch.thread;

	return thread != NULL ? thread->name : "none";
}

static void print_cpu(unsigned cpu)
{
	const struct percpu *area = percpu_of(cpu);

	if (area == NULL)
		return;
	kprintf("  cpu %u (apic id %u): thread \"%s\", %s, preemption %s\n", cpu,
		(unsigned)arch_cpu_hwid(cpu), thread_name_of(area),
		area->arch.irq_depth != 0 ? "in an interrupt" : "in the thread",
		area->arch.preempt_count != 0 ? "off" : "on");
	print_stopped(cpu);
	print_held_locks(area);
}

static void print_other_cpus(unsigned self)
{
	if (!percpu_ready || smp_online_count() < 2)
		return;
	kprintf("other CPUs:\n");
	for (unsigned cpu = 0; cpu < smp_cpu_count(); cpu++)
		if (cpu != self && smp_cpu_online(cpu))
			print_cpu(cpu);
}

static void print_story(const char *message)
{
	unsigned self = panic_cpu_id();

	kprintf("panic: %s\n", message);
	if (panic_amid != NULL)
		panic_amid();
	if (percpu_ready)
		print_cpu(self);
	arch_print_trap_state(kprintf);
	kprintf("  backtrace:\n");
	arch_backtrace(BACKTRACE_MAX, print_frame, NULL);
	print_other_cpus(self);
}

void panic_set_amid(void (*fn)(void))
{
	panic_amid = fn;
}

QUIRE_NORETURN static void panic_end(void)
{
	const struct kernel_config *config = kernel_config();
	enum panic_action action = config->panic;

	if (action == PANIC_DEFAULT)
		action = config->has_run ? PANIC_EXIT : PANIC_HALT;
	if (action == PANIC_REBOOT)
		arch_reboot();
	if (action == PANIC_EXIT && arch_has_exit_device())
		arch_power_off(ARCH_EXIT_PANIC);
	kprintf("The machine is stopped.\n");
	arch_cpu_halt();
}

/* Each one in the way of another does less, so that this ends whatever is broken. */
QUIRE_NORETURN static void panic_in_panic(unsigned depth, const char *fmt, va_list args)
{
	static char message[MESSAGE_MAX];

	if (depth == 1) {
		format_v(message, sizeof(message), fmt, args);
		kprintf("panic while telling about a panic: %s\n", message);
	}
	if (depth <= 2)
		panic_end();
	arch_cpu_halt();
}

void panic(const char *fmt, ...)
{
	static char message[MESSAGE_MAX];
	static unsigned panics; /* of the CPU that tells; the others never come here */
	unsigned depth;
	va_list args;

	arch_irq_disable();
	panic_claim();
	depth = panics++;
	spin_break_all();
	log_set_quiet(false);
	va_start(args, fmt);
	if (depth != 0)
		panic_in_panic(depth, fmt, args);
	arch_cpus_stop_others();
	format_v(message, sizeof(message), fmt, args);
	va_end(args);
	print_story(message);
	panic_end();
}
