/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A set of CPUs by logical number. Plain data: whoever shares one brings the lock, or keeps the
 * set in smp/, which has the atomic one.
 */
#ifndef QUIRE_LIB_CPUSET_H
#define QUIRE_LIB_CPUSET_H

#include "lib/bits.h"
#include "lib/types.h"

enum { CPUSET_WORDS = MAXCPU / 64 };

struct cpuset {
	uint64_t words[CPUSET_WORDS];
};

static inline void cpuset_zero(struct cpuset *set)
{
	for (unsigned i = 0; i < CPUSET_WORDS; i++)
		set->words[i] = 0;
}

static inline void cpuset_add(struct cpuset *set, unsigned cpu)
{
	set->words[cpu / 64] |= (uint64_t)1 << (cpu % 64);
}

static inline void cpuset_del(struct cpuset *set, unsigned cpu)
{
	set->words[cpu / 64] &= ~((uint64_t)1 << (cpu % 64));
}

static inline bool cpuset_has(const struct cpuset *set, unsigned cpu)
{
	return (set->words[cpu / 64] >> (cpu % 64)) & 1;
}

static inline unsigned cpuset_count(const struct cpuset *set)
{
	unsigned n = 0;

	for (unsigned i = 0; i < CPUSET_WORDS; i++)
		n += bit_count(set->words[i]);
	return n;
}

static inline bool cpuset_empty(const struct cpuset *set)
{
	for (unsigned i = 0; i < CPUSET_WORDS; i++)
		if (set->words[i] != 0)
			return false;
	return true;
}

/* The first member at or above `from`, or MAXCPU when there is none. */
static inline unsigned cpuset_next(const struct cpuset *set, unsigned from)
{
	for (unsigned cpu = from; cpu < MAXCPU;) {
		uint64_t rest = set->words[cpu / 64] >> (cpu % 64);

		if (rest != 0)
			return cpu + (unsigned)__builtin_ctzll(rest);
		cpu = (cpu / 64 + 1) * 64;
	}
	return MAXCPU;
}

#define CPUSET_FOREACH(cpu, set)                                                                   \
	for (unsigned cpu = cpuset_next((set), 0); cpu < MAXCPU; cpu = cpuset_next((set), cpu + 1))

#endif
