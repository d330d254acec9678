/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every CPU has room for one call of its own (preemption is off until it has ended, and handlers
 * do not call), and an inbox with one bit for each CPU that may call it. So nothing is allocated,
 * nothing is linked, and no CPU can be asked more often than it can remember.
 *
 *	caller                                  target
 *	writes fn and arg, sets pending
 *	sets its bit in the target's inbox      takes all bits of its inbox
 *	sends the interrupt                     for each: runs the caller's fn
 *	waits until pending is empty            clears its bit in the caller's pending
 *
 * The target clears inbox bits before it runs anything, so an interrupt that was merged with an
 * earlier one, or sent twice, finds either the bit or nothing to do: each call is run once. After
 * clearing its pending bit the target touches the call no more, so it can be used again.
 */
#include "smp/call.h"

#include "arch/ipi.h"
#include "lib/check.h"
#include "lib/planted.h"
#include "smp/patience.h"
#include "smp/preempt.h"
#include "smp/smp.h"

/* Spinning with interrupts off is bounded by a panic of its own, which should come first. */
#define CALL_WARN_NS  (5 * NS_PER_SECOND)
#define CALL_PANIC_NS (90 * NS_PER_SECOND)

static uint64_t cpu_bit(unsigned cpu)
{
	return (uint64_t)1 << (cpu % 64);
}

static void call_run(unsigned caller)
{
	struct call_state *call = &percpu_of(caller)->call;
	unsigned self = arch_cpu_id();

	if (!PLANTED(answer_before_call))
		call->fn(call->arg);
	/* Release: pairs with the acquire in call_finished, for what fn wrote. */
	atomic64_and(&call->pending[self / 64], ~cpu_bit(self), MO_RELEASE);
	if (PLANTED(answer_before_call))
		call->fn(call->arg);
}

static void call_handler(void)
{
	struct call_state *own = &percpu_self()->call;
	unsigned words = (smp_cpu_count() + 63) / 64;

	percpu_count_ipi();
	for (unsigned i = 0; i < words; i++) {
		/* Acquire: pairs with the release in call_post. A bit set later comes with an
		 * interrupt of its own. */
		uint64_t callers = atomic64_exchange(&own->inbox[i], 0, MO_ACQUIRE);

		for (; callers != 0; callers &= callers - 1)
			call_run(i * 64 + (unsigned)__builtin_ctzll(callers));
	}
}

static void call_post(const struct cpuset *targets)
{
	unsigned self = arch_cpu_id();

	CPUSET_FOREACH (cpu, targets)
		atomic64_or(&percpu_of(cpu)->call.inbox[self / 64], cpu_bit(self), MO_RELEASE);
	arch_ipi_send_set(targets, ARCH_IPI_CALL);
}

/* The CPUs of the set that have not finished this CPU's call. */
static bool call_finished(struct cpuset *targets)
{
	struct call_state *call = &percpu_self()->call;

	for (unsigned i = 0; i < CPUSET_WORDS; i++)
		if (targets->words[i] != 0)
			targets->words[i] = atomic64_load(&call->pending[i], MO_ACQUIRE);
	return cpuset_empty(targets);
}

static void call_name_laggards(const struct cpuset *laggards, uint64_t waited_ns)
{
	unsigned self = arch_cpu_id();

	CPUSET_FOREACH (cpu, laggards) {
		uint64_t inbox = atomic64_load(&percpu_of(cpu)->call.inbox[self / 64], MO_RELAXED);

		kprintf("smp: cpu %u has not %s a call of cpu %u in %u ms\n", cpu,
			inbox & cpu_bit(self) ? "taken" : "finished", self,
			(unsigned)(waited_ns / NS_PER_MS));
	}
}

static void call_wait(struct cpuset *targets)
{
	struct patience patience;

	patience_start(&patience, CALL_WARN_NS, CALL_PANIC_NS);
	while (!call_finished(targets)) {
		enum patience_verdict verdict = patience_turn(&patience);

		if (verdict == PATIENCE_WAIT)
			continue;
		call_name_laggards(targets, patience_waited_ns(&patience));
		if (verdict == PATIENCE_OUT)
			panic("smp: cpu %u does not answer cpu %u", cpuset_next(targets, 0),
			      arch_cpu_id());
		arch_ipi_send_set(targets, ARCH_IPI_CALL);
	}
}

static void call_run_here(void (*fn)(void *arg), void *arg)
{
	bool irq_was_enabled = arch_irq_save();

	fn(arg);
	arch_irq_restore(irq_was_enabled);
}

/* Runs it on the CPUs of the set other than this one. Preemption is disabled. */
static void call_others(struct cpuset *targets, void (*fn)(void *arg), void *arg)
{
	struct call_state *call = &percpu_self()->call;

	call->fn = fn;
	call->arg = arg;
	for (unsigned i = 0; i < CPUSET_WORDS; i++)
		if (targets->words[i] != 0)
			atomic64_store(&call->pending[i], targets->words[i], MO_RELAXED);
	call_post(targets);
}

void smp_call(const struct cpuset *set, void (*fn)(void *arg), void *arg)
{
	struct cpuset targets;
	bool here;

	CHECK(!in_interrupt());
	CHECK_EQ(spin_held_count(), 0);
	CHECK(arch_irq_enabled());
	smp_online_set(&targets);
	for (unsigned i = 0; i < CPUSET_WORDS; i++)
		targets.words[i] &= set->words[i];

	preempt_disable();
	here = cpuset_has(&targets, arch_cpu_id());
	cpuset_del(&targets, arch_cpu_id());
	if (!cpuset_empty(&targets))
		call_others(&targets, fn, arg);
	if (here)
		call_run_here(fn, arg);
	call_wait(&targets);
	preempt_enable();
}

void smp_call_one(unsigned cpu, void (*fn)(void *arg), void *arg)
{
	struct cpuset set;

	CHECK_LT(cpu, MAXCPU);
	cpuset_zero(&set);
	cpuset_add(&set, cpu);
	smp_call(&set, fn, arg);
}

void smp_call_init(void)
{
	arch_ipi_set_handler(ARCH_IPI_CALL, call_handler);
}
