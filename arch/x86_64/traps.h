/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions and interrupts: the way in, and who handles what. */
#ifndef QUIRE_ARCH_X86_64_TRAPS_H
#define QUIRE_ARCH_X86_64_TRAPS_H

#include "lib/types.h"

/* What traps.S pushes, lowest address first; from rip on by the processor. */
struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector;
	uint64_t error; /* 0 for vectors without one */
	uint64_t rip, cs, rflags, rsp, ss;
};

/* Exceptions that get more than a panic (Intel SDM vol. 3A table 6-1). */
enum trap_vector {
	TRAP_DEBUG = 1,
	TRAP_NMI = 2,
	TRAP_DOUBLE_FAULT = 8,
	TRAP_PAGE_FAULT = 14,
	TRAP_MACHINE_CHECK = 18,
	TRAP_EXCEPTIONS = 32, /* vectors below are the processor's own */
};

/*
 * Interrupt vectors. The upper four bits are the priority (Intel SDM vol. 3A 11.8.3). The 8259s
 * are masked, but may still raise their spurious interrupts, so they have vectors of their own.
 */
enum interrupt_vector {
	VECTOR_8259 = 0x20, /* 16 of them */
	VECTOR_TIMER = 0xe0,
	VECTOR_IPI = 0xf0, /* + enum arch_ipi */
	VECTOR_APIC_ERROR = 0xfe,
	VECTOR_SPURIOUS = 0xff,
	VECTOR_COUNT = 256,
};

/* Builds the table that all CPUs share. */
void idt_init(void);

/* Loads it on the CPU that runs this. */
void idt_load(void);

/* Lets double faults, NMIs and machine checks use the stacks of cpu_local; all must have them. */
void idt_use_exception_stacks(void);

/* Called by traps.S with interrupts disabled. */
void trap_dispatch(struct trap_frame *frame);

/* Exceptions: exceptions.c. Returns when the interrupted instruction may be tried again. */
void exception_handle(struct trap_frame *frame);

/* Sets the function that handles a vector; before interrupts are enabled. */
void interrupt_set_handler(unsigned vector, void (*handler)(void));

/* An NMI that somebody asked for: stop.c. Returns false if it was not for this CPU. */
bool stop_handle_nmi(const struct trap_frame *frame);

#endif
