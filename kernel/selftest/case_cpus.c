/* SPDX-License-Identifier: BSD-2-Clause */
/* Every CPU is itself, ticks, answers every other CPU, and agrees on the time and on locks. */
#include "arch/clock.h"
#include "kernel/sched/thread.h"
#include "kernel/selftest/selftest.h"
#include "smp/call.h"
#include "smp/smp.h"

static struct atomic64 counters[MAXCPU];

static void counters_clear(void)
{
	for (unsigned i = 0; i < MAXCPU; i++)
		atomic64_store(&counters[i], 0, MO_RELAXED);
}

/* The n-th online CPU. */
static unsigned cpu_at(unsigned index)
{
	struct cpuset online;
	unsigned cpu;

	smp_online_set(&online);
	cpu = cpuset_next(&online, 0);
	while (index-- > 0)
		cpu = cpuset_next(&online, cpu + 1);
	return cpu;
}

static void identity_on(unsigned index, unsigned count)
{
	const struct percpu *self = percpu_self();

	SELFTEST_CHECK(count == smp_online_count());
	SELFTEST_CHECK(arch_cpu_id() == cpu_at(index));
	SELFTEST_CHECK(self == percpu_of(arch_cpu_id()));
	SELFTEST_CHECK(self->arch.self == &self->arch);
	SELFTEST_CHECK(thread_current()->cpu == arch_cpu_id());
	SELFTEST_CHECK(arch_irq_enabled());
	SELFTEST_CHECK(spin_held_count() == 0);
	atomic64_add(&counters[arch_cpu_id()], 1, MO_RELAXED);
}

static void identity(void)
{
	counters_clear();
	if (!selftest_parallel(identity_on))
		return;
	for (unsigned cpu = 0; cpu < smp_cpu_count(); cpu++)
		SELFTEST_CHECK(atomic64_load(&counters[cpu], MO_RELAXED) ==
			       (smp_cpu_online(cpu) ? 1 : 0));
}

static void ticks_on(unsigned index, unsigned count)
{
	uint64_t first = percpu_self()->tick_count;
	uint64_t deadline = arch_clock_ns() + SELFTEST_PATIENCE_NS;

	(void)index;
	(void)count;
	while (percpu_self()->tick_count < first + 3) {
		SELFTEST_CHECK(arch_clock_ns() < deadline);
		thread_sleep_ns(1);
	}
}

static void ticks(void)
{
	selftest_parallel(ticks_on);
}

static void count_here(void *arg)
{
	(void)arg;
	atomic64_add(&counters[arch_cpu_id()], 1, MO_RELAXED);
}

enum { CALL_ROUNDS = 8 };

/* All CPUs at once, so that callers are also called while they wait. */
static void calls_on(unsigned index, unsigned count)
{
	struct cpuset online;

	smp_online_set(&online);
	for (unsigned round = 0; round < CALL_ROUNDS; round++) {
		CPUSET_FOREACH (cpu, &online)
			smp_call_one(cpu, count_here, NULL);
		smp_call(&online, count_here, NULL);
	}
	if (!selftest_barrier())
		return;
	SELFTEST_CHECK(atomic64_load(&counters[cpu_at(index)], MO_RELAXED) ==
		       2ul * CALL_ROUNDS * count);
}

static void calls(void)
{
	counters_clear();
	selftest_parallel(calls_on);
}

static struct atomic64 clock_turn, clock_last;

/* The time that a CPU saw is handed to the next one, which may not see an earlier one. */
static void clock_on(unsigned index, unsigned count)
{
	enum { ROUNDS = 20 };
	const uint64_t tick_ns = 1000000000 / SCHED_HZ;
	uint64_t deadline = arch_clock_ns() + SELFTEST_PATIENCE_NS;

	for (uint64_t turn = index; turn < (uint64_t)ROUNDS * count; turn += count) {
		while (atomic64_load(&clock_turn, MO_ACQUIRE) != turn) {
			SELFTEST_CHECK(!selftest_failed() && arch_clock_ns() < deadline);
			thread_yield();
			arch_cpu_relax();
		}
		SELFTEST_CHECK(arch_clock_ns() + tick_ns >= atomic64_load(&clock_last, MO_RELAXED));
		atomic64_store(&clock_last, arch_clock_ns(), MO_RELAXED);
		SELFTEST_CHECK(arch_clock_ns() >= atomic64_load(&clock_last, MO_RELAXED));
		atomic64_store(&clock_turn, turn + 1, MO_RELEASE);
	}
}

static void clock(void)
{
	atomic64_store(&clock_turn, 0, MO_RELAXED);
	atomic64_store(&clock_last, 0, MO_RELAXED);
	selftest_parallel(clock_on);
}

enum { LOCK_ROUNDS = 2000 };
static struct spinlock counter_lock = SPINLOCK_INIT("selftest counter", LOCK_RANK_KERNEL);
static volatile uint64_t locked_counter; /* guarded by counter_lock */

static void spinlock_on(unsigned index, unsigned count)
{
	(void)index;
	if (!selftest_barrier())
		return;
	for (unsigned i = 0; i < LOCK_ROUNDS; i++) {
		spin_lock(&counter_lock);
		locked_counter = locked_counter + 1;
		spin_unlock(&counter_lock);
	}
	if (!selftest_barrier())
		return;
	SELFTEST_CHECK(locked_counter == (uint64_t)LOCK_ROUNDS * count);
}

static void spinlock(void)
{
	locked_counter = 0;
	selftest_parallel(spinlock_on);
}

const struct selftest_case selftest_cpus[] = {
    {"cpus.identity", identity}, {"cpus.ticks", ticks},       {"cpus.calls", calls},
    {"cpus.clock", clock},       {"cpus.spinlock", spinlock}, {NULL, NULL},
};
