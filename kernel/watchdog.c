/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each CPU looks at the tick of the next one, and when that has stopped at the one after it, so
 * that of a row of stopped CPUs each is seen by the first that runs. A single CPU has nobody.
 *
 * After so many seconds without a tick the CPU is asked by an NMI where it is, which reaches it
 * with interrupts off too; a second later its number and place are told, once, and its return as
 * well. Nothing else is done about it: whoever needs an answer of that CPU has patience of his own.
 *
 * A CPU that stops for a short time only (an emulator that does not run it) is no news, so the
 * default is ten seconds.
 */
#include "kernel/watchdog.h"

#include "arch/atomic.h"
#include "arch/incident.h"
#include "kernel/registry/sysctl.h"
#include "kernel/watch.h"
#include "lib/panic.h"
#include "lib/symbol.h"
#include "smp/smp.h"

/* (c) claimed by the CPU that looks  (a) atomic */
static struct {
	struct atomic32 claim; /* (a) two CPUs look at one only while CPUs between them come back */
	struct watch watch;    /* (c) */
} QUIRE_ALIGNED(CACHE_LINE) watches[MAXCPU];

static struct atomic64 stopped;
static struct atomic32 limit_seconds = {10}; /* 0: nobody watches */

static enum sysctl_status seconds_access(struct sysctl_oid *oid, bool write, uint64_t *value,
					 char *text, size_t text_size)
{
	(void)oid;
	(void)text;
	(void)text_size;
	if (write)
		atomic32_store(&limit_seconds, (uint32_t)*value, MO_RELAXED);
	else
		*value = atomic32_load(&limit_seconds, MO_RELAXED);
	return SYSCTL_OK;
}

static SYSCTL_PROC(seconds_node, "watchdog.seconds", SYSCTL_TYPE_UINT, SYSCTL_RW, seconds_access,
		   NULL, "a CPU without a tick for so long is named; 0: none is");

void watchdog_init(void)
{
	(void)sysctl_register(&seconds_node);
}

uint64_t watchdog_count(void)
{
	return atomic64_load(&stopped, MO_RELAXED);
}

static void tell_stopped(unsigned cpu, uint32_t seconds)
{
	char place[SYMBOL_TEXT_SIZE];
	uintptr_t pc;

	atomic64_add(&stopped, 1, MO_RELAXED);
	if (arch_cpu_asked_pc(cpu, &pc))
		kprintf("watchdog: CPU %u has had no tick for %u s; it is at %s\n", cpu, seconds,
			symbol_text(pc, place, sizeof(place)));
	else
		kprintf("watchdog: CPU %u has had no tick for %u s, and does not answer an NMI\n",
			cpu, seconds);
}

/* Is it worth looking at the one behind it, too? */
static bool look_at(unsigned cpu, uint32_t limit)
{
	enum watch_verdict verdict;
	uint32_t unclaimed = 0;

	if (!atomic32_cas(&watches[cpu].claim, &unclaimed, 1, MO_ACQUIRE))
		return false;
	/* Only that CPU writes the count; an old value is a look too early. */
	verdict = watch_look(&watches[cpu].watch,
			     __atomic_load_n(&percpu_of(cpu)->tick_count, __ATOMIC_RELAXED), limit);
	atomic32_store(&watches[cpu].claim, 0, MO_RELEASE);
	if (verdict == WATCH_ASK)
		arch_cpu_ask_pc(cpu);
	if (verdict == WATCH_STOPPED)
		tell_stopped(cpu, limit + 1);
	if (verdict == WATCH_BACK)
		kprintf("watchdog: CPU %u ticks again\n", cpu);
	return verdict == WATCH_STOPPED || verdict == WATCH_SILENT;
}

void watchdog_look(void)
{
	uint32_t limit = atomic32_load(&limit_seconds, MO_RELAXED);
	unsigned self = arch_cpu_id(), count = smp_cpu_count();

	if (limit == 0)
		return;
	for (unsigned i = 1; i < count; i++) {
		unsigned cpu = (self + i) % count;

		if (smp_cpu_online(cpu) && !look_at(cpu, limit))
			return;
	}
}
