/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decisions by chance.
 *
 * Without a depth, each hook switches to any other CPU with a probability that is drawn for the
 * schedule: bugs differ in how many switches they need, and how close together.
 *
 * With a depth d this is PCT: Burckhardt, Kothari, Musuvathi, Nagarakatte, "A randomized scheduler
 * with probabilistic guarantees of finding bugs", ASPLOS 2010. CPUs have priorities in a random
 * order and the highest that can run does; at d - 1 random steps the running CPU's falls below
 * all others. A bug that needs d ordered steps is found with probability 1/(n k^(d-1)) at least,
 * for n CPUs and k steps. A CPU that waits for another falls as well, or it would wait for ever.
 *
 * The extras are drawn at each hook, before the switch, with probabilities of the schedule too.
 */
#include <string.h>

#include "lib/check.h"
#include "tests/explore/engine/engine.h"

enum { DEPTH_MAX = 5, HOLD_MAX = 16 };

static const struct strategy strategies[] = {
    {"random", "switches by chance", 0, 0},
    {"pct2", "priorities, one change", 2, 0},
    {"pct3", "priorities, two changes", 3, 0},
    {"pct5", "priorities, four changes", 5, 0},
    {"tso", "random, with store buffers", 0, STRATEGY_TSO},
    {"pcttso", "priorities, two changes, with store buffers", 3, STRATEGY_TSO},
    {"spec", "random, with TLB fills that nobody asked for", 0, STRATEGY_SPECULATE},
    {"delay", "random, with interrupts that arrive late", 0, STRATEGY_DELAY},
    {"nmi", "random, with non-maskable interrupts", 0, STRATEGY_NMI},
    {"all", "priorities, two changes, and everything at once", 3,
     STRATEGY_TSO | STRATEGY_SPECULATE | STRATEGY_DELAY | STRATEGY_NMI},
};

__attribute__((weak)) void __tsan_acquire(void *where);

/* The decisions of the schedule that runs. */
static struct {
	uint64_t random;
	uint64_t switch_mask; /* switch when these bits of a draw are 0 */
	uint64_t drain_mask, speculate_mask, nmi_mask, delay_mask;
	unsigned extras;
	unsigned cpus;

	unsigned depth;
	uint64_t step;
	uint64_t changes[DEPTH_MAX]; /* steps, ascending; then UINT64_MAX */
	unsigned next_change;
	int64_t priority[EXPLORE_CPUS_MAX];
	int64_t lowest;
} now;

unsigned strategy_count(void)
{
	return nitems(strategies);
}

const struct strategy *strategy_at(unsigned i)
{
	CHECK_LT(i, nitems(strategies));
	return &strategies[i];
}

const struct strategy *strategy_find(const char *name)
{
	for (unsigned i = 0; i < nitems(strategies); i++)
		if (strcmp(strategies[i].name, name) == 0)
			return &strategies[i];
	return NULL;
}

unsigned strategy_possible_extras(const struct explore_scenario *scenario)
{
	unsigned extras = STRATEGY_DELAY;

	/* The thread sanitizer sees no atomic access that goes through a store buffer. */
	if (!(scenario->flags & EXPLORE_NO_TSO) && __tsan_acquire == NULL)
		extras |= STRATEGY_TSO;
	if (!(scenario->flags & EXPLORE_NO_SPECULATION))
		extras |= STRATEGY_SPECULATE;
	if (scenario->nmi != NULL)
		extras |= STRATEGY_NMI;
	return extras;
}

unsigned strategy_extras(const struct strategy *strategy, const struct explore_scenario *scenario)
{
	return strategy->extras & strategy_possible_extras(scenario);
}

bool strategy_applies(const struct strategy *strategy, const struct explore_scenario *scenario)
{
	return strategy->extras == 0 || strategy_extras(strategy, scenario) != 0;
}

const struct strategy *strategy_of_seed(const struct explore_scenario *scenario, uint64_t seed)
{
	unsigned count = 0, wanted;

	for (unsigned i = 0; i < nitems(strategies); i++)
		count += strategy_applies(&strategies[i], scenario);
	wanted = (unsigned)(seed % count);
	for (unsigned i = 0;; i++)
		if (strategy_applies(&strategies[i], scenario) && wanted-- == 0)
			return &strategies[i];
}

