/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/ready.h"

#include "arch/atomic.h"

static struct atomic64 words[CPUSET_WORDS];

/* Release, with the acquire in ready_has(): who sees the bit sees the CPU's tables. */
void ready_add(unsigned cpu)
{
	atomic64_or(&words[cpu / 64], (uint64_t)1 << (cpu % 64), MO_RELEASE);
}

bool ready_has(unsigned cpu)
{
	return (atomic64_load(&words[cpu / 64], MO_ACQUIRE) >> (cpu % 64)) & 1;
}

bool ready_is_all_others(const struct cpuset *set, unsigned self)
{
	struct cpuset others = *set;

	cpuset_del(&others, self);
	for (unsigned i = 0; i < CPUSET_WORDS; i++) {
		uint64_t ready = atomic64_load(&words[i], MO_ACQUIRE);

		if (i == self / 64)
			ready &= ~((uint64_t)1 << (self % 64));
		if (ready != others.words[i])
			return false;
	}
	return cpuset_count(&others) >= 2;
}
