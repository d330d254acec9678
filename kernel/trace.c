/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trace. Each CPU writes into its own ring, interrupts off, so nobody waits; a person reads the
 * rings of all CPUs merged by time. Clocks of CPUs differ by less than a tick, so events of two
 * CPUs that are close together may stand in the wrong order.
 */
#include "kernel/trace.h"

#include "arch/clock.h"
#include "kernel/command.h"
#include "kernel/console.h"
#include "kernel/registry/eventhandler.h"
#include "kernel/trace_ring.h"
#include "lib/format.h"
#include "lib/string.h"
#include "smp/percpu.h"
#include "smp/smp.h"
#include "vm/vm_kern.h"
#include "vm/vm_page.h"
#include "vm/vm_pageout.h"

enum { SHOWN_DEFAULT = 200 };

/* How the two numbers of an event are shown. */
enum word { WORD_NONE, WORD_NUMBER, WORD_ADDRESS, WORD_STRING, WORD_NAME };

static const struct {
	const char *name;
	enum word a, b;
} trace_events[TRACE_EVENTS] = {
    [TRACE_NONE] = {"none", WORD_NONE, WORD_NONE},
    [TRACE_COMMAND] = {"command", WORD_STRING, WORD_NUMBER},
    [TRACE_COMMAND_END] = {"command done", WORD_STRING, WORD_NUMBER},
    [TRACE_THREAD] = {"thread made", WORD_NAME, WORD_NUMBER},
    [TRACE_THREAD_END] = {"thread gone", WORD_NAME, WORD_NUMBER},
    [TRACE_FAULT] = {"page fault", WORD_ADDRESS, WORD_NUMBER},
    [TRACE_LOWMEM] = {"low memory", WORD_NUMBER, WORD_NONE},
    [TRACE_SCENARIO] = {"stress", WORD_STRING, WORD_NUMBER},
    [TRACE_ERROR] = {"stress error", WORD_NUMBER, WORD_NONE},
    [TRACE_SHOOTDOWN] = {"shootdown", WORD_ADDRESS, WORD_ADDRESS},
    [TRACE_DRAIN] = {"drain", WORD_NUMBER, WORD_NONE},
    [TRACE_PAGE_WAIT] = {"page wait", WORD_NUMBER, WORD_NONE},
};

/* By CPU number; NULL for one that is not online. Written once, before recording begins. */
static struct trace_ring *rings[MAXCPU];
static uint64_t forgotten[MAXCPU]; /* events that clear has hidden; the shell's thread */

uint64_t trace_name(const char *name)
{
	uint64_t packed = 0;

	for (unsigned i = 0; i < sizeof(packed) && name[i] != '\0'; i++)
		packed |= (uint64_t)(uint8_t)name[i] << 8 * i;
	return packed;
}

/* --- Recording --- */

static void record(enum trace_event event, uint64_t a, uint64_t b)
{
	struct trace_entry entry = {arch_clock_ns(), event, a, b};
	bool enabled = arch_irq_save();
	struct trace_ring *ring = rings[arch_cpu_id()];

	if (ring != NULL)
		trace_ring_add(ring, &entry);
	arch_irq_restore(enabled);
}

static void on_lowmem(void *arg)
{
	(void)arg;
	trace(TRACE_LOWMEM, vm_page_free_count(), 0);
}

static bool rings_make(void)
{
	static bool listening;

	for (unsigned cpu = 0; cpu < smp_cpu_count(); cpu++) {
		if (!smp_cpu_online(cpu) || rings[cpu] != NULL)
			continue;
		rings[cpu] =
		    (struct trace_ring *)kmem_alloc(kernel_map, round_page(sizeof(*rings[cpu])));
		if (rings[cpu] == NULL)
			return false;
	}
	if (!listening &&
	    EVENTHANDLER_REGISTER(vm_lowmem, on_lowmem, NULL, EVENTHANDLER_PRI_FIRST) != NULL)
		listening = true;
	return true;
}

bool trace_start(void)
{
	if (!rings_make())
		return false;
	trace_record = record;
	return true;
}

