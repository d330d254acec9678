/* SPDX-License-Identifier: BSD-2-Clause */
/* Time, and what is due at a time: ticks, late interrupts, the end of a wait. */
#include "arch/host/internal.h"

/* Reading the simulated clock takes time too, so that a loop which waits for it ends. */
enum { CLOCK_READ_NS = 10 };

static uint64_t now(void)
{
	return host_is_threads() ? host_real_ns() : host_machine->now_ns;
}

uint64_t arch_clock_ns(void)
{
	if (host_is_threads())
		return host_real_ns() - host_machine->now_ns;
	return host_machine->now_ns += CLOCK_READ_NS;
}

uint64_t host_cycles(void)
{
	return now();
}

void arch_clock_delay_ns(uint64_t ns)
{
	uint64_t end = arch_clock_ns() + ns;

	while (arch_clock_ns() < end)
		host_relax();
}

void arch_timer_start(unsigned hz)
{
	struct host_cpu *self = host_self();

	CHECK_NE(hz, 0);
	self->timer_period_ns = 1000000000 / hz;
	self->timer_next_ns = now() + self->timer_period_ns;
	host_events_changed();
}

static void timer_fire(struct host_cpu *cpu, uint64_t at)
{
	if (cpu->timer_next_ns > at)
		return;
	cpu->timer_next_ns +=
	    ((at - cpu->timer_next_ns) / cpu->timer_period_ns + 1) * cpu->timer_period_ns;
	host_irq_set(cpu, HOST_PENDING_TIMER);
}

void host_events_fire(struct host_cpu *cpu, uint64_t at)
{
	uint32_t delayed = __atomic_load_n(&cpu->delayed, __ATOMIC_ACQUIRE);

	timer_fire(cpu, at);
	if (cpu->wake_ns <= at) {
		cpu->wake_ns = HOST_NEVER;
		host_irq_set(cpu, HOST_PENDING_WAKE);
	}
	for (; delayed != 0; delayed &= delayed - 1) {
		unsigned ipi = (unsigned)__builtin_ctz(delayed);

		if (__atomic_load_n(&cpu->due_ns[ipi], __ATOMIC_RELAXED) > at)
			continue;
		__atomic_fetch_and(&cpu->delayed, ~(1u << ipi), __ATOMIC_RELAXED);
		host_irq_set(cpu, 1u << ipi);
	}
}

uint64_t host_events_next(const struct host_cpu *cpu)
{
	uint64_t next = cpu->timer_next_ns < cpu->wake_ns ? cpu->timer_next_ns : cpu->wake_ns;
	uint32_t delayed = __atomic_load_n(&cpu->delayed, __ATOMIC_ACQUIRE);

	if (cpu->state == HOST_CPU_OFF || cpu->state == HOST_CPU_HALTED)
		return HOST_NEVER;
	for (; delayed != 0; delayed &= delayed - 1) {
		uint64_t due =
		    __atomic_load_n(&cpu->due_ns[__builtin_ctz(delayed)], __ATOMIC_RELAXED);

		next = due < next ? due : next;
	}
	return next;
}

/* The start of a wait of this CPU, at the end of which arch_cpu_idle() returns. */
void host_wake_after(struct host_cpu *self, uint64_t ns)
{
	self->wake_ns = now() + ns;
	host_events_changed();
}

void host_ipi_post_late(struct host_cpu *cpu, enum arch_ipi ipi, uint64_t ns)
{
	uint32_t bit = 1u << ipi;

	if (__atomic_load_n(&cpu->delayed, __ATOMIC_RELAXED) & bit)
		return; /* one is on its way already and stands for this one too */
	__atomic_store_n(&cpu->due_ns[ipi], now() + ns, __ATOMIC_RELAXED);
	__atomic_fetch_or(&cpu->delayed, bit, __ATOMIC_RELEASE);
	host_events_changed();
	if (host_is_threads())
		host_threads_wake(cpu);
}
