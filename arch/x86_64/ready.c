/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/ready.h"

#include "arch/atomic.h"

static struct atomic64 words[CPUSET_WORDS];
static struct atomic32 words_used; /* only grows; no bit is set in words behind it */

static void words_reach(uint32_t count)
{
	uint32_t used = atomic32_load(&words_used, MO_RELAXED);

	while (used < count && !atomic32_cas(&words_used, &used, count, MO_RELAXED))
		;
}

/* Release, with the acquires below: who sees the bit sees the CPU's tables, and words_used. */
void ready_add(unsigned cpu)
{
	words_reach(cpu / 64 + 1);
	atomic64_or(&words[cpu / 64], (uint64_t)1 << (cpu % 64), MO_RELEASE);
}

bool ready_has(unsigned cpu)
{
	return (atomic64_load(&words[cpu / 64], MO_ACQUIRE) >> (cpu % 64)) & 1;
}

/* A CPU that becomes ready meanwhile is one that the set cannot name either. */
bool ready_is_all_others(const struct cpuset *set, unsigned self)
{
	unsigned used = atomic32_load(&words_used, MO_RELAXED), others = 0;

	for (unsigned i = 0; i < used; i++) {
		uint64_t mask = i == self / 64 ? ~((uint64_t)1 << (self % 64)) : ~(uint64_t)0;
		uint64_t ready = atomic64_load(&words[i], MO_ACQUIRE) & mask;

		if (ready != (set->words[i] & mask))
			return false;
		others += (ready != 0) + ((ready & (ready - 1)) != 0);
	}
	return others >= 2;
}
