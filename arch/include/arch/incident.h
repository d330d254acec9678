/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a CPU is told without having asked: non-maskable interrupts, machine checks, vectors that
 * nobody handles. They may come between any two instructions, also while the CPU idles with old
 * translations, so their handlers touch nothing but the image, the direct map and the CPU's own
 * area, take no lock and print nothing: they note what came, and these functions ask for it.
 */
#ifndef QUIRE_ARCH_INCIDENT_H
#define QUIRE_ARCH_INCIDENT_H

#include "lib/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Has anything been noted since it was forgotten last? Any context. */
bool arch_incident_noted(void);

/* Forgets that, not what was noted: for the one who now asks for all of it. Any context. */
void arch_incident_forget(void);

/* --- Vectors that nobody handles --- */

enum { ARCH_VECTORS = 256 };

/* Interrupts of that vector since boot, all CPUs together. Any context. */
uint64_t arch_unexpected_count(unsigned vector);

/* What a vector without a handler usually means: "spurious", "8259 line", "unknown". */
const char *arch_unexpected_kind(unsigned vector);

/* --- NMIs --- */

struct arch_nmi_stats {
	uint64_t asked;    /* by arch_cpu_ask_pc */
	uint64_t unasked;  /* by the machine, or by somebody outside */
	uintptr_t pc;      /* what the last unasked one interrupted */
	const char *cause; /* of that one, as far as the chipset says */
};

/* Of one CPU. Any context; exact while no NMI comes. */
void arch_nmi_stats(unsigned cpu, struct arch_nmi_stats *stats);

/* Asks another CPU, by an NMI, where it is. Any context. */
void arch_cpu_ask_pc(unsigned cpu);

/* The answer to the last question; false as long as there is none. Any context. */
bool arch_cpu_asked_pc(unsigned cpu, uintptr_t *pc);

/* --- Machine checks (Intel SDM vol. 3B chapter 15) --- */

struct arch_machine_check {
	unsigned cpu, bank;
	uint64_t status, address, misc; /* as the hardware has them; 0 where it has not */
	bool corrected;
	bool before_boot;     /* found when the CPU began, so it happened before */
	const char *what;     /* "memory controller, read" */
	vm_paddr_t start;     /* the memory that is bad, if the error says so */
	vm_size_t size_bytes; /* 0: it does not */
};

/*
 * Looks for errors that the running CPU has had without telling anybody. Interrupts disabled; a
 * read of a register for each bank, of which there are a dozen or two.
 */
void arch_machine_check_poll(void);

/* The next error that was noted and has not been taken; false when there is none. Any context. */
bool arch_machine_check_take(struct arch_machine_check *check);

/* Errors that could not be noted because nobody took those before them. Any context. */
uint64_t arch_machine_check_lost(void);

/* Banks of this CPU model; 0: it has no machine check architecture. */
unsigned arch_machine_check_banks(void);

#ifdef __cplusplus
}
#endif

#endif
