/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the backend keeps for each CPU: its descriptor tables and exception stacks, and what it
 * was doing when something stopped it.
 */
#ifndef QUIRE_ARCH_X86_64_CPU_LOCAL_H
#define QUIRE_ARCH_X86_64_CPU_LOCAL_H

#include "arch/atomic.h"
#include "arch/cpu.h"
#include "arch/x86_64/traps.h"

/*
 * Exceptions that may find the running stack unusable, or interrupt anything at all, get stacks
 * of their own through the interrupt stack table (Intel SDM vol. 3A 6.14.5). The numbers are
 * those of the table, which begins at 1.
 */
enum { IST_DOUBLE_FAULT = 1, IST_NMI, IST_MACHINE_CHECK, IST_END };

/* Bytes of each: room for panic() and what it calls, whose deepest part is the formatter. */
enum { IST_STACK_SIZE = 8192 };

/* Intel SDM vol. 3A figure 8-11. */
struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t ist[8]; /* entry 0 is reserved */
	uint64_t reserved1;
	uint16_t reserved2;
	uint16_t io_map;
} __attribute__((packed));

enum { GDT_NULL, GDT_CODE, GDT_DATA, GDT_TSS, GDT_ENTRIES = GDT_TSS + 2 };

/* (c) constant once the CPU runs  (o) written by its CPU only  (a) atomic */
struct cpu_local {
	uint64_t gdt[GDT_ENTRIES];    /* (o) the CPU itself marks the TSS busy */
	struct tss tss;               /* (c) */
	uint32_t apic_id;             /* (c) */
	struct trap_frame *trap;      /* (o) what interrupted it, while that is handled */
	uint64_t restarts;            /* (o) sequences that were sent back: restart.c */
	bool restart_disabled;        /* (o) by a test of the tests */
	void (*probe_fn)(void *arg);  /* (o) to be run at the breakpoint, or NULL */
	void *probe_arg;              /* (o) */
	struct atomic64 ipi_commands; /* (o) read by others for statistics */
	struct atomic32 stopped;      /* (a) 1: `stopped_frame` is complete, the CPU halts */
	struct trap_frame stopped_frame;
} QUIRE_ALIGNED(CACHE_LINE);

/* NULL for a CPU that has none. */
struct cpu_local *cpu_local_of(unsigned cpu);

/* The running CPU's. */
static inline struct cpu_local *cpu_local(void)
{
	return (struct cpu_local *)arch_percpu()->backend[0];
}

/* The boot CPU's, without exception stacks yet; loads its tables and a first per-CPU area. */
void cpu_local_init_boot(void);

/*
 * Makes exception stacks for the boot CPU and all of it for CPUs 1..count-1, whose APIC ids are
 * in `apic_ids`. Returns how many CPUs there was memory for, at least 1.
 */
unsigned cpu_local_create(const uint32_t *apic_ids, unsigned count);

/* Loads the tables of the CPU that runs this. Clears %gs. */
void cpu_local_load(struct cpu_local *local);

#endif
