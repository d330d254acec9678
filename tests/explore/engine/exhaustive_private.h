/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of exhaustive search share: the search that is going on. */
#ifndef QUIRE_TESTS_EXPLORE_ENGINE_EXHAUSTIVE_PRIVATE_H
#define QUIRE_TESTS_EXPLORE_ENGINE_EXHAUSTIVE_PRIVATE_H

#include "tests/explore/engine/engine.h"

enum { DECISIONS_MAX = 2048 };

struct decision {
	uint16_t options, taken;
};

/* One CPU's past, as far as it matters. */
struct past {
	uint64_t history;
	uint64_t turn; /* what this turn of a wait loop found */
	uint64_t last_turn, last_history;
	uint64_t turn_memory; /* watched memory when this turn began */
	bool in_loop, blocked;
};

struct exhaustive_search {
	struct exhaustive_limits limits;
	struct decision decisions[DECISIONS_MAX];
	unsigned prefix; /* decisions that are given */
	unsigned at;     /* decisions made */
	bool tail;       /* not branching any more */
	bool cut;        /* something was left out */
	uint64_t random; /* of the tail */
	struct past pasts[EXPLORE_CPUS_MAX];
	unsigned cpus;
	unsigned chances; /* given since watched memory was chance_memory */
	uint64_t chance_memory;
	bool nmi_used;
	bool chosen; /* a decision has just let the CPU that runs make the next access */
	uint64_t schedules;
};

extern struct exhaustive_search exhaustive_now;

/* The CPU's code has gone on, or has found out something. */
void exhaustive_remember(unsigned cpu, uint64_t value);

/* One of n answers; `phase` names the question, for states in which nothing else differs. */
unsigned exhaustive_decide(unsigned n, uint64_t phase);

/* exhaustive_director.c: what can happen at a hook, and while a CPU waits. */
void exhaustive_direct(void);

#endif
