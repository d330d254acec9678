/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happened in one schedule, line by line. Recorded while it runs, as numbers; names are looked
 * up when it is printed, so that recording calls nothing that could decide anything.
 */
#include <execinfo.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "arch/physmap.h"
#include "lib/check.h"
#include "tests/explore/engine/engine.h"

enum { EVENTS_MAX = 100000, FRAMES_MAX = 16, TEXT_MAX = 96, LINES_HEAD = 300, LINES_TAIL = 1700 };

struct event {
	unsigned cpu;
	bool is_hook;
	enum arch_hook_kind kind;
	const volatile void *where;
	void *frames[FRAMES_MAX];
	int frame_count;
	bool has_value, is_store;
	uint64_t value; /* that the access found, or stored */
	char text[TEXT_MAX];
};

static struct event *events;
static unsigned event_count;
static uint64_t events_lost;
static bool on;

__attribute__((weak)) void __tsan_acquire(void *where);

void trace_start(void)
{
	/* It would look into the trace's own functions of the C library. */
	if (__tsan_acquire != NULL) {
		printf("(no trace under the thread sanitizer)\n");
		return;
	}
	events = malloc(EVENTS_MAX * sizeof(*events));
	CHECK(events != NULL);
	event_count = 0;
	events_lost = 0;
	on = true;
	host_set_watch_values(true);
}

bool trace_on(void)
{
	return on;
}

static struct event *event_add(unsigned cpu)
{
	static struct event overflow;
	struct event *event = &overflow;

	if (event_count < EVENTS_MAX)
		event = &events[event_count++];
	else
		events_lost++;
	memset(event, 0, sizeof(*event));
	event->cpu = cpu;
	return event;
}

void trace_hook(unsigned cpu, enum arch_hook_kind kind, const volatile void *where)
{
	struct event *event = event_add(cpu);

	event->is_hook = true;
	event->kind = kind;
	event->where = where;
	event->frame_count = backtrace(event->frames, FRAMES_MAX);
}

/* The value belongs to the last access that this CPU announced. */
static void value_add(unsigned cpu, uint64_t value, bool is_store)
{
	for (unsigned i = event_count; i > 0; i--) {
		struct event *event = &events[i - 1];

		if (event->cpu != cpu || !event->is_hook)
			continue;
		event->has_value = true;
		event->is_store = is_store;
		event->value = value;
		return;
	}
}

void trace_value(unsigned cpu, uint64_t value)
{
	value_add(cpu, value, false);
}

void trace_stored(unsigned cpu, uint64_t value)
{
	value_add(cpu, value, true);
}

void trace_event(unsigned cpu, const char *fmt, ...)
{
	struct event *event = event_add(cpu);
	va_list args;

	va_start(args, fmt);
	vsnprintf(event->text, sizeof(event->text), fmt, args);
	va_end(args);
}

static void describe_place(const volatile void *where, char *text, size_t size)
{
	uintptr_t at = (uintptr_t)where, ram = (uintptr_t)host_physmap_base;

	if (where == NULL)
		snprintf(text, size, "-");
	else if (memory_describe(where, text, size) || symbol_describe(at, true, text, size))
		return;
	else if (host_machine_exists() && at >= ram && at - ram < host_ram_end())
		snprintf(text, size, "RAM %#lx", (unsigned long)(at - ram));
	else
		snprintf(text, size, "%p", (const void *)at);
}

void trace_store_visible(unsigned cpu)
{
	const volatile void *where;
	uint64_t value;
	char place[TEXT_MAX - 48];

	if (!host_stores_oldest(cpu, &where, &value))
		return;
	describe_place(where, place, sizeof(place));
	trace_event(cpu, "  store becomes visible: %s = %#lx", place, (unsigned long)value);
}

/* --- Printing --- */

static bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Machinery that every line would show. */
static bool is_machinery(const char *name)
{
	static const char *const prefixes[] = {
	    "host_",         "arch_",      "trace_",    "directed_",   "on_hook",
	    "world_",        "cpu_loop",   "schedule_", "child_main",  "run_one",
	    "interrupt_run", "replay_run", "ap_main",   "decide_next", "on_yield",
	    "ipi_run",       "cpu_main",   "job_run",   "backtrace"};

	for (unsigned i = 0; i < nitems(prefixes); i++)
		if (starts_with(name, prefixes[i]))
			return true;
	return false;
}

static void describe_callers(const struct event *event, char *text, size_t size)
{
	unsigned shown = 0;
	size_t used = 0;

	text[0] = '\0';
	for (int i = 0; i < event->frame_count && shown < 2; i++) {
		/* A return address may already be that of the next function. */
		uintptr_t pc = (uintptr_t)event->frames[i] - 1;
		char name[64];

		if (!symbol_describe(pc, false, name, sizeof(name)) || is_machinery(name))
			continue;
		used +=
		    (size_t)snprintf(text + used, size - used, "%s%s", shown ? " < " : "", name);
		shown++;
	}
}

static void describe_hook(const struct event *event, char *text, size_t size)
{
	if (event->kind != ARCH_HOOK_TLB)
		describe_place(event->where, text, size);
	else if (event->where == NULL)
		snprintf(text, size, "drops all");
	else
		snprintf(text, size, "drops %p", (const void *)(uintptr_t)event->where);
}

static void print_hook(FILE *out, unsigned number, const struct event *event)
{
	static const char *const kinds[] = {"atomic", "lock", "relax", "irq",
					    "ipi",    "pte",  "tlb",   "restart"};
	char place[TEXT_MAX], callers[160], value[32] = "";

	describe_hook(event, place, sizeof(place));
	describe_callers(event, callers, sizeof(callers));
	if (event->has_value)
		snprintf(value, sizeof(value), " %s %#lx", event->is_store ? "stores" : "finds",
			 (unsigned long)event->value);
	fprintf(out, "%6u  cpu %u  %-6s  %s%s  (%s)\n", number, event->cpu,
		event->kind < nitems(kinds) ? kinds[event->kind] : "?", place, value, callers);
}

static void print_event(FILE *out, unsigned number, const struct event *event)
{
	if (event->is_hook)
		print_hook(out, number, event);
	else
		fprintf(out, "%6u  cpu %u  %s\n", number, event->cpu, event->text);
}

void trace_print(FILE *out)
{
	on = false;
	for (unsigned i = 0; i < event_count; i++) {
		if (i == LINES_HEAD && event_count > LINES_HEAD + LINES_TAIL) {
			unsigned gap = event_count - LINES_HEAD - LINES_TAIL;

			fprintf(out, "        ... %u lines left out ...\n", gap);
			i += gap;
		}
		print_event(out, i + 1, &events[i]);
	}
	if (events_lost != 0)
		fprintf(out, "        ... and %lu more that were not recorded\n",
			(unsigned long)events_lost);
}
