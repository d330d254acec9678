/* SPDX-License-Identifier: BSD-2-Clause */
#include "smp/preempt.h"

#include "lib/check.h"
#include "smp/percpu.h"

/* Set before other CPUs run. */
static void (*handler)(void);

void preempt_set_handler(void (*resched)(void))
{
	handler = resched;
	arch_irq_set_exit_handler(resched);
}

void preempt_enable(void)
{
	__atomic_signal_fence(MO_SEQ_CST); /* pairs with preempt_disable */
	CHECK_LT(0, arch_percpu()->preempt_count);
	if (--arch_percpu()->preempt_count == 0)
		preempt_check();
}

void preempt_resched(void)
{
	const struct arch_percpu *self = arch_percpu();

	if (handler == NULL || self->preempt_count != 0 || self->irq_depth != 0)
		return;
	if (!arch_irq_enabled()) /* so no spinlock is held either */
		return;
	arch_irq_disable();
	handler();
	arch_irq_enable();
}

/* What forbids sleeping here to a caller that holds `locks` spinlocks and had interrupts `irq`. */
static const char *sleep_forbidden(unsigned locks, bool irq)
{
	const struct arch_percpu *self = arch_percpu();

	if (self->irq_depth != 0)
		return "in an interrupt handler";
	if (self->thread == NULL)
		return "before threads run";
	if (spin_held_count() > locks)
		return "with a spinlock held";
	if (self->preempt_count != 0)
		return "with preemption disabled";
	if (!irq)
		return "with interrupts disabled";
	return NULL;
}

/* Named for the message: the last lock taken is the likeliest culprit. */
static const struct spinlock *other_lock(const struct spinlock *interlock)
{
	const struct percpu *self = percpu_self();

	for (unsigned i = spin_held_count(); i > 0; i--)
		if (self->spin_held[i - 1] != interlock)
			return self->spin_held[i - 1];
	return NULL;
}

static void sleep_require(const char *what, const char *why, const struct spinlock *interlock)
{
	const struct spinlock *lock;

	if (likely(why == NULL))
		return;
	lock = other_lock(interlock);
	if (lock != NULL)
		panic("%s may not sleep %s (\"%s\", taken at %s)", what, why, lock->name,
		      spin_site(lock));
	panic("%s may not sleep %s", what, why);
}

bool sleep_allowed(void)
{
	return sleep_forbidden(0, arch_irq_enabled()) == NULL;
}

void sleep_check(const char *what)
{
	sleep_require(what, sleep_forbidden(0, arch_irq_enabled()), NULL);
}

void sleep_check_holding(const char *what, const struct spinlock *interlock)
{
	if (!spin_owned(interlock))
		panic("%s: cpu %u does not hold \"%s\"", what, arch_cpu_id(), interlock->name);
	sleep_require(what, sleep_forbidden(1, percpu_self()->spin_irq_was_enabled), interlock);
}
