/* SPDX-License-Identifier: BSD-2-Clause */
/* Stopping the other CPUs by NMI, which reaches them with interrupts disabled too. */
#include "arch/clock.h"
#include "arch/ipi.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu_local.h"
#include "arch/x86_64/ready.h"
#include "arch/x86_64/traps.h"

/* An NMI is taken between two instructions; an emulator may take a while to run the CPU at all. */
#define STOP_WAIT_NS UINT64_C(500000000)

/* 0, or the number of the CPU that stops all others, plus 1. */
static struct atomic32 stopper;

static QUIRE_NORETURN void stop_here(const struct trap_frame *frame)
{
	struct cpu_local *local = cpu_local();

	local->stopped_frame = *frame;
	/* Release, with the acquire in arch_cpu_stopped_pc(): the frame is complete. */
	atomic32_store(&local->stopped, 1, MO_RELEASE);
	arch_cpu_halt();
}

bool stop_handle_nmi(const struct trap_frame *frame)
{
	uint32_t by = atomic32_load(&stopper, MO_ACQUIRE);

	if (by == 0 || by == arch_cpu_id() + 1)
		return false;
	stop_here(frame);
}

static bool all_stopped(void)
{
	for (unsigned cpu = 0; cpu < MAXCPU; cpu++)
		if (cpu != arch_cpu_id() && ready_has(cpu) &&
		    !atomic32_load(&cpu_local_of(cpu)->stopped, MO_ACQUIRE))
			return false;
	return true;
}

/* Two CPUs may panic at once: the second one finds the first, and is stopped by its NMI. */
void arch_cpus_stop_others(void)
{
	uint32_t none = 0, self = arch_cpu_id();
	uint64_t start;

	if (!atomic32_cas(&stopper, &none, self + 1, MO_ACQ_REL) && none != self + 1)
		arch_cpu_halt();
	for (unsigned cpu = 0; cpu < MAXCPU; cpu++)
		if (cpu != self && ready_has(cpu))
			apic_command(cpu_local_of(cpu)->apic_id, ICR_NMI | ICR_ASSERT);
	start = arch_clock_ns();
	while (!all_stopped() && arch_clock_ns() - start < STOP_WAIT_NS)
		arch_cpu_relax();
}

bool arch_cpu_stopped_pc(unsigned cpu, uintptr_t *pc)
{
	const struct cpu_local *local = cpu_local_of(cpu);

	if (local == NULL || !atomic32_load(&local->stopped, MO_ACQUIRE))
		return false;
	*pc = local->stopped_frame.rip;
	return true;
}