void trace_stop(void)
{
	trace_record = NULL;
}

/* --- Showing --- */

static void format_word(char *text, size_t size, enum word word, uint64_t value)
{
	char name[sizeof(value) + 1] = "";

	switch (word) {
	case WORD_NONE:
		text[0] = '\0';
		break;
	case WORD_NUMBER:
		format(text, size, "%lu", (unsigned long)value);
		break;
	case WORD_ADDRESS:
		format(text, size, "%#lx", (unsigned long)value);
		break;
	case WORD_STRING:
		str_copy(text, size, (const char *)(uintptr_t)value);
		break;
	case WORD_NAME:
		memcpy(name, &value, sizeof(value));
		str_copy(text, size, name);
		break;
	}
}

static void show_entry(unsigned cpu, const struct trace_entry *entry)
{
	uint64_t us = entry->ns / 1000;
	unsigned event = entry->event < TRACE_EVENTS ? (unsigned)entry->event : TRACE_NONE;
	char a[32], b[32];

	format_word(a, sizeof(a), trace_events[event].a, entry->a);
	format_word(b, sizeof(b), trace_events[event].b, entry->b);
	console_printf("%6lu.%06lu  cpu %3u  %-13s %-20s %s\n", (unsigned long)(us / 1000000),
		       (unsigned long)(us % 1000000), cpu, trace_events[event].name, a, b);
}

/* Where a reader stands in each ring; the shell is one thread. */
static uint64_t next[MAXCPU], ends[MAXCPU];

static uint64_t read_begin(void)
{
	uint64_t all = 0;

	for (unsigned cpu = 0; cpu < smp_cpu_count(); cpu++) {
		uint64_t first;

		next[cpu] = ends[cpu] = 0;
		if (rings[cpu] == NULL)
			continue;
		first = trace_ring_first(rings[cpu]);
		next[cpu] = first > forgotten[cpu] ? first : forgotten[cpu];
		ends[cpu] = trace_ring_end(rings[cpu]);
		all += ends[cpu] - next[cpu];
	}
	return all;
}

/* The oldest event that was not read yet; false when there is none. */
static bool read_next(unsigned *from, struct trace_entry *oldest)
{
	bool any = false;

	for (unsigned cpu = 0; cpu < smp_cpu_count(); cpu++) {
		struct trace_entry entry;

		/* What was written over meanwhile is gone. */
		while (next[cpu] < ends[cpu] && !trace_ring_read(rings[cpu], next[cpu], &entry))
			next[cpu]++;
		if (next[cpu] < ends[cpu] && (!any || entry.ns < oldest->ns)) {
			*oldest = entry;
			*from = cpu;
			any = true;
		}
	}
	if (any)
		next[*from]++;
	return any;
}

static int show(uint64_t wanted)
{
	uint64_t left = read_begin();
	struct trace_entry entry;
	unsigned cpu;

	for (; read_next(&cpu, &entry); left = left > 0 ? left - 1 : 0)
		if (left <= wanted)
			show_entry(cpu, &entry);
	console_printf("trace: %s\n", trace_record != NULL ? "on" : "off (trace on)");
	return 0;
}

static int clear(void)
{
	for (unsigned cpu = 0; cpu < smp_cpu_count(); cpu++)
		if (rings[cpu] != NULL)
			forgotten[cpu] = trace_ring_end(rings[cpu]);
	return 0;
}

int cmd_trace(int argc, char **argv)
{
	uint64_t wanted = SHOWN_DEFAULT;

	if (argc == 1)
		return show(wanted);
	if (argc != 2)
		return command_usage(argv);
	if (strcmp(argv[1], "off") == 0) {
		trace_stop();
		return 0;
	}
	if (strcmp(argv[1], "clear") == 0)
		return clear();
	if (strcmp(argv[1], "on") == 0) {
		if (trace_start())
			return 0;
		console_printf("quire: trace: no memory for what is recorded\n");
		return 1;
	}
	return command_number(argv, argv[1], &wanted) ? show(wanted) : 1;
}
