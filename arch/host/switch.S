/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * void host_switch(void **save_sp, void *load_sp);
 *	Puts the registers that a call preserves on the stack, *save_sp = stack pointer, takes
 *	the other stack and what lies there. Floating-point control words are the program's.
 * host_switch_start:
 *	Where a fresh flow begins: no caller, all registers zero.
 *
 * x86-64: System V ABI, figure 3.4. aarch64: AAPCS64, 6.1.
 */
#include "arch/host/switch.h"

	.text
	.globl host_switch
	.globl host_switch_start
	.type host_switch, %function
	.type host_switch_start, %function

#if defined(__x86_64__)

host_switch:
	.cfi_startproc
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, (%rdi)
	movq %rsi, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret
	.cfi_endproc

host_switch_start:
	.cfi_startproc
	.cfi_undefined rip
	xorl %ebp, %ebp
	andq $-16, %rsp
	call host_flow_first
	ud2
	.cfi_endproc

#elif defined(__aarch64__)

host_switch:
	.cfi_startproc
	sub sp, sp, #160
	stp x19, x20, [sp, #0]
	stp x21, x22, [sp, #16]
	stp x23, x24, [sp, #32]
	stp x25, x26, [sp, #48]
	stp x27, x28, [sp, #64]
	stp x29, x30, [sp, #80]
	stp d8, d9, [sp, #96]
	stp d10, d11, [sp, #112]
	stp d12, d13, [sp, #128]
	stp d14, d15, [sp, #144]
	mov x9, sp
	str x9, [x0]
	mov sp, x1
	ldp x19, x20, [sp, #0]
	ldp x21, x22, [sp, #16]
	ldp x23, x24, [sp, #32]
	ldp x25, x26, [sp, #48]
	ldp x27, x28, [sp, #64]
	ldp x29, x30, [sp, #80]
	ldp d8, d9, [sp, #96]
	ldp d10, d11, [sp, #112]
	ldp d12, d13, [sp, #128]
	ldp d14, d15, [sp, #144]
	add sp, sp, #160
	ret
	.cfi_endproc

host_switch_start:
	.cfi_startproc
	.cfi_undefined x30
	bl host_flow_first
	brk #0
	.cfi_endproc

#endif

	.size host_switch, host_switch_start - host_switch
	.size host_switch_start, . - host_switch_start
	.section .note.GNU-stack, "", %progbits
