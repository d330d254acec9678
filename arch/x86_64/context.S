/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Switching stacks. A suspended flow has its callee-saved registers (System V AMD64 ABI 3.2.1)
 * and its return address on its stack, and its stack pointer in the context. No flag needs to be
 * kept: interrupts are disabled on both sides.
 */
	.text
	/* void context_switch(void **save_sp (rdi), void *load_sp (rsi)) */
	.globl context_switch
context_switch:
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

	/* Where a new flow begins: entry in rbx, its argument in r12 (context.c put them there). */
	.globl context_begin
context_begin:
	movq %r12, %rdi
	xorl %ebp, %ebp
	call *%rbx
	ud2

	.section .note.GNU-stack, "", @progbits
