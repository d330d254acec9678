/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NMIs that do not stop the CPU: another CPU asks where this one is, the chipset reports an error,
 * or somebody presses the button that some machines have.
 *
 * The handler runs on a stack of its own, and the next NMI is held back until it returns (Intel
 * SDM vol. 3A 6.7.1), so it is alone on its CPU.
 */
#include "arch/atomic.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu_local.h"
#include "arch/x86_64/devices/io.h"
#include "arch/x86_64/incident.h"
#include "arch/x86_64/ready.h"

/* NMI status and control register (Intel ICH10 data sheet 13.7.1); the low half is the control. */
enum {
	PORT_NMI_STATUS = 0x61,
	NMI_SERR = 1 << 7,
	NMI_IOCHK = 1 << 6,
	NMI_IOCHK_OFF = 1 << 3,
	NMI_SERR_OFF = 1 << 2,
	NMI_CONTROL_MASK = 0x0f,
};

enum { PC_NONE, PC_ASKED, PC_KNOWN };

/* (a) written by its own CPU's handler, read by anybody */
static struct {
	struct atomic64 asked;   /* (a) */
	struct atomic64 unasked; /* (a) */
	struct atomic64 pc;      /* (a) of the last unasked one */
	struct atomic32 status;  /* (a) the chipset's, at that time */
	struct atomic32 ask;     /* (a) enum above; PC_ASKED is set by the one that asks */
	struct atomic64 answer;  /* (a) */
} QUIRE_ALIGNED(CACHE_LINE) cpus[MAXCPU];

/* An error stays up, and keeps the next one from being seen, until it is turned off. */
static uint8_t chipset_status(void)
{
	uint8_t status = io_in8(PORT_NMI_STATUS), control = status & NMI_CONTROL_MASK;

	if (status & NMI_SERR)
		io_out8(PORT_NMI_STATUS, control | NMI_SERR_OFF);
	if (status & NMI_IOCHK)
		io_out8(PORT_NMI_STATUS, control | NMI_IOCHK_OFF);
	return status;
}

void nmi_handle(const struct trap_frame *frame)
{
	unsigned cpu = arch_cpu_id();
	uint32_t asked = PC_ASKED;

	if (atomic32_load(&cpus[cpu].ask, MO_ACQUIRE) == PC_ASKED) {
		atomic64_store(&cpus[cpu].answer, frame->rip, MO_RELAXED);
		atomic64_add(&cpus[cpu].asked, 1, MO_RELAXED);
		/* Release, with the acquire in arch_cpu_asked_pc. */
		(void)atomic32_cas(&cpus[cpu].ask, &asked, PC_KNOWN, MO_ACQ_REL);
		return;
	}
	atomic64_store(&cpus[cpu].pc, frame->rip, MO_RELAXED);
	atomic32_store(&cpus[cpu].status, chipset_status(), MO_RELAXED);
	/* Release: who reads the count finds the rest. */
	atomic64_add(&cpus[cpu].unasked, 1, MO_RELEASE);
	incident_note();
}

static const char *cause_of(uint32_t status)
{
	if (status & NMI_SERR)
		return "the chipset reports a system error (SERR#)";
	if (status & NMI_IOCHK)
		return "the chipset reports an error of a card (IOCHK#)";
	return "the chipset names no cause";
}

void arch_nmi_stats(unsigned cpu, struct arch_nmi_stats *stats)
{
	stats->unasked = atomic64_load(&cpus[cpu].unasked, MO_ACQUIRE);
	stats->asked = atomic64_load(&cpus[cpu].asked, MO_RELAXED);
	stats->pc = atomic64_load(&cpus[cpu].pc, MO_RELAXED);
	stats->cause = cause_of(atomic32_load(&cpus[cpu].status, MO_RELAXED));
}

void arch_cpu_ask_pc(unsigned cpu)
{
	const struct cpu_local *target = cpu_local_of(cpu);

	if (target == NULL || !ready_has(cpu))
		return;
	atomic32_store(&cpus[cpu].ask, PC_ASKED, MO_RELEASE);
	apic_command(target->apic_id, ICR_NMI | ICR_ASSERT);
}

bool arch_cpu_asked_pc(unsigned cpu, uintptr_t *pc)
{
	if (atomic32_load(&cpus[cpu].ask, MO_ACQUIRE) != PC_KNOWN)
		return false;
	*pc = atomic64_load(&cpus[cpu].answer, MO_RELAXED);
	return true;
}
