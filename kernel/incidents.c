/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NMIs, machine checks and unexpected interrupts only leave a note, for they come where nothing may
 * be locked or printed (arch/incident.h). The tick that finds the note wakes a thread, which says
 * what happened and takes bad memory out of use. As long as a bad page is still in use the thread
 * looks after it once a second; otherwise it sleeps.
 */
#include "kernel/incidents.h"

#include "arch/atomic.h"
#include "arch/clock.h"
#include "arch/cpu.h"
#include "arch/incident.h"
#include "kernel/kthread.h"
#include "kernel/sched/sleepq.h"
#include "kernel/watchdog.h"
#include "lib/check.h"
#include "lib/symbol.h"
#include "smp/patience.h"
#include "smp/smp.h"
#include "vm/vm_page_retire.h"

/* An error may name a large piece; what is beyond that is said, and stays in use. */
enum { RETIRE_PAGES_MAX = VM_PAGE_RETIRE_MAX };

/* The incidents thread's own. */
static uint64_t told_nmis[MAXCPU], told_vectors[ARCH_VECTORS], told_lost;

/* Written by that thread only. */
static struct atomic64 corrected, uncorrected;

/* Each CPU's own. */
static struct {
	uint64_t next_ns;
} QUIRE_ALIGNED(CACHE_LINE) looks[MAXCPU];

static const int channel; /* its address is what the thread sleeps on */

/* --- In words --- */

static void tell_nmis(unsigned cpu)
{
	char place[SYMBOL_TEXT_SIZE];
	struct arch_nmi_stats stats;

	arch_nmi_stats(cpu, &stats);
	if (stats.unasked == told_nmis[cpu])
		return;
	told_nmis[cpu] = stats.unasked;
	kprintf("nmi: CPU %u was interrupted at %s: %s (%lu so far)\n", cpu,
		symbol_text(stats.pc, place, sizeof(place)), stats.cause,
		(unsigned long)stats.unasked);
}

static void tell_vector(unsigned vector)
{
	uint64_t count = arch_unexpected_count(vector);

	/* The first of each; the command interrupts has the number. */
	if (count != 0 && told_vectors[vector] == 0)
		kprintf("interrupt: nobody handles vector %u (%s)\n", vector,
			arch_unexpected_kind(vector));
	told_vectors[vector] = count;
}

static void retire(const struct arch_machine_check *check)
{
	vm_paddr_t page = trunc_page(check->start), end = check->start + check->size_bytes;

	for (unsigned i = 0; page < end; page += PAGE_SIZE, i++) {
		if (i == RETIRE_PAGES_MAX) {
			kprintf("machine check: the error covers %lu KiB; the rest stays in use\n",
				(unsigned long)(check->size_bytes >> 10));
			return;
		}
		kprintf("machine check: page %#lx: %s\n", (unsigned long)page,
			vm_page_retirement_text(vm_page_retire(page)));
	}
}

static void tell_machine_check(const struct arch_machine_check *check)
{
	kprintf("machine check: CPU %u, bank %u: %s error%s: %s, status %#lx, address %#lx, misc "
		"%#lx\n",
		check->cpu, check->bank, check->corrected ? "corrected" : "uncorrected",
		check->before_boot ? " from before the boot" : "", check->what,
		(unsigned long)check->status, (unsigned long)check->address,
		(unsigned long)check->misc);
	atomic64_add(check->corrected ? &corrected : &uncorrected, 1, MO_RELAXED);
	if (check->size_bytes != 0)
		retire(check);
}

static void tell_all(void)
{
	struct arch_machine_check check;
	uint64_t lost;

	while (arch_machine_check_take(&check))
		tell_machine_check(&check);
	lost = arch_machine_check_lost();
	if (lost != told_lost)
		kprintf("machine check: %lu more came too fast to be told\n",
			(unsigned long)(lost - told_lost));
	told_lost = lost;
	for (unsigned cpu = 0; cpu < smp_cpu_count(); cpu++)
		tell_nmis(cpu);
	for (unsigned vector = 0; vector < ARCH_VECTORS; vector++)
		tell_vector(vector);
}

void incidents_counts(struct incidents_counts *counts)
{
	counts->corrected = atomic64_load(&corrected, MO_RELAXED);
	counts->uncorrected = atomic64_load(&uncorrected, MO_RELAXED);
}

/* --- The thread --- */

static void incidents_thread(void *arg)
{
	(void)arg;
	for (;;) {
		uint64_t timeout;

		arch_incident_forget();
		tell_all();
		timeout = vm_page_retire_again() != 0 ? NS_PER_SECOND : SLEEP_FOREVER;
		sleepq_prepare(&channel, "incidents");
		if (arch_incident_noted())
			sleepq_cancel();
		else
			(void)sleepq_commit(timeout);
	}
}

void incidents_init(void)
{
	watchdog_init();
	if (kthread_create("incidents", incidents_thread, NULL, 0, THREAD_PRIO_HIGH) == NULL)
		panic("no memory for the thread that reports incidents");
}

/*
 * A look around at the first tick of each second: both are needed, since an emulator may swallow
 * ticks, and since a machine that was suspended sees its clock jump.
 */
void incidents_tick(void)
{
	uint64_t now = arch_clock_ns();

	sched_tick();
	if (now < looks[arch_cpu_id()].next_ns)
		return;
	looks[arch_cpu_id()].next_ns = now + NS_PER_SECOND;
	arch_machine_check_poll();
	watchdog_look();
	if (arch_incident_noted())
		wakeup(&channel);
}
