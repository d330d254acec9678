/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CPU that runs this code: who it is, its interrupts, waiting, and switching stacks.
 */
#ifndef QUIRE_ARCH_CPU_H
#define QUIRE_ARCH_CPU_H

#include "arch/hook.h"
#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The head of every CPU's own area. Only that CPU touches it, its interrupt handlers included,
 * so nothing here is atomic. smp/percpu.h embeds it first in the whole area.
 */
struct arch_percpu {
	struct arch_percpu *self;
	uint32_t cpu;           /* logical number, 0 is the boot CPU; constant */
	uint32_t preempt_count; /* > 0: the scheduler may not switch threads */
	uint32_t irq_depth;     /* > 0: in an interrupt handler */
	uint32_t need_resched;  /* set by interrupts, read when preempt_count falls to 0 */
	void *thread;           /* the running thread; sched owns the type */
	uint32_t lazy;          /* only permanent mappings may be used: see arch_lazy_begin */
	uintptr_t backend[2];   /* scratch of the backend */
};

#include "arch/md/cpu.h"

/*
 * Supplied inline by the backend:
 *
 * static inline struct arch_percpu *arch_percpu(void);
 *	This CPU's area. Stable only while the caller cannot move to another CPU: threads never
 *	do, in this kernel.
 * static inline size_t arch_percpu_read(size_t offset);
 *	The 64-bit word at `offset` bytes of it, a constant: one instruction where there is one.
 * static inline void arch_cpu_relax(void);
 *	One turn of a wait loop. On the host this is also where other CPUs get to run.
 * static inline uint64_t arch_cycles(void);
 *	A fast counter, for statistics only.
 * static inline bool arch_irq_enabled(void);
 * static inline void arch_irq_enable(void);
 * static inline void arch_irq_disable(void);
 * static inline bool arch_irq_save(void);         disables; true if they were enabled
 * static inline void arch_irq_restore(bool were_enabled);
 */

/*
 * An idle CPU that others need not tell what they unmap: from begin to end it uses only mappings
 * that never change, which are those of the direct map, of the image, and of its own area and
 * stack. Interrupts are disabled from begin until arch_cpu_idle. An interrupt that finds the CPU
 * so runs the lazy handler before anything else, interrupts disabled; it ends the state. NMIs do
 * not, and are held to the same mappings. Supplied inline by the backend:
 *
 * static inline void arch_lazy_begin(void);
 * static inline void arch_lazy_end(void);
 * static inline bool arch_lazy(void);
 */

static inline unsigned arch_cpu_id(void)
{
	return arch_percpu()->cpu;
}

/*
 * Set once, before interrupts are enabled: called at the end of an interrupt, on the stack of
 * what it interrupted, when irq_depth is back to 0, preempt_count is 0 and need_resched is set.
 * Interrupts are disabled and the interrupt is acknowledged, so it may switch threads; it
 * returns, interrupts disabled, when the interrupted flow is to go on.
 */
void arch_irq_set_exit_handler(void (*handler)(void));

/* Set once, before any CPU calls arch_lazy_begin. */
void arch_lazy_set_handler(void (*handler)(void));

/* Makes `area` this CPU's own; area->self and area->cpu are set by the caller. */
void arch_percpu_install(struct arch_percpu *area);

/*
 * Enters with interrupts disabled; waits for one, handles it, and returns with interrupts
 * disabled. No interrupt can slip in between the caller's last check and the wait.
 */
void arch_cpu_idle(void);

/* Stops this CPU for good, interrupts off. */
QUIRE_NORETURN void arch_cpu_halt(void);

/*
 * A suspended flow of control. Owned by the scheduler; the backend reads and writes all of it.
 */
struct arch_context {
	void *sp;
	void *stack_base; /* lowest byte */
	size_t stack_size;
	void *backend; /* sanitizer state on the host */
};

/*
 * Prepares `ctx` so that the first switch to it calls entry(arg) on the stack, interrupts
 * disabled. entry never returns. The stack stays the caller's, and must outlive the context.
 */
void arch_context_init(struct arch_context *ctx, void *stack_base, size_t stack_size,
		       void (*entry)(void *arg), void *arg);

/* Makes `ctx` stand for the flow that runs now, on a stack that the backend already knows. */
void arch_context_adopt(struct arch_context *ctx);

/* Suspends the running flow in `from` and resumes `to`. Interrupts disabled, same CPU. */
void arch_context_switch(struct arch_context *from, struct arch_context *to);

#ifdef __cplusplus
}
#endif

#endif
