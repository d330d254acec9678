/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All schedules of a small program, depth first. A schedule is the list of its decisions; the next
 * one repeats it up to the last decision that had another answer, and takes that. A state that was
 * met before is not branched from again: the schedule goes on to its end by chance, which cannot
 * bring anything new.
 *
 * A state is all that has a say in the future: watched memory, TLBs, store buffers, interrupts
 * that wait, and for each CPU where it is in its code. For the latter stands a checksum over the
 * accesses that the CPU has made and what they found, its history: code is a function of those.
 *
 * Waiting. A CPU in a wait loop would have a new history each time around. If a turn found what the
 * turn before found, the history is set back to what it was. And if no watched memory changed
 * during a whole turn, the next would be the same: the CPU cannot run until some does, or an
 * interrupt comes. Should nobody be left, memory may have changed back and forth within one turn:
 * everyone gets another turn before it is called a deadlock.
 */
#include <stdlib.h>
#include <string.h>

#include "arch/cpu.h"
#include "lib/check.h"
#include "tests/explore/engine/exhaustive_private.h"

enum { PROGRESS_EVERY = 256 };

struct exhaustive_search exhaustive_now;

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * UINT64_C(0xff51afd7ed558ccd);
	return hash ^ hash >> 33;
}

void exhaustive_remember(unsigned cpu, uint64_t value)
{
	struct past *past = &exhaustive_now.pasts[cpu];

	past->history = mix(past->history, value);
	past->turn = mix(past->turn, value);
}

/* --- State --- */

static uint64_t state_key(uint64_t phase)
{
	uint64_t key = mix(memory_hash(false), phase);

	for (unsigned i = 0; i < exhaustive_now.cpus; i++) {
		key = mix(key, exhaustive_now.pasts[i].history);
		key = mix(key, host_tlb_hash(i));
		key = mix(key, host_stores_hash(i));
		key = mix(key, host_irq_waiting(i));
	}
	return mix(key, exhaustive_now.nmi_used);
}

/* --- Decisions --- */

static unsigned tail_choice(unsigned n)
{
	exhaustive_now.random =
	    exhaustive_now.random * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (unsigned)((exhaustive_now.random >> 33) % n);
}

static void tail_begin(void)
{
	exhaustive_now.tail = true;
	exhaustive_now.random = 1;
}

static bool is_new(uint64_t key)
{
	if (!exhaustive_now.limits.hashing)
		return true;
	if (visited_count() >= exhaustive_now.limits.states) {
		exhaustive_now.cut = true;
		return false;
	}
	return visited_add(key);
}

unsigned exhaustive_decide(unsigned n, uint64_t phase)
{
	struct decision *decision = &exhaustive_now.decisions[exhaustive_now.at];

	if (n == 1)
		return 0;
	if (!exhaustive_now.tail && exhaustive_now.at < exhaustive_now.prefix) {
		CHECK(decision->options == n || decision->options == 0);
		decision->options = (uint16_t)n;
		CHECK_LT(decision->taken, n);
		exhaustive_now.at++;
		return decision->taken;
	}
	if (!exhaustive_now.tail && exhaustive_now.at == DECISIONS_MAX)
		exhaustive_now.cut = true;
	if (!exhaustive_now.tail &&
	    (exhaustive_now.at == DECISIONS_MAX || !is_new(state_key(phase))))
		tail_begin();
	if (exhaustive_now.tail)
		return tail_choice(n);
	decision->options = (uint16_t)n;
	decision->taken = 0;
	exhaustive_now.at++;
	return 0;
}

static unsigned choose(unsigned n)
{
	unsigned taken = exhaustive_decide(n, 1000 + arch_cpu_id());

	exhaustive_remember(arch_cpu_id(), taken);
	return taken;
}

/* --- The search --- */

static void run_one(void)
{
	memset(exhaustive_now.pasts, 0, sizeof(exhaustive_now.pasts));
	exhaustive_now.at = 0;
	exhaustive_now.tail = false;
	exhaustive_now.chances = 0;
	exhaustive_now.nmi_used = exhaustive_now.chosen = false;
	exhaustive_now.cpus = schedule_now.scenario->cpus;
	schedule_now.strategy = NULL;
	schedule_set_chooser(choose);
	exhaustive_direct();
	schedule_run_directed(exhaustive_now.schedules,
			      (exhaustive_now.limits.extras & STRATEGY_TSO) != 0);
	exhaustive_now.schedules++;
}

/* The next schedule's given decisions; false when there is none. */
static bool advance(void)
{
	unsigned last = exhaustive_now.at;

	while (last > 0 && exhaustive_now.decisions[last - 1].taken + 1 ==
			       exhaustive_now.decisions[last - 1].options)
		last--;
	if (last == 0)
		return false;
	exhaustive_now.decisions[last - 1].taken++;
	exhaustive_now.prefix = last;
	return true;
}

static void report(struct exhaustive_result *result, bool complete)
{
	result->states = visited_count();
	result->schedules = exhaustive_now.schedules;
	result->complete = complete && !exhaustive_now.cut;
}

void exhaustive_search(const struct exhaustive_limits *limits, struct exhaustive_result *result,
		       void (*progress)(const struct exhaustive_result *so_far))
{
	bool more = true;

	visited_reset();
	exhaustive_now.limits = *limits;
	exhaustive_now.limits.extras &= strategy_possible_extras(schedule_now.scenario);
	exhaustive_now.prefix = 0;
	exhaustive_now.schedules = 0;
	exhaustive_now.cut = false;
	while (more && exhaustive_now.schedules < limits->schedules &&
	       (!exhaustive_now.cut || visited_count() < limits->states)) {
		run_one();
		more = advance();
		if (progress != NULL && exhaustive_now.schedules % PROGRESS_EVERY == 0) {
			report(result, false);
			progress(result);
		}
	}
	report(result, !more);
}

void exhaustive_path(char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < exhaustive_now.at && used + 8 < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%u", i == 0 ? "" : ".",
					 exhaustive_now.decisions[i].taken);
}

/* Decisions whose number of answers is not known yet have 0 options. */
void exhaustive_replay(const struct exhaustive_limits *limits, const char *path)
{
	visited_reset();
	exhaustive_now.limits = *limits;
	exhaustive_now.limits.extras &= strategy_possible_extras(schedule_now.scenario);
	exhaustive_now.prefix = 0;
	while (*path != '\0' && exhaustive_now.prefix < DECISIONS_MAX) {
		char *end;

		exhaustive_now.decisions[exhaustive_now.prefix].options = 0;
		exhaustive_now.decisions[exhaustive_now.prefix].taken =
		    (uint16_t)strtoul(path, &end, 10);
		if (end == path)
			break;
		exhaustive_now.prefix++;
		path = *end == '.' ? end + 1 : end;
	}
	exhaustive_now.limits.states = 0; /* after the path, the tail */
	exhaustive_now.limits.hashing = true;
	run_one();
}
