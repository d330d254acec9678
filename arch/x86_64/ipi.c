/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/ipi.h"

#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu_local.h"
#include "arch/x86_64/ready.h"
#include "arch/x86_64/traps.h"

void arch_ipi_set_handler(enum arch_ipi ipi, void (*handler)(void))
{
	interrupt_set_handler(VECTOR_IPI + ipi, handler);
}

static void command(uint32_t apic_id, uint32_t low)
{
	apic_command(apic_id, low | ICR_ASSERT);
	/* One instruction, as an interrupt may add too; only this CPU adds, so it needs no LOCK. */
	__asm__ volatile("addq $1, %0" : "+m"(cpu_local()->ipi_commands.value) : : "cc");
}

void arch_ipi_send(unsigned cpu, enum arch_ipi ipi)
{
	const struct cpu_local *target = cpu_local_of(cpu);

	if (target != NULL)
		command(target->apic_id, VECTOR_IPI + ipi);
}

/*
 * The shorthand reaches every CPU of the machine. Those that are not ready have their APIC
 * disabled and ignore it (Intel SDM vol. 3A 11.4.7.2), or take it once they enable interrupts.
 */
void arch_ipi_send_set(const struct cpuset *targets, enum arch_ipi ipi)
{
	unsigned self = arch_cpu_id();

	if (ready_is_all_others(targets, self)) {
		command(0, ICR_ALL_BUT_SELF | (VECTOR_IPI + ipi));
		return;
	}
	CPUSET_FOREACH (cpu, targets)
		if (cpu != self)
			arch_ipi_send(cpu, ipi);
}

uint64_t arch_ipi_commands(void)
{
	uint64_t sum = 0;

	for (unsigned cpu = 0; cpu < MAXCPU; cpu++)
		if (cpu_local_of(cpu) != NULL)
			sum += atomic64_load(&cpu_local_of(cpu)->ipi_commands, MO_RELAXED);
	return sum;
}
