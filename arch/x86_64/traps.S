/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way into every exception and interrupt handler, and back.
 *
 * All code runs in ring 0 with %gs at the per-CPU area, so entry neither swaps %gs nor changes
 * stacks by itself. The processor aligns the stack to 16 bytes before it pushes (Intel SDM
 * vol. 3A 6.14.2); a whole frame is 22 words, so it stays aligned.
 */

	/* One stub per vector, 16 bytes apart. Vectors with an error code: SDM vol. 3A table 6-1. */
	.text
	.globl trap_stubs
	.balign 16
trap_stubs:
	.set vector, 0
	.rept 256
	.balign 16
	.if (vector == 8) | (vector == 17) | (vector == 21) | (vector == 29) | (vector == 30) | ((vector >= 10) & (vector <= 14))
	.else
	pushq $0
	.endif
	pushq $vector
	jmp trap_entry
	.set vector, vector + 1
	.endr

trap_entry:
	pushq %rax
	pushq %rbx
	pushq %rcx
	pushq %rdx
	pushq %rsi
	pushq %rdi
	pushq %rbp
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	cld
	movq %rsp, %rdi
	/* A frame that leads back to the interrupted code, for backtraces: 17 words up is rip. */
	pushq 17 * 8(%rsp)
	pushq %rbp
	movq %rsp, %rbp
	call trap_dispatch
	addq $16, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rbp
	popq %rdi
	popq %rsi
	popq %rdx
	popq %rcx
	popq %rbx
	popq %rax
	addq $16, %rsp /* vector and error code */
	iretq

	.section .note.GNU-stack, "", @progbits
