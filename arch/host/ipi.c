/* SPDX-License-Identifier: BSD-2-Clause */
/* Sending interrupts, and the ways in which a test lets that go wrong. */
#include "arch/host/internal.h"

/* (a) all of it: sent from any CPU. Index ARCH_IPI_COUNT is not used. */
static struct {
	uint64_t drop_next;
	uint32_t drop_all;
	uint32_t duplicate;
	uint64_t delay_ns;
	uint64_t sent;
	uint64_t dropped;
} control[ARCH_IPI_COUNT];

static uint64_t commands; /* (a) */

void host_ipi_reset(void)
{
	for (unsigned i = 0; i < ARCH_IPI_COUNT; i++) {
		control[i].drop_next = control[i].delay_ns = 0;
		control[i].drop_all = control[i].duplicate = 0;
		control[i].sent = control[i].dropped = 0;
	}
	commands = 0;
}

static uint64_t add(uint64_t *counter, uint64_t value)
{
	return __atomic_fetch_add(counter, value, __ATOMIC_RELAXED);
}

static bool drop(enum arch_ipi ipi)
{
	uint64_t left = __atomic_load_n(&control[ipi].drop_next, __ATOMIC_RELAXED);

	while (left != 0)
		if (__atomic_compare_exchange_n(&control[ipi].drop_next, &left, left - 1, false,
						__ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return true;
	return __atomic_load_n(&control[ipi].drop_all, __ATOMIC_RELAXED) != 0;
}

static bool listens(const struct host_cpu *cpu)
{
	return __atomic_load_n(&cpu->listening, __ATOMIC_RELAXED) != 0;
}

static void post(struct host_cpu *cpu, enum arch_ipi ipi)
{
	add(&control[ipi].sent, 1);
	if (drop(ipi) || !listens(cpu)) {
		add(&control[ipi].dropped, 1);
		return;
	}
	host_order_release(&cpu->due_ns[ipi]);
	if (__atomic_load_n(&control[ipi].duplicate, __ATOMIC_RELAXED))
		__atomic_fetch_or(&cpu->again, 1u << ipi, __ATOMIC_RELAXED);
	if (control[ipi].delay_ns != 0)
		host_ipi_post_late(cpu, ipi, control[ipi].delay_ns);
	else
		host_irq_set(cpu, 1u << ipi);
}

void arch_ipi_send(unsigned cpu, enum arch_ipi ipi)
{
	arch_hook(ARCH_HOOK_IPI, NULL);
	CHECK_LT(ipi, ARCH_IPI_COUNT);
	host_stores_fence(host_self()); /* the command is a store that is not reordered */
	host_not_quiet();
	add(&commands, 1);
	post(host_cpu_of(cpu), ipi);
	host_irq_deliver(host_self());
}

/* One command reaches all others at once, as the APIC's shorthand does; else one for each. */
void arch_ipi_send_set(const struct cpuset *targets, enum arch_ipi ipi)
{
	unsigned self = host_self()->id, count = 0, listening = 0;

	arch_hook(ARCH_HOOK_IPI, NULL);
	CHECK_LT(ipi, ARCH_IPI_COUNT);
	host_stores_fence(host_self()); /* the command is a store that is not reordered */
	host_not_quiet();
	for (unsigned i = 0; i < host_machine->config.cpus; i++)
		listening += i != self && listens(&host_machine->cpus[i]);
	CPUSET_FOREACH (cpu, targets) {
		if (cpu == self)
			continue;
		post(host_cpu_of(cpu), ipi);
		count++;
	}
	add(&commands, count == listening && count != 0 ? 1 : count);
}

uint64_t arch_ipi_commands(void)
{
	return __atomic_load_n(&commands, __ATOMIC_RELAXED);
}

void host_ipi_spurious(unsigned cpu, enum arch_ipi ipi)
{
	CHECK_LT(ipi, ARCH_IPI_COUNT);
	host_irq_set(host_cpu_of(cpu), 1u << ipi);
	host_irq_deliver(host_self());
}

/* The control blocks that `kind` means: [first, end). */
static unsigned kind_first(enum arch_ipi kind)
{
	CHECK_LE(kind, ARCH_IPI_COUNT);
	return kind == ARCH_IPI_COUNT ? 0 : kind;
}

static unsigned kind_end(enum arch_ipi kind)
{
	return kind == ARCH_IPI_COUNT ? ARCH_IPI_COUNT : kind + 1;
}

#define FOREACH_KIND(i, kind) for (unsigned i = kind_first(kind); i < kind_end(kind); i++)

void host_ipi_drop_next(enum arch_ipi kind, unsigned count)
{
	FOREACH_KIND(i, kind)
	__atomic_store_n(&control[i].drop_next, count, __ATOMIC_RELAXED);
}

void host_ipi_drop_all(enum arch_ipi kind, bool on)
{
	FOREACH_KIND(i, kind)
	__atomic_store_n(&control[i].drop_all, on, __ATOMIC_RELAXED);
}

void host_ipi_delay(enum arch_ipi kind, uint64_t ns)
{
	FOREACH_KIND(i, kind)
	__atomic_store_n(&control[i].delay_ns, ns, __ATOMIC_RELAXED);
}

void host_ipi_duplicate(enum arch_ipi kind, bool on)
{
	FOREACH_KIND(i, kind)
	__atomic_store_n(&control[i].duplicate, on, __ATOMIC_RELAXED);
}

uint64_t host_ipi_sent(enum arch_ipi kind)
{
	uint64_t sum = 0;

	FOREACH_KIND(i, kind)
	sum += __atomic_load_n(&control[i].sent, __ATOMIC_RELAXED);
	return sum;
}

uint64_t host_ipi_dropped(enum arch_ipi kind)
{
	uint64_t sum = 0;

	FOREACH_KIND(i, kind)
	sum += __atomic_load_n(&control[i].dropped, __ATOMIC_RELAXED);
	return sum;
}

uint64_t host_ipi_delivered(unsigned cpu, enum arch_ipi kind)
{
	uint64_t sum = 0;

	FOREACH_KIND(i, kind)
	sum += host_cpu_of(cpu)->delivered[i];
	return sum;
}

void arch_cpus_stop_others(void)
{
	if (host_machine != NULL)
		__atomic_store_n(&host_machine->frozen, host_self()->id + 1, __ATOMIC_RELAXED);
}