/* SplitMix64, as the host machine's own chance. */
static uint64_t draw(void)
{
	uint64_t z = now.random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static uint64_t draw_below(uint64_t limit)
{
	return ((draw() >> 32) * limit) >> 32;
}

/* Bits low to high of a probability 1/2 to 1/2^most. */
static uint64_t draw_mask(unsigned least, unsigned most)
{
	return (UINT64_C(1) << (least + draw_below(most - least + 1))) - 1;
}

static unsigned cpu_from(uint32_t mask)
{
	unsigned skip = (unsigned)draw_below((unsigned)__builtin_popcount(mask));

	while (skip-- > 0)
		mask &= mask - 1;
	return (unsigned)__builtin_ctz(mask);
}

static void go_to(unsigned cpu, unsigned next)
{
	if (trace_on())
		trace_event(cpu, "---- switch to cpu %u", next);
	host_switch_to(next);
}

/* --- Extras --- */

static bool drain_somewhere(void)
{
	uint32_t waiting = 0;
	unsigned cpu;

	for (unsigned i = 0; i < now.cpus; i++)
		waiting |= (uint32_t)(host_stores_waiting(i) != 0) << i;
	if (waiting == 0)
		return false;
	cpu = cpu_from(waiting);
	if (trace_on())
		trace_store_visible(cpu);
	return host_stores_drain(cpu);
}

static void speculate(void)
{
	unsigned cpu = (unsigned)draw_below(now.cpus);
	uint64_t before = trace_on() ? host_tlb_hash(cpu) : 0;
	vm_offset_t va = host_speculate_near(cpu, draw());

	if (trace_on() && host_tlb_hash(cpu) != before)
		trace_event(cpu, "reads ahead: TLB filled for %#lx", (unsigned long)va);
}

/* One draw decides for all: each takes its own bits of it. */
static void do_extras(void)
{
	uint64_t chance = draw();

	if ((now.extras & STRATEGY_TSO) && (chance & now.drain_mask) == 0)
		drain_somewhere();
	if ((now.extras & STRATEGY_SPECULATE) && (chance >> 16 & now.speculate_mask) == 0)
		speculate();
	if ((now.extras & STRATEGY_NMI) && (chance >> 32 & now.nmi_mask) == 0)
		schedule_nmi((unsigned)draw_below(now.cpus));
}

/* After the switch, for the interrupt may have been sent meanwhile. */
static void delay(unsigned cpu)
{
	if (!host_irq_imminent() || (draw() & now.delay_mask) != 0)
		return;
	host_irq_hold(1 + (unsigned)draw_below(HOLD_MAX));
	if (trace_on())
		trace_event(cpu, "the interrupt that waits arrives later");
}

/* --- PCT --- */

static unsigned highest(uint32_t mask)
{
	unsigned best = (unsigned)__builtin_ctz(mask);

	for (mask &= mask - 1; mask != 0; mask &= mask - 1) {
		unsigned cpu = (unsigned)__builtin_ctz(mask);

		if (now.priority[cpu] > now.priority[best])
			best = cpu;
	}
	return best;
}

static void pct_hook(unsigned cpu)
{
	unsigned best;

	if (++now.step == now.changes[now.next_change]) {
		now.priority[cpu] = (int64_t)(now.depth - 1 - now.next_change);
		now.next_change++;
	}
	best = highest(host_runnable());
	if (best != cpu)
		go_to(cpu, best);
}

static void changes_sort(unsigned count)
{
	for (unsigned i = 1; i < count; i++) {
		for (unsigned j = i; j > 0 && now.changes[j - 1] > now.changes[j]; j--) {
			uint64_t earlier = now.changes[j];

			now.changes[j] = now.changes[j - 1];
			now.changes[j - 1] = earlier;
		}
	}
}

static void pct_begin(uint64_t length)
{
	unsigned changes = now.depth - 1;

	for (unsigned i = 0; i < now.cpus; i++) {
		unsigned other = (unsigned)draw_below(i + 1);

		now.priority[i] = now.priority[other];
		now.priority[other] = now.depth + i;
	}
	for (unsigned i = 0; i < changes; i++)
		now.changes[i] = 1 + draw_below(length);
	changes_sort(changes);
	/* Two changes at one step are two changes: the second comes a step later. */
	for (unsigned i = 1; i < changes; i++)
		if (now.changes[i] <= now.changes[i - 1])
			now.changes[i] = now.changes[i - 1] + 1;
	now.changes[changes] = UINT64_MAX;
	now.next_change = 0;
	now.step = 0;
	now.lowest = 0;
}

/* --- The director --- */

static void on_hook(unsigned cpu, enum arch_hook_kind kind, const volatile void *where)
{
	uint32_t others;

	if (trace_on())
		trace_hook(cpu, kind, where);
	if (now.extras != 0)
		do_extras();
	if (now.depth != 0) {
		pct_hook(cpu);
	} else if ((draw() & now.switch_mask) == 0) {
		others = host_runnable() & ~(UINT32_C(1) << cpu);
		if (others != 0)
			go_to(cpu, cpu_from(others));
	}
	if (now.extras & STRATEGY_DELAY)
		delay(cpu);
}

static bool on_yield(unsigned cpu)
{
	uint32_t runnable = host_runnable(), others = runnable & ~(UINT32_C(1) << cpu);

	if (trace_on() && (runnable >> cpu & 1))
		trace_event(cpu, "waits");
	if (now.depth != 0 && (runnable >> cpu & 1))
		now.priority[cpu] = --now.lowest;
	/* Whoever waits may wait for a store; those become visible in the end. */
	if ((now.extras & STRATEGY_TSO) && (others == 0 || (draw() & 1)) && drain_somewhere())
		return true;
	if (others == 0)
		return false;
	go_to(cpu, now.depth != 0 ? highest(others) : cpu_from(others));
	return true;
}

static void on_interrupt(unsigned cpu, unsigned ipi)
{
	static const char *const names[] = {"shootdown", "call", "reschedule", "timer"};

	if (trace_on())
		trace_event(cpu, "takes the %s interrupt", names[ipi]);
}

unsigned strategy_choose(unsigned n)
{
	return (unsigned)draw_below(n);
}

void strategy_begin(const struct strategy *strategy, const struct explore_scenario *scenario,
		    uint64_t seed, uint64_t length)
{
	static struct host_director director = {on_hook, on_yield, NULL, NULL, on_interrupt};

	now.random = seed * UINT64_C(0xd1342543de82ef95) + (uint64_t)(strategy - strategies);
	now.cpus = scenario->cpus;
	now.extras = strategy_extras(strategy, scenario);
	now.depth = strategy->depth;
	now.switch_mask = draw_mask(1, 6);
	now.drain_mask = draw_mask(1, 5);
	now.speculate_mask = draw_mask(1, 4);
	now.nmi_mask = draw_mask(2, 6);
	now.delay_mask = draw_mask(1, 2);
	if (now.depth != 0)
		pct_begin(length);
	director.seen = trace_on() ? trace_value : NULL;
	director.stored = trace_on() ? trace_stored : NULL;
	host_direct(&director);
	schedule_set_chooser(strategy_choose);
}
