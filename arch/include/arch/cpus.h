/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which CPUs there are, and how the others are started.
 */
#ifndef QUIRE_ARCH_CPUS_H
#define QUIRE_ARCH_CPUS_H

#include "arch/atomic.h"
#include "arch/cpu.h"

#ifdef __cplusplus
extern "C" {
#endif

/* CPUs that firmware lists as usable, the boot CPU (number 0) included; at least 1. */
unsigned arch_cpu_count(void);

/* The CPU's hardware identifier (APIC id), for messages. */
uint32_t arch_cpu_hwid(unsigned cpu);

/*
 * The memory domain nearest to the CPU, below boot_info.domain_count: what firmware says, else 0.
 * Constant. Any context.
 */
unsigned arch_cpu_domain(unsigned cpu);

enum arch_cpu_claim {
	ARCH_CPU_UNCLAIMED,
	ARCH_CPU_CLAIMED,   /* set by the CPU itself before it touches its stack */
	ARCH_CPU_ABANDONED, /* set by the starter: a CPU that comes now parks without a stack */
};

/* What a CPU needs to start; index = logical number; entry 0 is unused. */
struct arch_cpu_boot {
	struct atomic32 claim; /* enum arch_cpu_claim; UNCLAIMED -> one of the others, once */
	struct arch_percpu *percpu;
	void *stack_base; /* lowest byte */
	size_t stack_size;
};

/*
 * Starts CPUs 1..count-1, all in parallel, and returns without waiting. Each one claims its
 * entry, takes its stack, installs its per-CPU area, has its interrupt controller and tables
 * ready and its TLB empty, and calls entry() with interrupts disabled. entry never returns.
 * `boots` must stay valid for ever. Called once, by the boot CPU, interrupts enabled.
 */
void arch_cpus_start(struct arch_cpu_boot *boots, unsigned count, void (*entry)(void));

#ifdef __cplusplus
}
#endif

#endif
