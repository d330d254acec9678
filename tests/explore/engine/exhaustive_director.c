/* SPDX-License-Identifier: BSD-2-Clause */
/* Exhaustive search as the machine's director: the answers that there are, and acting on one. */
#include "arch/cpu.h"
#include "lib/check.h"
#include "tests/explore/engine/exhaustive_private.h"

enum { OPTIONS_MAX = 64, SECOND_CHANCES = 3 };

enum action { ACTION_GO_ON, ACTION_SWITCH, ACTION_DRAIN, ACTION_READ_AHEAD, ACTION_NMI };

struct option {
	enum action action;
	unsigned cpu;
	vm_offset_t va;
};

/* --- What can happen next --- */

static bool can_run(unsigned cpu, uint32_t runnable, uint64_t memory)
{
	const struct past *past = &exhaustive_now.pasts[cpu];

	if (!(runnable >> cpu & 1))
		return false;
	return !past->blocked || past->turn_memory != memory || host_irq_deliverable(cpu);
}

static unsigned add_read_ahead(struct option *options, unsigned n)
{
	vm_offset_t va;

	for (unsigned i = 0; memory_leaf_va(i, &va); i++) {
		if (host_walk_tables(va, NULL) == 0)
			continue;
		for (unsigned cpu = 0; cpu < exhaustive_now.cpus && n < OPTIONS_MAX; cpu++)
			if (!host_tlb_find(cpu, va, NULL))
				options[n++] = (struct option){ACTION_READ_AHEAD, cpu, va};
	}
	return n;
}

static unsigned add_machine(struct option *options, unsigned n)
{
	for (unsigned i = 0; i < exhaustive_now.cpus; i++) {
		if (host_stores_waiting(i) != 0)
			options[n++] = (struct option){ACTION_DRAIN, i, 0};
		if ((exhaustive_now.limits.extras & STRATEGY_NMI) && !exhaustive_now.nmi_used)
			options[n++] = (struct option){ACTION_NMI, i, 0};
	}
	if (exhaustive_now.limits.extras & STRATEGY_SPECULATE)
		n = add_read_ahead(options, n);
	return n;
}

/* The other CPUs, beginning with the next. */
static unsigned add_switches(struct option *options, unsigned n, unsigned self)
{
	uint32_t runnable = host_runnable();
	uint64_t memory = memory_hash(false);

	for (unsigned i = 1; i < exhaustive_now.cpus; i++) {
		unsigned cpu = (self + i) % exhaustive_now.cpus;

		if (can_run(cpu, runnable, memory))
			options[n++] = (struct option){ACTION_SWITCH, cpu, 0};
	}
	return n;
}

static void act(unsigned self, const struct option *option)
{
	switch (option->action) {
	case ACTION_GO_ON:
		break;
	case ACTION_SWITCH:
		exhaustive_now.chosen = true;
		if (trace_on())
			trace_event(self, "---- switch to cpu %u", option->cpu);
		host_switch_to(option->cpu);
		break;
	case ACTION_DRAIN:
		if (trace_on())
			trace_store_visible(option->cpu);
		host_stores_drain(option->cpu);
		break;
	case ACTION_READ_AHEAD:
		if (trace_on())
			trace_event(option->cpu, "reads ahead: TLB filled for %#lx",
				    (unsigned long)option->va);
		host_speculate(option->cpu, option->va);
		break;
	case ACTION_NMI:
		exhaustive_now.nmi_used = true;
		schedule_nmi(option->cpu);
		break;
	}
}

/* Until the CPU goes on, or has been away. */
static void decide_next(unsigned cpu)
{
	struct option options[OPTIONS_MAX];

	for (;;) {
		unsigned n = 1, taken;

		options[0].action = ACTION_GO_ON;
		n = add_switches(options, n, cpu);
		n = add_machine(options, n);
		taken = exhaustive_decide(n, 0);
		act(cpu, &options[taken]);
		if (options[taken].action <= ACTION_SWITCH)
			return;
	}
}

static void on_hook(unsigned cpu, enum arch_hook_kind kind, const volatile void *where)
{
	struct past *past = &exhaustive_now.pasts[cpu];

	if (trace_on())
		trace_hook(cpu, kind, where);
	if (!exhaustive_now.chosen)
		decide_next(cpu);
	exhaustive_now.chosen = false;
	if ((exhaustive_now.limits.extras & STRATEGY_DELAY) && host_irq_imminent() &&
	    exhaustive_decide(2, 100 + cpu) == 1)
		host_irq_hold(1);
	past->blocked = false;
	exhaustive_remember(cpu, kind + 1);
	if (schedule_has_plain)
		exhaustive_remember(cpu, memory_hash(true));
}

/* --- Waiting --- */

/* The end of one turn of a wait loop. */
static void turn_end(struct past *past)
{
	uint64_t memory = memory_hash(false);

	if (past->in_loop && past->turn == past->last_turn) {
		past->history = past->last_history;
		past->blocked = past->turn_memory == memory;
	}
	past->in_loop = true;
	past->last_turn = past->turn;
	past->last_history = past->history;
	past->turn = 0;
	past->turn_memory = memory;
}

static void chances_give(void)
{
	uint64_t memory = memory_hash(false);

	if (memory != exhaustive_now.chance_memory)
		exhaustive_now.chances = 0;
	exhaustive_now.chance_memory = memory;
	if (++exhaustive_now.chances > SECOND_CHANCES)
		panic("deadlock: every CPU waits for another");
	for (unsigned i = 0; i < exhaustive_now.cpus; i++)
		exhaustive_now.pasts[i].blocked = false;
}

static bool wait_once(unsigned cpu, bool idle)
{
	struct option options[OPTIONS_MAX];
	unsigned n = add_switches(options, 0, cpu);

	n = add_machine(options, n);
	if (n == 0 && idle && (host_runnable() & ~(UINT32_C(1) << cpu)) == 0)
		return false;
	if (n == 0) {
		chances_give();
		return true;
	}
	act(cpu, &options[exhaustive_decide(n, 0)]);
	return true;
}

static bool on_yield(unsigned cpu)
{
	struct past *past = &exhaustive_now.pasts[cpu];
	bool idle = !(host_runnable() >> cpu & 1);

	if (trace_on() && !idle)
		trace_event(cpu, "waits");
	if (idle)
		return wait_once(cpu, true);
	turn_end(past);
	while (past->blocked && past->turn_memory == memory_hash(false) &&
	       !host_irq_deliverable(cpu))
		wait_once(cpu, false);
	past->blocked = false;
	return true;
}

static void on_seen(unsigned cpu, uint64_t value)
{
	exhaustive_remember(cpu, value);
	if (trace_on())
		trace_value(cpu, value);
}

static void on_interrupt(unsigned cpu, unsigned ipi)
{
	exhaustive_remember(cpu, 10000 + ipi);
	if (trace_on())
		trace_event(cpu, "takes an interrupt (%u)", ipi);
}

void exhaustive_direct(void)
{
	static struct host_director director = {on_hook, on_yield, on_seen, NULL, on_interrupt};

	director.stored = trace_on() ? trace_stored : NULL;
	host_direct(&director);
	host_set_watch_values(true);
}
