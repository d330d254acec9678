/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeping the scheduler away for a moment, and what may be done in which context.
 *
 * A thread is switched out against its will only where preemption is on, no spinlock is held
 * and interrupts are enabled: at the end of an interrupt, or where the last of these comes true
 * again (preempt_enable, spin_unlock). The count belongs to the CPU: it is 0 whenever threads are
 * switched, so a plain increment is safe against interrupts.
 */
#ifndef QUIRE_SMP_PREEMPT_H
#define QUIRE_SMP_PREEMPT_H

#include "arch/atomic.h"
#include "arch/cpu.h"

#ifdef __cplusplus
extern "C" {
#endif

struct spinlock;

/*
 * The scheduler's function that switches threads; set once by it, before other CPUs run. Called
 * with interrupts disabled, and returns so, when the thread runs again.
 */
void preempt_set_handler(void (*resched)(void));

static inline void preempt_disable(void)
{
	arch_percpu()->preempt_count++;
	__atomic_signal_fence(MO_SEQ_CST); /* only the compiler may reorder here */
}

/* Switches threads if that was asked for meanwhile, and nothing else forbids it. */
void preempt_enable(void);

/* The slow half of preempt_check. */
void preempt_resched(void);

/* Switches threads if that was asked for and nothing forbids it. Any context. */
static inline void preempt_check(void)
{
	if (unlikely(arch_percpu()->need_resched != 0))
		preempt_resched();
}

static inline bool in_interrupt(void)
{
	return arch_percpu()->irq_depth != 0;
}

/* True where a thread may sleep: in a thread, interrupts on, no spinlock, preemption on. */
bool sleep_allowed(void);

/* Panics with what forbids it when sleeping is not allowed here; `what` names the caller. */
void sleep_check(const char *what);

/* The same for a caller that gives up `interlock`, which it holds, before it sleeps. */
void sleep_check_holding(const char *what, const struct spinlock *interlock);

#ifdef __cplusplus
}
#endif

#endif
