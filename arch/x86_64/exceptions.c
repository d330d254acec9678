/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions: a page fault may be mended by whoever registered for it, an NMI stops the CPU or is
 * noted, a machine check is survived if it can be; everything else ends in a panic that says what
 * the processor said.
 */
#include "arch/cpu.h"
#include "arch/fault.h"
#include "arch/mmu.h"
#include "arch/system.h"
#include "arch/x86_64/cpu_local.h"
#include "arch/x86_64/incident.h"
#include "arch/x86_64/machine_check.h"
#include "arch/x86_64/regs.h"
#include "arch/x86_64/restart.h"
#include "arch/x86_64/traps.h"
#include "lib/format.h"
#include "lib/panic.h"

/* Intel SDM vol. 3A 4.7: error code of a page fault. */
enum {
	FAULT_PRESENT = 1 << 0,
	FAULT_WRITE = 1 << 1,
	FAULT_RESERVED = 1 << 3,
	FAULT_FETCH = 1 << 4,
};

enum { WHY_MAX = 160 };

static arch_fault_handler *fault_handler;

void arch_fault_set_handler(arch_fault_handler *handler)
{
	fault_handler = handler;
}

/* Intel SDM vol. 3A table 6-1. */
static const char *exception_name(uint64_t vector)
{
	static const char *const names[TRAP_EXCEPTIONS] = {
	    "divide error",
	    "debug exception",
	    "NMI",
	    "breakpoint",
	    "overflow",
	    "bound range exceeded",
	    "invalid opcode",
	    "floating point used",
	    "double fault",
	    "coprocessor segment overrun",
	    "invalid TSS",
	    "segment not present",
	    "stack-segment fault",
	    "general protection fault",
	    "page fault",
	    NULL,
	    "x87 error",
	    "alignment check",
	    "machine check",
	    "SIMD exception",
	    "virtualization exception",
	    "control protection exception",
	};

	return names[vector] != NULL ? names[vector] : "reserved exception";
}

static struct arch_fault decode_fault(const struct trap_frame *frame, uint64_t cr2)
{
	return (struct arch_fault){
	    .va = cr2,
	    .pc = frame->rip,
	    .present = (frame->error & FAULT_PRESENT) != 0,
	    .write = (frame->error & FAULT_WRITE) != 0,
	    .execute = (frame->error & FAULT_FETCH) != 0,
	    .reserved = (frame->error & FAULT_RESERVED) != 0,
	    .irq_enabled = (frame->rflags & X86_RFLAGS_IF) != 0,
	};
}

static bool ask_handler(const struct arch_fault *fault, char *why)
{
	bool mended;

	why[0] = 0;
	if (fault_handler == NULL)
		return false;
	if (fault->irq_enabled)
		arch_irq_enable();
	mended = fault_handler(fault, why, WHY_MAX);
	arch_irq_disable();
	return mended;
}

static void page_fault(struct trap_frame *frame)
{
	/* CR2 first: the next fault replaces it. */
	struct arch_fault fault = decode_fault(frame, cr2_read());
	char why[WHY_MAX];

	if (ask_handler(&fault, why))
		return;
	cpu_local()->trap = frame;
	panic("page fault: %s of %#lx (%s%s) at %#lx%s%s",
	      fault.execute ? "execution"
	      : fault.write ? "write"
			    : "read",
	      fault.va, fault.present ? "not permitted" : "not mapped",
	      fault.reserved ? ", reserved bit in a table" : "", fault.pc, why[0] != 0 ? ": " : "",
	      why);
}

/*
 * A stack that has run into its guard page cannot take the frame of the page fault, which makes
 * it a double fault; CR2 still names the address (Intel SDM vol. 3A 6.15, vector 8).
 */
static void double_fault(const struct trap_frame *frame)
{
	uint64_t cr2 = cr2_read();
	bool overflow = frame->rsp - cr2 < PAGE_SIZE || cr2 - frame->rsp < PAGE_SIZE;

	panic("double fault at %#lx, stack %#lx, last fault address %#lx%s", frame->rip, frame->rsp,
	      cr2, overflow ? ": the kernel stack overflowed" : "");
}

/* Selector error codes: Intel SDM vol. 3A 6.13. */
static void describe_error(const struct trap_frame *frame, char *text, size_t size)
{
	uint64_t e = frame->error;

	if (e == 0)
		text[0] = 0;
	else
		format(text, size, ", error %#lx (%s entry %lu%s)", e,
		       e & 2   ? "IDT"
		       : e & 4 ? "LDT"
			       : "GDT",
		       e >> 3, e & 1 ? ", external event" : "");
}

/* Those after which the interrupted code goes on. */
static bool handled(struct trap_frame *frame)
{
	switch (frame->vector) {
	case TRAP_NMI:
		if (!stop_handle_nmi(frame))
			nmi_handle(frame);
		return true;
	case TRAP_DEBUG:
		return restart_handle_debug();
	case TRAP_PAGE_FAULT:
		page_fault(frame);
		return true;
	case TRAP_MACHINE_CHECK:
		machine_check_handle(frame);
		return true;
	default:
		return false;
	}
}

void exception_handle(struct trap_frame *frame)
{
	char error[64];

	if (handled(frame))
		return;
	cpu_local()->trap = frame;
	if (frame->vector == TRAP_DOUBLE_FAULT)
		double_fault(frame);
	describe_error(frame, error, sizeof(error));
	panic("%s (vector %lu) at %#lx%s", exception_name(frame->vector), frame->vector, frame->rip,
	      error);
}

void arch_print_trap_state(void (*print)(const char *fmt, ...))
{
	const struct trap_frame *f = cpu_local()->trap;

	if (f == NULL)
		return;
	print("trap: CPU %u, vector %lu (%s), error %#lx\n", arch_cpu_id(), f->vector,
	      f->vector < TRAP_EXCEPTIONS ? exception_name(f->vector) : "interrupt", f->error);
	print("  rip %016lx  rsp %016lx  rflags %08lx  cs %02lx ss %02lx\n", f->rip, f->rsp,
	      f->rflags, f->cs, f->ss);
	print("  rax %016lx  rbx %016lx  rcx %016lx\n", f->rax, f->rbx, f->rcx);
	print("  rdx %016lx  rsi %016lx  rdi %016lx\n", f->rdx, f->rsi, f->rdi);
	print("  rbp %016lx  r8  %016lx  r9  %016lx\n", f->rbp, f->r8, f->r9);
	print("  r10 %016lx  r11 %016lx  r12 %016lx\n", f->r10, f->r11, f->r12);
	print("  r13 %016lx  r14 %016lx  r15 %016lx\n", f->r13, f->r14, f->r15);
	print("  cr0 %08lx  cr2 %016lx  cr3 %012lx  cr4 %08lx\n", cr0_read(), cr2_read(),
	      cr3_read(), cr4_read());
}
