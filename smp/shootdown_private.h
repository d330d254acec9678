/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of shootdown share: each CPU's line. The theory is in shootdown.c. */
#ifndef QUIRE_SMP_SHOOTDOWN_PRIVATE_H
#define QUIRE_SMP_SHOOTDOWN_PRIVATE_H

#include "arch/atomic.h"
#include "lib/cpuset.h"
#include "smp/shootdown.h"

#ifdef __cplusplus
extern "C" {
#endif

enum counter {
	COUNT_REQUESTS,
	COUNT_PAGES = COUNT_REQUESTS + SHOOTDOWN_REASONS,
	COUNT_FULL_FLUSHES,
	COUNT_TARGETS,
	COUNT_LOCAL_ONLY,
	COUNT_SERVED,
	COUNT_RESENDS,
	COUNT_LEFT_OUT,
	COUNT_MAX_WAIT_NS,
	COUNT_WAITS,
	COUNTERS = COUNT_WAITS + SHOOTDOWN_WAIT_BUCKETS,
};

/*
 * (a) atomic
 * (i) written by this CPU while pending is empty, read by the CPUs in pending
 * (s) written by this CPU only, read by all
 */
struct shootdown_line {
	struct atomic64 pending[CPUSET_WORDS]; /* (a) targets that have not acknowledged */
	vm_offset_t start, end;                /* (i) both 0: catch up, see tlb.c */
	enum shootdown_reason reason;          /* (i) for messages */
	enum shootdown_fault fault; /* (s) of the next interrupt; for tests, read by its CPU only */
	bool impatient;             /* (s) it was lost; the same */
	struct atomic32 active;     /* (a) this CPU is an initiator now */

	struct atomic64 inbox[CPUSET_WORDS] QUIRE_ALIGNED(CACHE_LINE); /* (a) who waits for us */

	struct atomic64 counters[COUNTERS] QUIRE_ALIGNED(CACHE_LINE); /* (s) */
} QUIRE_ALIGNED(CACHE_LINE);

extern struct shootdown_line *shootdown_lines; /* constant after init */
extern unsigned shootdown_line_count;          /* the same */
extern unsigned shootdown_word_count;          /* the same: of pending and inbox, in use */
extern bool shootdown_sabotaged;               /* the same, false but for the demonstration */

/* Words of pending and inbox that can have a bit set. */
static inline unsigned shootdown_words(void)
{
	return shootdown_word_count;
}

static inline uint64_t shootdown_bit(unsigned cpu)
{
	return (uint64_t)1 << (cpu % 64);
}

static inline uint64_t shootdown_pages(const struct shootdown_line *line)
{
	return atop(line->end - line->start);
}

/* Sends the interrupt as own->fault says, once. */
void shootdown_send_faulty(struct shootdown_line *own, const struct cpuset *targets);

/* These CPUs flush if a generation began that they have not seen; context as shootdown_range. */
void shootdown_catch_up(const struct cpuset *laggards, enum shootdown_reason reason);

/* Says which CPUs have not answered this one's request, and how far each has come. */
void shootdown_name_silent(const struct cpuset *silent, uint64_t waited_ns);

/* The end of patience: panics with the state of this CPU and of those that are silent. */
QUIRE_NORETURN void shootdown_give_up(const struct cpuset *silent);

#ifdef __cplusplus
}
#endif

#endif
